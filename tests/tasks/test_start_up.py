import subprocess
import sys
from pathlib import Path

import pytest

SAVED = Path(__file__).parent / "saved"


def loaded_after(code, folder=None):
    """The names of all modules that are loaded when the code has run in a process of its own."""
    code += "\nimport sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    return set(done.stdout.splitlines())


def test_a_forecast_loads_nothing_that_it_does_not_use():
    loaded = loaded_after(
        f"import sluicegate; assert len(sluicegate.load({str(SAVED / 'forecast-rnn')!r}).predict().columns) > 4"
    )
    assert "sluicegate.tasks.forecast" in loaded
    others = {
        "torch._dynamo",
        "sympy",
        "sklearn",
        "scipy",
        "matplotlib",
        "tokenizers",
        "pandas",
        "pyarrow",
        "numba",
        "sktime",
    }
    assert not loaded & {*others, "statsforecast", "sluicegate.tasks.classify_text", "sluicegate.tasks.classify_series"}


@pytest.mark.parametrize("name", ["series-causal", "series-gru", "text-gru"])
def test_a_classifier_loads_no_tools_of_training(name):
    loaded = loaded_after(f"import sluicegate; sluicegate.load({str(SAVED / name)!r})")
    assert not loaded & {"torch._dynamo", "sympy", "sklearn", "scipy.stats", "matplotlib", "pandas", "numba", "sktime"}


def test_training_does_not_load_pytorchs_compiler(tmp_path):
    loaded = loaded_after(
        """
import polars
from sluicegate import Forecaster
table = polars.DataFrame({"time": range(60), "sales": [float(row % 5) for row in range(60)]})
Forecaster(2, context=6, season=5, hidden=2, steps=2).fit(table, time="time", target="sales", progress=False).save("m")
""",
        tmp_path,
    )
    assert not loaded & {"torch._dynamo", "sympy", "scipy.stats", "sklearn"}


def test_a_task_is_known_by_its_name_before_it_was_used():
    loaded = loaded_after(
        f"import sluicegate; assert type(sluicegate.load({str(SAVED / 'text-gru')!r})).__name__ == 'TextClassifier'"
    )
    assert "sluicegate.tasks.forecast" not in loaded

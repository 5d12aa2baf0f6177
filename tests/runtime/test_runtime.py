"""The runtime needs neither PyTorch nor anything beside NumPy, and says which models it runs."""

import json
import subprocess
import sys

import pytest

from sluicegate import runtime
from sluicegate.errors import BundleError, ConfigError, MissingExtra
from tests.tasks.saved_models import FOLDER

HEAVY = ("torch", "polars", "pandas", "scipy", "narwhals", "pydantic", "sklearn", "jaxtyping", "matplotlib")

ANSWER = """
import sys
blocked = set(sys.argv[2].split(","))
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
from sluicegate import runtime
model = runtime.load(sys.argv[1])
stream = model.open_stream()
print(stream.push([0.5, 1.0])["label"])
assert "tokenizers" not in sys.modules
print(runtime.load(sys.argv[3]).predict(["A LOVELY film"])[0]["label"])
assert not blocked & set(sys.modules)
"""


def test_answers_where_nothing_but_numpy_can_be_imported():
    command = [sys.executable, "-c", ANSWER, str(FOLDER / "series-causal"), ",".join(HEAVY), str(FOLDER / "text-gru")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"fast", "slow", "good"}


def test_a_task_that_it_does_not_run_is_refused_and_those_that_it_does_are_named():
    with pytest.raises(ConfigError, match=r"translate.*does not run.*classify-series, classify-text, forecast"):
        runtime.load(FOLDER / "translate-gru")


def test_a_method_that_is_mixed_in_by_packages_that_are_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"is mixed in.*`blend=False`"):
        runtime.load(FOLDER / "series-gru")


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr("sluicegate.runtime.loading.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"'tokenizers'.*pip install 'sluicegate-runtime\[text\]'"):
        runtime.load(FOLDER / "text-gru")
    runtime.load(FOLDER / "series-causal")


@pytest.mark.parametrize("threads", [0, -2])
def test_threads_must_be_a_number(threads):
    with pytest.raises(ConfigError, match=r"`threads`.*whole number from 1 up"):
        runtime.load(FOLDER / "series-causal", threads=threads)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(BundleError, match="does not exist"):
        runtime.load(tmp_path / "nothing")


def test_a_model_whose_parts_do_not_agree_is_refused(tmp_path, folders):
    from sluicegate import bundle

    saved = bundle.read(folders / "forecast-combined")
    config = json.loads(saved.raw("config.json"))
    config["shape"]["hidden"] += 1
    config["shape"]["horizon"] += 1
    bundle.write(tmp_path / "model", {**saved.files, "config.json": json.dumps(config).encode()})
    with pytest.raises(BundleError, match="does not hold together"):
        runtime.load(tmp_path / "model")

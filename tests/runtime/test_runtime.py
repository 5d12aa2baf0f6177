"""The runtime needs neither PyTorch nor anything beside NumPy, and says which models it runs."""

import json
import subprocess
import sys

import pytest

from sluicegate import runtime
from sluicegate.errors import BundleError, ConfigError
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
assert not blocked & set(sys.modules)
"""


def test_answers_where_nothing_but_numpy_can_be_imported():
    command = [sys.executable, "-c", ANSWER, str(FOLDER / "series-causal"), ",".join(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"fast", "slow"}


def test_a_task_without_a_stream_is_refused_and_those_with_one_are_named():
    with pytest.raises(ConfigError, match=r"classify-text.*cannot stream.*classify-series and forecast"):
        runtime.load(FOLDER / "text-gru")


def test_networks_that_read_both_ways_are_refused():
    with pytest.raises(ConfigError, match=r"read recordings both ways.*`causal=True`"):
        runtime.load(FOLDER / "series-gru")


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

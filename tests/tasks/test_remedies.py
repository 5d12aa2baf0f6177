"""The remedies for saved models and missing packages work when they are obeyed."""

import ast
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

import sluicegate
from sluicegate import bundle
from sluicegate.errors import BundleError
from sluicegate.runtime.loading import TASKS
from sluicegate.tasks import registry
from sluicegate.tasks.task import Task

ROOT = Path(__file__).parents[2]


def refused(verb, *arguments):
    with pytest.raises(BundleError) as caught:
        verb(*arguments)
    return str(caught.value)


@pytest.fixture
def custom(tmp_path):
    """A saved model of a task that nobody has imported."""
    config = json.dumps({"schema": bundle.SCHEMA, "task": "of-its-own"}).encode()
    bundle.write(tmp_path / "m", {"config.json": config, "notes.txt": b"x"})
    yield tmp_path / "m"
    registry.forget("of-its-own")


def make():
    class Own(Task):
        name = "of-its-own"

        def fit(self, data):
            return self

        evaluate = predict = files = fit

        @classmethod
        def _from_bundle(cls, saved):
            return cls()

    return Own


def test_a_task_of_ones_own_is_imported_before(custom):
    said = refused(sluicegate.load, custom)
    assert "install a newer sluicegate, or import the module that has the task before" in said
    own = make()
    assert isinstance(sluicegate.load(custom), own)


@pytest.mark.parametrize("name", ["manifest.json", "config.json", "notes.txt"])
@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_a_damaged_model_is_saved_again_or_copied(custom, name, harm):
    copy = shutil.copytree(custom, custom.with_name("copy"))
    files = dict(bundle.read(custom).files)
    harm(custom / name)
    said = refused(bundle.read, custom)
    assert "or take another copy" in said
    assert bundle.read(copy).files == files
    if name == "manifest.json":  # without it, the folder may be anything
        assert "save the model again to a new or an empty folder" in said
        again = refused(bundle.write, custom, files)
        assert "choose a new or an empty folder, or move that away" in again
        assert "again" not in again
        custom.rename(custom.with_name("away"))
    bundle.write(custom, files)
    assert bundle.read(custom).files == files


def test_every_extra_that_is_named_brings_the_package():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MissingExtra":
                if isinstance(node.args[0], ast.Starred):  # of `runtime.loading.TASKS`, see below
                    continue
                package, extra = (
                    next(part.value for part in ast.walk(argument) if isinstance(part, ast.Constant))
                    for argument in node.args[:2]
                )
                found.add(package)
                names = [re.split(r"[\s<>=~!\[;]", line)[0].replace("-", "_") for line in extras[extra]]
                assert package.replace("-", "_") in names
    assert {"sktime", "statsforecast", "vega_datasets", "sacrebleu", "rouge-score"} <= found


def test_every_extra_of_the_runtime_brings_the_package():
    described = tomllib.loads((ROOT / "packaging" / "runtime" / "pyproject.toml").read_text())
    extras = described["project"]["optional-dependencies"]
    needed = [needed for _, _, needed in TASKS.values() if needed is not None]
    assert needed
    for package, extra in needed:
        assert package in [re.split(r"[\s<>=~!\[;]", line)[0] for line in extras[extra]]

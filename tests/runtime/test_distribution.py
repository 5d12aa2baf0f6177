"""The distribution without what trains has all that the runtime imports, and nothing that needs more than NumPy."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pathspec
import pytest

import sluicegate
from sluicegate import _core
from tests.tasks.saved_models import FOLDER

ROOT = Path(__file__).parents[2]
PACKED = ROOT / "packaging" / "runtime" / "pyproject.toml"
ALLOWED = {"numpy", "safetensors", "sluicegate"}
NEEDED = {"texts": {"tokenizers"}}  # imported where a model that needs it is loaded, and not before
ANSWER = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
sys.path.insert(0, sys.argv[1])
from sluicegate import runtime
assert runtime.__file__.startswith(sys.argv[1]), runtime.__file__
print(runtime.load(sys.argv[2]).open_stream().push([0.5, 1.0])["label"])
assert runtime.load(sys.argv[3]).predict()["mean"].shape == (12,)
assert "tokenizers" not in sys.modules
assert runtime.load(sys.argv[4]).predict(["A LOVELY film"])[0]["label"] == "good"
assert "torch" not in sys.modules
import sluicegate
try:
    sluicegate.GRU
except sluicegate.SluicegateError as error:
    assert "pip install sluicegate" in str(error)
else:
    raise AssertionError("there are no layers")
"""


def packed():
    """The files that go into the wheel, by their place in it."""
    excluded = pathspec.GitIgnoreSpec.from_lines(
        tomllib.loads(PACKED.read_text())["tool"]["scikit-build"]["wheel"]["exclude"]
    )
    source = ROOT / "src"
    files = [path.relative_to(source) for path in (source / "sluicegate").rglob("*") if path.is_file()]
    return [path for path in files if path.suffix in (".py", ".pyi", ".typed") and not excluded.match_file(path)]


def test_it_holds_the_runtime_and_little_else():
    folders = {path.parts[1] for path in packed() if len(path.parts) > 2}
    assert folders == {"ops", "runtime", "streaming"}
    assert {path.name for path in packed() if path.parts[1] == "streaming"} == {
        "__init__.py",
        "guarding.py",
        "keyed.py",
        "snapshots.py",
        "stream.py",
    }
    assert {path.name for path in packed() if path.parts[1] == "ops"} == {
        "__init__.py",
        "arguments.py",
        "cells.py",
        "compiled.py",
    }


def test_it_imports_numpy_and_safetensors_alone():
    for path in packed():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse((ROOT / "src" / path).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            roots = {name.partition(".")[0] for name in names}
            more = NEEDED.get(path.parts[2], set()) if path.parts[1] == "runtime" else set()
            assert roots - set(sys.stdlib_module_names) <= ALLOWED | more, path


def test_it_answers_by_itself(tmp_path):
    for path in packed():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "src" / path, tmp_path / path)
    shutil.copy(_core.__file__, tmp_path / "sluicegate")
    models = [str(FOLDER / name) for name in ("series-causal", "forecast-rnn", "text-gru")]
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, str(tmp_path), *models], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"fast", "slow"}


def test_both_distributions_have_one_version():
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    light = tomllib.loads(PACKED.read_text())["project"]
    assert light["version"] == whole["version"] == sluicegate.__version__
    further = [package for extra in light["optional-dependencies"].values() for package in extra]
    assert {*light["dependencies"], *further} <= set(whole["dependencies"])


def test_the_wheel_is_small():
    wheels = sorted((ROOT / "dist").glob("sluicegate_runtime-*.whl"))
    if not wheels:
        pytest.skip("`make runtime-wheel` has not been run")
    assert wheels[-1].stat().st_size < 10e6

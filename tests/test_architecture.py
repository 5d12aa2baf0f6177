"""Imports go down the floors of the house, never up or sideways."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "sluicegate"

FLOORS = [
    {"errors", "imports", "swaps", "types"},
    {"_core", "atomic", "collection"},
    {"ops"},
    {"nn", "jax"},
    {"keras"},
    {"bundle", "streaming"},
    {"runtime"},
    {"acceleration", "data", "training", "metrics"},
    {"tasks"},
    {"export", "redis", "study"},
    {"serve"},
    {"cli"},
    {"__main__"},
]
FLOOR = {unit: number for number, units in enumerate(FLOORS) for unit in units}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}
SHARED_BY_TASKS = {
    "arguments",
    "checks",
    "classification",
    "config",
    "generation",
    "plain",
    "precision",
    "registry",
    "report",
    "restoring",
    "results",
    "task",
    "trained",
}


def modules_of(package):
    """Each module's dotted name and its file; a package goes by its own name."""
    found = {f"{package.name}._core": None}  # compiled
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(name, path, modules):
    """The modules of the package that one module imports, wherever in its text."""
    root = name.partition(".")[0]
    parents = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            inner = [f"{source}.{alias.name}" for alias in node.names]
            targets = [target if target in modules else source for target in inner]
        else:
            continue
        yield from (target for target in targets if target.partition(".")[0] == root)


def violations(package):
    """Every breach of the rules, as a sentence."""
    root = package.name
    modules = modules_of(package)
    graph = {name: set(imports_of(name, path, modules)) for name, path in modules.items() if path}
    yield from (
        f"{name}: a drawer for odds and ends"
        for name in modules
        if DRAWERS & {part.strip("_") for part in name.split(".")}
    )
    for importer, targets in graph.items():
        if importer == root:
            continue
        unit, *inner = importer.split(".")[1:]
        if unit not in FLOOR:
            yield f"{importer}: {unit} has no floor"
            continue
        for target in sorted(targets):
            if target == root:
                if unit not in {"cli", "__main__"}:
                    yield f"{importer} imports the package itself"
                continue
            target_unit, *target_inner = target.split(".")[1:]
            if target_unit not in FLOOR:
                yield f"{importer} imports {target}, which has no floor"
            elif target_unit != unit and FLOOR[target_unit] >= FLOOR[unit]:
                yield f"{importer} imports {target}, which is not below it"
            elif unit == target_unit == "tasks" and inner and target_inner:
                one, other = inner[0], target_inner[0]
                if one != other and other not in SHARED_BY_TASKS:
                    yield f"{importer} imports {target}, which is another task"
    try:
        TopologicalSorter({name: targets - {root} for name, targets in graph.items()}).prepare()
    except CycleError as error:
        yield f"a circle: {' -> '.join(reversed(error.args[1]))}"


def test_imports_only_go_down():
    assert list(violations(PACKAGE)) == []


def test_every_module_is_seen():
    assert {"sluicegate", "sluicegate.errors", "sluicegate.bundle"} <= modules_of(PACKAGE).keys()


@pytest.mark.parametrize(
    ("files", "breach"),
    [
        ({"bundle.py": "from sluicegate.errors import BundleError\nimport json"}, None),
        ({"tasks/forecast/model.py": "from ..task import Task", "tasks/task.py": ""}, None),
        ({"tasks/__init__.py": "from .forecast import F", "tasks/forecast.py": ""}, None),
        ({"nn/gru.py": "from . import cells\nfrom ..ops import native", "nn/cells.py": "", "ops/native.py": ""}, None),
        ({"ops/native.py": "from .. import _core"}, None),
        ({"cli/__init__.py": "import sluicegate"}, None),
        ({"__main__.py": "from sluicegate.cli import main", "cli/__init__.py": ""}, None),
        ({"__init__.py": "from sluicegate.nn import GRU", "nn/__init__.py": ""}, None),
        ({"ops/a.py": "from sluicegate.nn.gru import GRU"}, "p.ops.a imports p.nn.gru, which is not below it"),
        ({"ops/a.py": "from .. import nn", "nn/__init__.py": ""}, "p.ops.a imports p.nn, which is not below it"),
        ({"ops/a.py": "def f():\n  import sluicegate.nn"}, "p.ops.a imports p.nn, which is not below it"),
        ({"data/a.py": "from ..metrics import mae"}, "p.data.a imports p.metrics, which is not below it"),
        ({"errors.py": "from .types import Cell", "types.py": ""}, "p.errors imports p.types, which is not below it"),
        ({"nn/a.py": "from sluicegate import GRU"}, "p.nn.a imports the package itself"),
        ({"serve/a.py": "import sluicegate"}, "p.serve.a imports the package itself"),
        ({"serve/a.py": "from ..cli import main"}, "p.serve.a imports p.cli, which is not below it"),
        ({"shelf.py": ""}, "p.shelf: shelf has no floor"),
        ({"cli/a.py": "from ..shelf import x"}, "p.cli.a imports p.shelf, which has no floor"),
        ({"nn/_utils.py": ""}, "p.nn._utils: a drawer for odds and ends"),
        ({"data/helpers/a.py": ""}, "p.data.helpers.a: a drawer for odds and ends"),
        (
            {"tasks/one/a.py": "from ..two.b import x", "tasks/two/b.py": ""},
            "p.tasks.one.a imports p.tasks.two.b, which is another task",
        ),
        (
            {"tasks/task.py": "from .one import x", "tasks/one/__init__.py": ""},
            "p.tasks.task imports p.tasks.one, which is another task",
        ),
        ({"nn/a.py": "from . import b", "nn/b.py": "from .a import x"}, "a circle: p.nn.a -> p.nn.b -> p.nn.a"),
        (
            {"nn/__init__.py": "from .a import x", "nn/a.py": "from sluicegate.nn import y"},
            "a circle: p.nn -> p.nn.a -> p.nn",
        ),
    ],
)
def test_the_rules_hold_a_made_up_tree(tmp_path, files, breach):
    for name, text in files.items():
        path = tmp_path / "sluicegate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = [sentence.replace("sluicegate", "p") for sentence in violations(tmp_path / "sluicegate")]
    if breach and breach.startswith("a circle"):
        (found,) = found
        assert set(found.split()) == set(breach.split())  # it may start at any module of the circle
    else:
        assert found == ([breach] if breach else [])


def test_torch_comes_only_with_the_names_that_need_it():
    code = "import sys, sluicegate; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

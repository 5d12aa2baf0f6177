"""The options of `sluicegate fit` are the fields of the settings and the arguments that the task declares."""

import inspect
import json
import re
import shlex
import statistics
from typing import Annotated, Literal, get_args

import pytest
from pydantic import Field
from typer.main import get_command
from typer.testing import CliRunner

from sluicegate.cli.app import app
from sluicegate.cli.commands.study import columns_and_settings
from sluicegate.cli.declared import of_field, option_of
from sluicegate.errors import BundleError
from sluicegate.tasks import Report, Task, registry
from sluicegate.tasks.arguments import DATA, Argument, Called, Group
from sluicegate.tasks.classify_series import SeriesClassifierConfig
from sluicegate.tasks.config import Positive, TaskConfig, checked

FIELDS = [(task, name) for task in registry.OURS for name in registry.declared(task).config.model_fields]
VALUES = {  # a value that is not the default, as it is typed and as the settings have it
    "cell": ("rnn", "rnn"),
    "fill": ("zero", "zero"),
    "holidays": ("2024-12-25", ("2024-12-25",)),
    "layout": ("coco", "coco"),
    "quantiles": ("0.25", (0.1, 0.25, 0.5, 0.9)),
}


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def command_of(task):
    return get_command(app).commands["fit"].commands[task]


def options_of(task):
    return {parameter.name: parameter for parameter in command_of(task).params}


def typed(task, name):
    """A value for a knob: the words that give it, and what the settings then hold."""
    field = registry.declared(task).config.model_fields[name]
    option = f"--{option_of(name, field)}"
    if name in VALUES:
        return [option, VALUES[name][0]], VALUES[name][1]
    if bool in (field.annotation, *get_args(field.annotation)):
        return ([option.replace("--", "--no-", 1)], False) if field.default else ([option], True)
    value = 0.25 if options_of(task)[name].type_descriptor.annotation is float else 7
    return [option, str(value)], value


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """The settings that `fit` would train with, for words of the command line."""
    caught = []
    monkeypatch.setattr("sluicegate.cli.training.fit_files", lambda task, *_, **__: caught.append(task.config))
    needed = {"forecast": "--time t --target y --horizon 3"}

    def of(task, *words):
        done = run("fit", task, "t.csv", "--out", tmp_path / "m", *shlex.split(needed.get(task, "")), *words)
        assert done.exit_code == 0, done.output
        return caught.pop()

    return of


@pytest.mark.parametrize(("task", "name"), FIELDS)
def test_every_knob_is_an_option_whose_value_arrives(settings, task, name):
    words, value = typed(task, name)
    found = settings(task, *words).model_dump(mode="json")
    assert found[name] == (list(value) if isinstance(value, tuple) else value)
    plain = settings(task).model_dump(mode="json")
    assert found[name] != plain[name]
    assert {other: found[other] for other in found if other != name} == {
        other: plain[other] for other in plain if other != name
    }


@pytest.mark.parametrize("task", registry.OURS)
def test_what_is_left_out_has_the_default(settings, task):
    config = registry.declared(task).config
    assert settings(task) == config(**({"horizon": 3} if task == "forecast" else {}))


@pytest.mark.parametrize("task", registry.OURS)
def test_what_a_task_declares_is_what_it_has(task):
    kind, (config, arguments) = registry.task_class(task), registry.declared(task)
    assert (kind.config_class, kind.arguments) == (config, arguments)
    taken = inspect.signature(kind.fit).parameters
    told = {"checkpoint", "resume", "progress", "origin", "validation_origin", "self"}
    assert taken.keys() - told == {of.name for of in arguments if of.kind != "array"}
    for of in arguments:
        default = taken[of.name].default if of.name in taken else None
        assert of.required == (default is inspect.Parameter.empty), of.name


# The help


def sections(*words):
    """The groups of a command's help: the first word of each entry, by the title."""
    found, title = {}, None
    for line in run(*words, "--help").stdout.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line[:-1]
        elif title and line.startswith("  ") and not line.startswith("   "):
            found.setdefault(title, []).append(line.split()[0])
    return found


@pytest.mark.parametrize("task", registry.OURS)
def test_the_help_has_every_knob_in_its_group(task):
    shown = sections("fit", task)
    assert [*shown] == ["Arguments", "Data", "Model", "Training", "Output"]
    assert shown["Arguments"] == ["data"]
    config, arguments = registry.declared(task)
    for name, field in config.model_fields.items():
        (group,) = [mark for mark in field.metadata if isinstance(mark, Group)]
        assert f"--{option_of(name, field)}" in shown[group.value], name
    assert {f"--{of.option}" for of in arguments if of.name != "data"} <= {*shown["Data"]}
    assert {"--resume", "--threads"} <= {*shown["Training"]}
    assert shown["Output"] == ["--out", "--precision", "--allow-loss", "--json", "--debug", "--help"]
    options = [name for names in shown.values() for name in names]
    assert len(options) == len({*options})


def help_of(task):
    return " ".join(run("fit", task, "--help").stdout.split())


def test_the_help_says_what_a_knob_is_for_its_range_and_its_default():
    said = help_of("forecast")
    assert "--layers <int> Recurrent layers on top of one another. [default: 1; x>=1]" in said
    dropped = "--dropout <float> Rate at which units are dropped in training, from 0 up to 1. [default: 0.3; 0<=x<1]"
    assert dropped in said
    assert "--fill <forward|linear|zero> How missing values" in said
    assert "up to the table's last; the default refuses them. " in said  # where Python says None
    assert "--holiday <date> Days on which" in said
    assert "may be given again. [default: 0.1, 0.5, 0.9; 0<x<1]" in said
    assert "--lowercase / --no-lowercase" in help_of("classify-text")
    assert "The default follows the lengths: whole recordings" in help_of("classify-series")
    assert not [task for task in registry.OURS if "None" in help_of(task)]


def test_a_value_that_the_settings_refuse_is_told_as_before():
    words = ("fit", "forecast", "t.csv", "--time", "t", "--target", "y", "--out", "m")
    for more, status, said in (
        (["--horizon", "0"], 1, "error: `horizon` (=0) must be greater than or equal to 1\n"),
        (["--horizon", "2.5"], 2, "Invalid value for '--horizon'"),
        ([], 2, "Missing option '--horizon'"),
        (
            ["--horizon", "3", "--cell", "gnu"],
            1,
            "error: `cell` (='gnu') must be 'gru', 'lstm', 'rnn', 'mingru' or 'ligru'\n",
        ),
        (["--horizon", "3", "--learning-rate", "-1"], 1, "error: `learning_rate` (=-1.0) must be greater than 0\n"),
        (["--horizon", "3", "--quantile", "2"], 1, "error: `quantiles.0` (=2.0) must be less than 1\n"),
        (["--horizon", "3", "--holiday", "May"], 1, "error: `holidays.0` (='May') must be a valid date"),
        (["--horizon", "3", "--folds", "2"], 2, "No such option"),
    ):
        done = run(*words, *more)
        assert (done.exit_code, said in done.stderr) == (status, True), done.stderr


# Tasks of others


class DriftConfig(TaskConfig):
    """Settings of a `Drift`."""

    pull: Annotated[float, Field(gt=0, description="how strongly the last value counts"), Group.MODEL] = 1.0
    ways: Annotated[tuple[Literal["up", "down"], ...], Field(description="where to"), Group.MODEL, Called("way")] = ()
    rounds: Annotated[Positive | None, Field(description="how often; None is once"), Group.TRAINING] = None


class Drift(Task):
    """Train a model that says the mean of a column, drawn towards its last value."""

    config_class = DriftConfig
    arguments = (DATA, Argument("values", "a column", called="value", required=True, several=True))

    def __init__(self, **knobs):
        self.config = checked(DriftConfig, "Drift", knobs)
        self.report = None

    def fit(self, data, *, values):
        said = float(statistics.mean(data[values[0]]))
        self.report = Report("Drift", {"mae": said}, {"last_value": {"mae": 0.0}}, "Use the last value.")
        return self

    def evaluate(self, data):
        raise NotImplementedError

    def predict(self):
        raise NotImplementedError

    def files(self):
        return {"config.json": json.dumps({"schema": 1, "task": "drift", **self.config.model_dump()}).encode()}

    @classmethod
    def _from_bundle(cls, saved):
        raise BundleError("not here")


@pytest.fixture
def drift():
    registry.register("drift", Drift)
    yield
    registry.forget("drift")


def test_a_task_that_was_imported_has_its_command(drift, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("y\n1\n3\n")
    assert re.search("drift +Train a model that says the mean of a column", run("fit", "--help").stdout)
    assert sections("fit", "drift")["Model"] == ["--pull", "--way"]
    assert "How often; the default is once. [x>=1]" in help_of("drift")
    words = ("fit", "drift", "t.csv", "--value", "y", "--pull", "2", "--way", "up", "--way", "down", "--out", "m")
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["report"]["metrics"] == {"mae": 2.0}
    saved = json.loads((tmp_path / "m" / "config.json").read_text())
    assert (saved["pull"], saved["ways"], saved["rounds"]) == (2.0, ["up", "down"], None)
    assert run(*words, "--rounds", "0").stderr == "error: `rounds` (=0) must be greater than or equal to 1\n"
    assert "drift" not in registry.OURS


def test_a_study_knows_it_too(drift):
    shown = sections("study")
    assert "--value" in shown["Data"]
    found = columns_and_settings("drift", {"value": ["y"]}, ["pull=3"])
    assert found == ("drift", {"values": ["y"]}, {"pull": 3})
    assert registry.module_of("drift") == Drift.__module__
    assert registry.module_of("forecast") is None


def test_a_task_that_is_forgotten_has_none():
    done = run("fit", "drift", "--help")
    assert done.exit_code == 2
    assert "No such command 'drift'" in done.stderr


@pytest.mark.parametrize("task", registry.OURS)
def test_what_a_study_may_set_can_be_fitted_with(task):
    config, arguments = registry.declared(task)
    options = {option for parameter in options_of(task).values() for option in parameter.opts}
    assert {f"--{option_of(name, field)}" for name, field in config.model_fields.items()} <= options
    assert {f"--{of.option}" for of in arguments if of.name != "data"} <= options


def test_options_of_every_kind_of_field():
    class Some(TaskConfig):
        share: Annotated[float | None, Field(ge=0, le=1, description="a share; None takes all"), Group.MODEL] = None
        most: Annotated[int, Field(lt=5, description="a number")] = 3

    share, most = (of_field(name, field) for name, field in Some.model_fields.items())
    assert get_args(get_args(share.annotation)[0]) == (float, type(None))
    assert get_args(share.annotation)[1].help == "A share; the default takes all.  [0<=x<=1]"
    assert get_args(most.annotation)[1].help == "A number.  [default: 3; x<5]"
    assert get_args(most.annotation)[1].rich_help_panel == "Model"


def test_settings_of_numpy_are_refused_and_read_without_importing_it():
    np = pytest.importorskip("numpy")
    from sluicegate.tasks import ForecasterConfig

    with pytest.raises(ValueError, match="must be a number, not a truth value"):
        SeriesClassifierConfig(hidden=np.True_)
    days = np.array(["2024-05-01", "2024-12-25"], dtype="datetime64[ns]")
    assert [str(day) for day in ForecasterConfig(horizon=1, holidays=days).holidays] == ["2024-05-01", "2024-12-25"]

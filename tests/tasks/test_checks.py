"""The conformance suite on the smallest task that there can be, and on ten that break a promise each."""

import copy
import json
import statistics
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from sluicegate import bundle
from sluicegate.errors import ConfigError, NotFittedError
from sluicegate.streaming import Stream
from sluicegate.tasks import Report, Task, checks, registry

DATA = {"y": [1.0, 2.0, 4.0]}


class Level(Task):
    """Says the mean of all values, give or take a little."""

    name = "level"

    def __init__(self, seed=0, **knobs):
        if knobs:
            raise ConfigError(f"there is no setting `{next(iter(knobs))}`: a Level has seed")
        self.seed, self.level = seed, None

    def fit(self, data):
        self.level = statistics.mean(data["y"]) + 0.01 * np.random.default_rng(self.seed).normal()
        return self

    def evaluate(self, data):
        said = {"model": self.predict(data)["y"][0], "last_value": data["y"][-1]}
        rows = {name: {"mae": statistics.mean(abs(y - value) for y in data["y"])} for name, value in said.items()}
        model = rows.pop("model")
        return Report("Levels", model, rows, "Use the last value, the simpler.")

    def predict(self, data):
        if self.level is None:
            raise NotFittedError("the Level has not been trained: call `fit` first")
        return {"y": [self.level] * len(data["y"])}

    def files(self):
        config = {"schema": bundle.SCHEMA, "task": self.name, "seed": self.seed}
        weights = {"level": np.array(self.predict(DATA)["y"][:1])}
        return {bundle.CONFIG: json.dumps(config).encode(), "weights.safetensors": save(weights)}

    @classmethod
    def _from_bundle(cls, saved):
        task = cls(saved.json(bundle.CONFIG)["seed"])
        task.level = float(saved.tensors("weights.safetensors")["level"][0])
        return task


@pytest.fixture(autouse=True, scope="module")
def _forgotten():
    yield
    registry.forget(Level.name)


def case():
    return checks.Case(Level, lambda task: task.fit(DATA), DATA)


@pytest.mark.parametrize("check", list(checks.checks()), ids=lambda check: check.__name__)
def test_a_task_in_one_class_conforms(check):
    check(case())


def test_it_is_trained_three_times(monkeypatch):
    plain, times = Level.fit, []
    monkeypatch.setattr(Level, "fit", lambda self, data: times.append(1) or plain(self, data))
    checks.check_task(Level, fit=lambda task: task.fit(DATA), data=DATA)
    assert len(times) == 3


def _other(self, data):
    other = copy.copy(self)
    other.level = statistics.mean(data["y"])
    return other


def _by_the_clock(self, data):
    self.level = np.random.default_rng().normal()
    return self


def _without_the_seed(self, data):
    self.level = statistics.mean(data["y"])
    return self


def _spoiling(self, data):
    data["y"].append(0.0)
    return {"y": [self.level] * len(data["y"])}


def _forgetful(cls, saved):
    task = Level()
    task.level = 0.0
    return task


def _report(**changed):
    whole = {
        "title": "Levels",
        "metrics": {"mae": 1.0},
        "baselines": {"last_value": {"mae": 2.0}},
        "verdict": "Use the model.",
    }
    return lambda self, data: Report(**(whole | changed))


BROKEN = {
    "untrained_says_so": ("evaluate", _report()),
    "fit_returns_itself": ("fit", _other),
    "same_seed_same_bytes": ("fit", _by_the_clock),
    "other_seed_other_bytes": ("fit", _without_the_seed),
    "data_is_left_alone": ("predict", _spoiling),
    "report_is_whole": ("evaluate", _report(baselines={})),
    "report_is_whole, infinite": ("evaluate", _report(metrics={"mae": float("inf")})),
    "report_is_whole, no method": ("evaluate", _report(verdict="Use it.")),
    "loaded_predicts_the_same_bits": ("_from_bundle", classmethod(_forgetful)),
    "unknown_setting_is_refused": ("__init__", lambda self, seed=0, **knobs: vars(self).update(seed=seed, level=None)),
}


class Running(Stream):
    """The mean of what was pushed, beside the level."""

    def __init__(self, level):
        self.level, self.values = level, []

    def push(self, x):
        self.require_running()
        if isinstance(x, list):
            return [self.push(value) for value in x]
        self.values.append(x)
        return {"y": statistics.mean(self.values) - self.level}

    def finish(self):
        self.finished = True

    def reset(self):
        self.finished, self.values = False, []

    def snapshot(self):
        return json.dumps(self.values).encode()

    def restore(self, snapshot):
        self.values = json.loads(snapshot)


def streaming(monkeypatch, stream=Running):
    monkeypatch.setattr(Level, "open_stream", lambda self: stream(self.predict(DATA)["y"][0]))

    def offline(task, rows):
        return {"y": statistics.mean(rows) - task.level}

    return checks.Case(Level, lambda task: task.fit(DATA), DATA, [1.0, 5.0, 2.0, 4.0, 4.0], offline)


@pytest.mark.parametrize("check", [checks.untrained_says_so, checks.streams_say_the_same_bits])
def test_a_task_with_streams_conforms(check, monkeypatch):
    check(streaming(monkeypatch))


BROKEN_STREAMS = {
    "as a chunk": {"push": lambda self, x: {"y": 1.0} if isinstance(x, list) else Running.push(self, x)},
    "restored": {"restore": lambda self, snapshot: None},
    "offline": {"__init__": lambda self, level: Running.__init__(self, 2 * level)},
    "StreamError": {"finish": lambda self: None},
    "reset": {"reset": lambda self: vars(self).update(finished=False)},
}


@pytest.mark.parametrize("promise", BROKEN_STREAMS)
def test_a_broken_stream_is_noticed(promise, monkeypatch):
    case = streaming(monkeypatch, type("Broken", (Running,), BROKEN_STREAMS[promise]))
    with pytest.raises(AssertionError, match=promise):
        checks.streams_say_the_same_bits(case)


def test_a_task_with_a_stream_needs_rows_and_one_without_says_so(monkeypatch):
    with pytest.raises(AssertionError, match="needs `rows`"):
        checks.streams_say_the_same_bits(replace(streaming(monkeypatch), rows=()))
    with pytest.raises(AssertionError, match="needs `offline`"):
        checks.streams_say_the_same_bits(replace(streaming(monkeypatch), offline=None))
    monkeypatch.undo()
    monkeypatch.setattr(Task, "open_stream", lambda self: Running(0.0))
    with pytest.raises(AssertionError, match="ConfigError"):
        checks.streams_say_the_same_bits(case())


def test_the_registry_knows_which_tasks_have_streams():
    for name, entry in registry.OURS.items():
        assert entry.streams == (registry.task_class(name).open_stream is not Task.open_stream)


@pytest.mark.parametrize("promise", BROKEN)
def test_what_is_broken_is_noticed(promise, monkeypatch):
    monkeypatch.setattr(Level, *BROKEN[promise])
    data = {"y": [*DATA["y"]]}
    with pytest.raises(AssertionError, match=r"."):
        getattr(checks, promise.partition(",")[0])(checks.Case(Level, lambda task: task.fit(data), data))

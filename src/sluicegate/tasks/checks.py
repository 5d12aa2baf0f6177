"""The conformance suite: what every task promises, whatever it does.

A task of your own is held to it by one call in its tests:

    check_task(lambda seed, **knobs: MyTask(seed=seed, **knobs), fit=lambda task: task.fit(table, ...), data=table)
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from sluicegate.errors import BundleError, ConfigError, NotFittedError

from .base import Task, load


@dataclass(frozen=True)
class Case:
    """A task on data.

    Args:
        make: makes an untrained task from a seed, and from further knobs by name.
        fit: trains a task on the case's data and returns it; a second or two is enough.
        data: what `evaluate` and `predict` take.
    """

    make: Callable[..., Task]
    fit: Callable[[Task], Task]
    data: Any


def checks() -> Iterator[Callable[[Case], None]]:
    """The checks, one promise each, for a test that runs them one by one."""
    yield untrained_says_so
    yield fit_returns_itself
    yield same_seed_same_bytes
    yield other_seed_other_bytes
    yield data_is_left_alone
    yield report_is_whole
    yield loaded_predicts_the_same_bits
    yield damaged_is_refused
    yield unknown_knob_is_refused


def check_task(make: Callable[..., Task], *, fit: Callable[[Task], Task], data: Any) -> None:
    """Run all checks.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    for check in checks():
        check(Case(make, fit, data))


def untrained_says_so(case: Case) -> None:
    """A task that was not trained raises NotFittedError from every verb that needs training."""
    task = case.make(0)
    with tempfile.TemporaryDirectory() as place:
        calls: list[Callable[[], Any]] = [
            lambda: task.predict(case.data),
            lambda: task.evaluate(case.data),
            lambda: task.save(Path(place) / "model"),
        ]
        for call in calls:
            _must_raise(NotFittedError, call)
        assert not list(Path(place).iterdir()), "an untrained task left files behind when it refused to be saved"


def fit_returns_itself(case: Case) -> None:
    """`fit` returns the task, so that calls can be chained."""
    task = case.make(0)
    assert case.fit(task) is task, "`fit` must return the task itself"


def same_seed_same_bytes(case: Case) -> None:
    """The same seed and data give the same weights to the bit."""
    first, second = (case.fit(case.make(3)).files() for _ in range(2))
    assert first["weights.safetensors"] == second["weights.safetensors"], "the same seed gave other weights"


def other_seed_other_bytes(case: Case) -> None:
    """Another seed gives other weights."""
    first, second = (case.fit(case.make(seed)).files() for seed in (3, 4))
    assert first["weights.safetensors"] != second["weights.safetensors"], "another seed gave the same weights"


def data_is_left_alone(case: Case) -> None:
    """Neither training nor prediction changes the caller's data."""
    before = copy.deepcopy(case.data)
    task = case.fit(case.make(0))
    task.predict(case.data)
    task.evaluate(case.data)
    assert _same(before, case.data), "the caller's data was changed"


def report_is_whole(case: Case) -> None:
    """A report holds finite figures, a baseline with the very same ones, and a sentence that names the better."""
    report = case.fit(case.make(0)).evaluate(case.data)
    assert report.metrics, "the report has no metrics"
    assert report.baselines, "the report has no baseline"
    for name, figures in {"the model": report.metrics, **report.baselines}.items():
        assert list(figures) == list(report.metrics), f"{name} has other metrics than the model"
        assert not any(math.isinf(value) for value in figures.values()), f"{name} has an infinite metric"
    names = ["model", *(name.replace("_", " ") for name in report.baselines)]
    assert any(name in report.verdict for name in names), "the verdict names no method"
    assert report.verdict.endswith("."), "the verdict must be a sentence"


def loaded_predicts_the_same_bits(case: Case) -> None:
    """A saved model that is loaded again predicts the same bits, and saves the same weights."""
    task = case.fit(case.make(0))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        task.save(folder)
        again = load(folder)
    assert type(again) is type(task), "another kind of task came back"
    assert _same(task.predict(case.data), again.predict(case.data)), "the loaded model predicts something else"
    assert task.files()["weights.safetensors"] == again.files()["weights.safetensors"], "the weights changed"


def damaged_is_refused(case: Case) -> None:
    """A folder with a file cut short is refused."""
    task = case.fit(case.make(0))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        task.save(folder)
        weights = folder / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        _must_raise(BundleError, lambda: load(folder))


def unknown_knob_is_refused(case: Case) -> None:
    """A knob that does not exist is refused, by a message that names it."""
    error = _must_raise(ConfigError, lambda: case.make(0, no_such_knob=1))
    assert "no_such_knob" in str(error), "the message does not name the knob"


def _must_raise(kind: type[Exception], call: Callable[[], Any]) -> Exception:
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, but nothing was raised")


def _same(first: Any, second: Any) -> bool:
    try:
        tables = [nw.from_native(value, eager_only=True) for value in (first, second)]
    except TypeError:
        return bool(first == second)
    return tables[0].columns == tables[1].columns and all(
        tables[0][name].to_list() == tables[1][name].to_list() for name in tables[0].columns
    )

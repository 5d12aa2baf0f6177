"""The conformance suite: what every task promises, whatever it does.

A task of your own is held to it by one call in its tests:

    check_task(lambda seed, **more: MyTask(seed=seed, **more), fit=lambda task: task.fit(table, ...), data=table)
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from sluicegate.errors import BundleError, ConfigError, NotFittedError, StreamError

from .task import Task, load


@dataclass(frozen=True)
class Case:
    """A task on data; the checks share what it trains, so give them one case.

    Args:
        make: makes an untrained task from a seed, and from further settings by name.
        fit: trains a task on the case's data and returns it; a second or two is enough.
        data: what `evaluate` and `predict` take.
        rows: of a task that has streams, what is pushed, one after the other; ten or twenty are enough.
        offline: of such a task, called with the task and with rows, tells without a stream what comes after the last.
    """

    make: Callable[..., Task]
    fit: Callable[[Task], Task]
    data: Any
    rows: Sequence[Any] = ()
    offline: Callable[[Task, Sequence[Any]], Any] | None = None

    @cached_property
    def copied(self) -> Any:
        """The data as they were before anything was trained."""
        return copy.deepcopy(self.data)

    @cached_property
    def made_and_trained(self) -> tuple[Task, Task]:
        """The task that was made first, and what its `fit` returned."""
        self.copied  # noqa: B018 - before it is trained on
        task = self.make(0)
        return task, self.fit(task)

    @property
    def trained(self) -> Task:
        """The task that was trained first."""
        return self.made_and_trained[1]


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
    yield unknown_setting_is_refused
    yield streams_say_the_same_bits


def check_task(
    make: Callable[..., Task],
    *,
    fit: Callable[[Task], Task],
    data: Any,
    rows: Sequence[Any] = (),
    offline: Callable[[Task, Sequence[Any]], Any] | None = None,
) -> None:
    """Run all checks, on a case of these arguments.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    case = Case(make, fit, data, rows, offline)
    for check in checks():
        check(case)


def untrained_says_so(case: Case) -> None:
    """A task that was not trained raises NotFittedError from every verb that needs training."""
    task = case.make(0)
    with tempfile.TemporaryDirectory() as place:
        calls: list[Callable[[], Any]] = [
            lambda: task.predict(case.data),
            lambda: task.evaluate(case.data),
            *([] if type(task).open_stream is Task.open_stream else [task.open_stream]),
            lambda: task.save(Path(place) / "model"),
        ]
        for call in calls:
            _must_raise(NotFittedError, call)
        assert not list(Path(place).iterdir()), "an untrained task left files behind when it refused to be saved"


def fit_returns_itself(case: Case) -> None:
    """`fit` returns the task, so that calls can be chained."""
    task, returned = case.made_and_trained
    assert returned is task, "`fit` must return the task itself"


def same_seed_same_bytes(case: Case) -> None:
    """The same seed and data give the same weights to the bit."""
    first, second = case.trained.files(), case.fit(case.make(0)).files()
    assert first["weights.safetensors"] == second["weights.safetensors"], "the same seed gave other weights"


def other_seed_other_bytes(case: Case) -> None:
    """Another seed gives other weights."""
    first, second = case.trained.files(), case.fit(case.make(1)).files()
    assert first["weights.safetensors"] != second["weights.safetensors"], "another seed gave the same weights"


def data_is_left_alone(case: Case) -> None:
    """Neither training nor prediction changes the caller's data."""
    task = case.trained
    task.predict(case.data)
    task.evaluate(case.data)
    assert _same(case.copied, case.data), "the caller's data was changed"


def report_is_whole(case: Case) -> None:
    """A report holds finite figures, a baseline with the very same ones, and a sentence that names the better."""
    report = case.trained.evaluate(case.data)
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
    task = case.trained
    with _saved(task) as folder:
        again = load(folder)
    assert type(again) is type(task), "another kind of task came back"
    assert _same(task.predict(case.data), again.predict(case.data)), "the loaded model predicts something else"
    assert task.files()["weights.safetensors"] == again.files()["weights.safetensors"], "the weights changed"


def damaged_is_refused(case: Case) -> None:
    """A folder with a file cut short is refused."""
    with _saved(case.trained) as folder:
        weights = folder / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        _must_raise(BundleError, lambda: load(folder))


def unknown_setting_is_refused(case: Case) -> None:
    """A setting that does not exist is refused, by a message that names it."""
    error = _must_raise(ConfigError, lambda: case.make(0, no_such_setting=1))
    assert "no_such_setting" in str(error), "the message does not name the setting"


def streams_say_the_same_bits(case: Case) -> None:
    """What a stream says does not hang on how rows are pushed; a task that has none says so."""
    task, rows = case.trained, case.rows
    if type(task).open_stream is Task.open_stream:
        error = _must_raise(ConfigError, task.open_stream)
        assert "stream" in str(error), "the message does not say that there is no stream"
        return
    assert rows, "a task that has streams needs `rows` in its case"
    assert case.offline is not None, "a task that has streams needs `offline` in its case"
    half, stream = len(rows) // 2, task.open_stream()
    answers = [stream.push(row) for row in rows[:half]]
    snapshot, chunked, restored = stream.snapshot(), task.open_stream(), task.open_stream()
    answers += [stream.push(row) for row in rows[half:]]
    in_chunks = [chunked.push(rows[:half]), chunked.push(rows[half:])]
    assert _flat(in_chunks) == _flat(answers), "rows pushed as a chunk are answered by something else"
    restored.restore(snapshot)
    rest = [restored.push(row) for row in rows[half:]]
    assert _flat(rest) == _flat(answers[half:]), "a stream that was restored says something else"
    for count in (1, half + 1, len(rows)):
        told = case.offline(task, rows[:count])
        assert _flat([told]) == _flat([answers[count - 1]]), f"offline, something else is said after {count} rows"
    stream.finish()
    _must_raise(StreamError, lambda: stream.push(rows[0]))
    stream.reset()
    assert _flat([stream.push(rows[0])]) == _flat(answers[:1]), "a stream that was reset says something else"


@contextmanager
def _saved(task: Task) -> Iterator[Path]:
    """The folder of the saved task, which is gone after the block."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        task.save(folder)
        yield folder


def _flat(answers: Sequence[Any]) -> list[Any]:
    """Answers to rows or to chunks, one behind the other: mappings, of which a frame holds one a row."""
    found: list[Any] = []
    for answer in answers:
        if isinstance(answer, list):
            found += _flat(answer)
            continue
        try:
            found += nw.from_native(answer, eager_only=True).rows(named=True)
        except TypeError:
            found.append(answer)
    return found


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

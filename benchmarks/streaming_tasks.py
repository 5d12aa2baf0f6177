"""What a push into the stream of a task costs, beside `predict` and beside the network alone.

    python benchmarks/streaming_tasks.py [--threads 1] [--write docs/benchmarks.md]

A forecaster of an hourly series with the defaults (a context of two weeks, a horizon of a day, 128 units), and series
classifiers of six channels with the defaults but one network (64 units), that read one way and both ways, in windows of
100 steps. They are trained for a few steps only: what an answer costs does not hang on how good it is. Rows are
mappings from names to numbers, as they come out of JSON.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import torch
from document import machine, measure_sections

import sluicegate
from sluicegate.data import Recordings

PUSHES, PREDICTIONS = 400, 30
CHANNELS = [f"channel {k}" for k in range(6)]


def microseconds(call: Callable[[Any], object], items: Iterable[Any]) -> float:
    """The median time of a call."""
    taken = []
    for item in items:
        begin = time.perf_counter()
        call(item)
        taken.append(time.perf_counter() - begin)
    return 1e6 * float(np.median(taken))


def hourly(count: int) -> list[dict[str, Any]]:
    """Rows of a series with a day and noise."""
    noise = np.random.default_rng(0).normal(size=count).tolist()
    start = datetime(2024, 1, 1)
    return [
        {"time": start + timedelta(hours=hour), "load": 100 + 20 * float(np.sin(hour * np.pi / 12)) + noise[hour]}
        for hour in range(count)
    ]


def forecasting() -> tuple[str, float, float, float]:
    """A push, `predict` of the rows that a forecast looks back on, and the network alone."""
    rows = hourly(2000)
    task = sluicegate.Forecaster(24, steps=20).fit(
        pl.DataFrame(rows[:1400]), time="time", target="load", progress=False
    )
    trained, stream = task.trained, task.open_stream(warm=True)
    prepared = trained.prepare(trained.tail, np.array([0]))
    batch, _ = prepared.batch(np.array([0]), np.array([trained.tail.rows - 24]), np.array([0]))

    @torch.inference_mode()
    def network(_: int) -> None:
        trained.model(*batch)

    pushed = microseconds(stream.push, rows[1400 : 1400 + PUSHES])
    table = pl.DataFrame(rows[1400 - trained.shape.context : 1400])
    return (
        "forecaster",
        pushed,
        microseconds(lambda _: task.predict(table), range(PREDICTIONS)),
        microseconds(network, range(PUSHES)),
    )


def classifying(causal: bool) -> tuple[str, float, float, float]:
    """A push, `predict` of the running window, and the networks alone over it."""
    rng = np.random.default_rng(0)
    recordings = [rng.normal(size=(150, len(CHANNELS))) for _ in range(24)]
    task = sluicegate.SeriesClassifier(causal=causal, folds=1, window=100, steps=10)
    trained = task.fit(recordings, ["one", "other"] * 12, progress=False).trained
    stream, window = task.open_stream(), recordings[0][:100]
    rows = [dict(zip(CHANNELS, step, strict=True)) for recording in recordings for step in recording.tolist()]
    windowed = trained.windowed(Recordings.of_arrays([window]))
    batch = windowed.batch(np.array([0]))

    @torch.inference_mode()
    def network(_: int) -> None:
        trained.model(batch)

    name = "series classifier, `causal=True`" if causal else "series classifier"
    pushed = microseconds(stream.push, rows[:PUSHES])
    return (
        name,
        pushed,
        microseconds(lambda _: task.predict([window]), range(PREDICTIONS)),
        microseconds(network, range(PUSHES)),
    )


def table(options: Namespace) -> Iterator[str]:
    """A row for each stream."""
    torch.set_num_threads(options.threads)
    yield "| stream of a | a push, ms | `predict` of what it looks back on, ms | the network over that alone, ms |"
    yield "| --- | ---: | ---: | ---: |"
    for name, *times in (forecasting(), classifying(causal=False), classifying(causal=True)):
        yield f"| {name} | " + " | ".join(f"{taken / 1000:.2f}" for taken in times) + " |"
    yield ""
    yield f"Medians of {PUSHES} pushes. Measured by `python benchmarks/streaming_tasks.py` on {machine()}."


if __name__ == "__main__":
    measure_sections({"streaming:tasks": table}, __doc__, threads=1)

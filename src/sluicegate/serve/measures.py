"""What `/metrics` tells: counts and histograms, of which many values are noted in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy import ndarray
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from sluicegate.data.columns import LARGEST

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


class Histogram:
    """How many values lay up to each bound.

    Args:
        bounds: ascending; what lies above the last is counted too.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = np.array(bounds)
        self._counts = np.zeros(len(bounds) + 1, np.int64)
        self._sum = 0.0

    def note(self, values: Sequence[float], weights: Sequence[int] | None = None) -> None:
        """Count values, each as often as its weight says."""
        found = np.array(values)
        often = np.ones(len(found)) if weights is None else np.array(weights, np.float64)
        self._sum += float(found @ often)
        counts = np.bincount(np.searchsorted(self._bounds, found), often, len(self._counts))
        self._counts += counts.astype(np.int64)

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """The counts up to each bound, and the sum of all values."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        return list(zip(names, np.cumsum(self._counts).astype(float).tolist(), strict=True)), self._sum


class Measures:
    """What is counted of one model."""

    def __init__(self) -> None:
        self.step, self.queue, self.end_to_end = (Histogram(SECONDS) for _ in range(3))
        self.batch = Histogram(ROWS)
        self.rows = self.refused = self.duplicates = self.gaps = self.dropped = 0
        self.opened = self.closed = self.resumed = self.evicted = self.restored = self.forgotten = 0


_HISTOGRAMS = {
    "step": ("step_seconds", "Seconds of a step, of all rows in it"),
    "queue": ("queue_seconds", "Seconds that a row waited for its step"),
    "end_to_end": ("end_to_end_seconds", "Seconds from a row's coming to its answer's going out"),
    "batch": ("batch_rows", "Rows of a step"),
}
_COUNTERS = {
    "rows": "Rows that were answered",
    "refused": "Rows that were answered by an error",
    "duplicates": "Rows that had come before, and were dropped",
    "gaps": "Rows that came before their turn, and were not taken",
    "dropped": "Rows and messages that were left out since a box was full",
    "opened": "Streams that were opened",
    "closed": "Streams that were closed",
    "resumed": "Streams that were resumed by a token",
    "evicted": "Streams that gave up their slot, by a snapshot",
    "restored": "Streams that took a slot again",
    "forgotten": "Streams that were forgotten, with no client for too long or no room",
}


class Collector:
    """Gives all measures to prometheus-client.

    Args:
        models: gives the measures of each model by its name, with gauges: name, and value or value by label.
        connections: gives how many connections there are.
    """

    def __init__(
        self, models: Callable[[], dict[str, tuple[Measures, dict[str, Any]]]], connections: Callable[[], int]
    ) -> None:
        self._models, self._connections = models, connections

    def collect(self) -> Iterator[Any]:
        """Every metric, as prometheus-client asks for them."""
        models = self._models()
        for name, (called, about) in _HISTOGRAMS.items():
            family = HistogramMetricFamily(f"sluicegate_{called}", about, labels=["model"])
            for model, (measures, _) in models.items():
                buckets, total = getattr(measures, name).buckets()
                family.add_metric([model], buckets, total)
            yield family
        for name, about in _COUNTERS.items():
            counter = CounterMetricFamily(f"sluicegate_{name}", about, labels=["model"])
            for model, (measures, _) in models.items():
                counter.add_metric([model], getattr(measures, name))
            yield counter
        for name, about in {"streams": "Streams that are open", "slots": "Streams whose state is in a slot"}.items():
            gauge = GaugeMetricFamily(f"sluicegate_{name}", about, labels=["model"])
            for model, (_, gauges) in models.items():
                gauge.add_metric([model], gauges[name])
            yield gauge
        drift = GaugeMetricFamily(
            "sluicegate_input_drift", "How far the mean of the last rows is from training's, in deviations of training",
            labels=["model", "column"],
        )  # fmt: skip
        for model, (_, gauges) in models.items():
            for column, value in gauges["drift"].items():
                drift.add_metric([model, column], value)
        yield drift
        yield GaugeMetricFamily("sluicegate_connections", "Connections with streams", self._connections())


class Drift:
    """How far the rows of late are from those of training.

    Args:
        columns: what the rows have numbers of.
        mean: of each in training.
        deviation: of each in training; where it is 0, nothing is told.
    """

    REMEMBERED = 10_000
    """Rows after which one counts a third of what it did."""

    def __init__(self, columns: Sequence[str], mean: ndarray, deviation: ndarray) -> None:
        self._columns, self._mean, self._deviation = tuple(columns), mean, deviation
        self._late, self._rows = np.zeros(len(mean)), 0.0

    def note(self, values: ndarray) -> None:
        """Count rows, `[rows columns]`."""
        kept = np.exp(-len(values) / self.REMEMBERED)
        total = self._rows * kept + len(values)
        self._late = (self._late * self._rows * kept + values.sum(0)) / total
        self._rows = total

    def note_rows(self, rows: Sequence[Any]) -> None:
        """Count rows that came as JSON; those that lack a number are left out."""
        numbers = [found for row in rows if (found := self._numbers(row)) is not None]
        if numbers:
            self.note(np.array(numbers))

    def _numbers(self, row: Any) -> list[float] | None:
        if not isinstance(row, dict):
            return None
        found = [row.get(name) for name in self._columns]
        plain = all(isinstance(value, int | float) and abs(value) < LARGEST for value in found)
        return [float(value) for value in found if value is not None] if plain else None

    def shown(self) -> dict[str, float]:
        """The difference of the means in deviations of training, by column."""
        if not self._rows:
            return {}
        known = self._deviation > 0
        far = np.abs(self._late - self._mean) / np.where(known, self._deviation, 1.0)
        return {name: float(value) for name, value, is_known in zip(self._columns, far, known, strict=True) if is_known}

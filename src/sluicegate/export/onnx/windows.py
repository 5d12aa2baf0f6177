"""The rows that a forecaster looks back on: kept, filled up, and put on a scale; see `runtime.forecast.scales`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sluicegate.export.forecast import Forecast
from sluicegate.runtime.forecast.scales import FAR, OFF, STILL

from .graph import Graph

_DOUBLE, _INT64, _FLOAT = 11, 7, 1


class Window(NamedTuple):
    """The rows looked back on, by the names of arrays."""

    rows: str
    """Floats `[batch context columns]`; before the first row the first season comes over again."""
    known: str
    """How many there were, whole numbers `[batch 1]`, no more than the context."""
    total: str
    """How many were read in all, likewise."""
    season: int

    @classmethod
    def read(cls, graph: Graph, x: str, context: int, columns: int, season: int) -> Window:
        """Put a chunk behind what was kept."""
        before = graph.takes("rows_in", ("batch", context, columns))
        counted = graph.takes("count_in", ("batch", 1))
        steps = graph.add("Cast", graph.add("Shape", x, start=1, end=2), to=_FLOAT)
        total = graph.add("Add", counted, steps)
        both = graph.add("Concat", before, x, axis=1)
        end, first = graph.constant([2**31 - 1], np.int64), graph.constant([-context], np.int64)
        kept = graph.add("Slice", both, first, end, graph.constant([1], np.int64))
        graph.gives(kept, "rows_out", ("batch", context, columns))
        graph.gives(total, "count_out", ("batch", 1))
        total = graph.add("Cast", total, to=_INT64)
        count = graph.add("Min", total, graph.constant([[context]], np.int64))
        lacking = graph.add("Sub", graph.constant([[context]], np.int64), count)
        places = repeated(graph, context, lacking, count, season)
        wide = graph.constant([1, 1, columns], np.int64)
        each = graph.add("Expand", graph.add("Unsqueeze", places, graph.constant([2], np.int64)), wide)
        return cls(graph.add("GatherElements", kept, each, axis=1), count, total, season)


class Scaled(NamedTuple):
    """A target's rows on the scale by which it is told, by the names of arrays; doubles `[batch 1]` but for these."""

    context: str
    """Floats `[batch context]`."""
    padded: str
    """Rows at the beginning that no row stands for, whole numbers."""
    level: str
    unit: str
    deviation: str
    knee: str
    lost: str
    """Whether it is the scale of its own rows, truth values."""
    below: str
    """Whether a row is negative, likewise."""


def repeated(graph: Graph, context: int, lacking: str, known: str, season: int) -> str:
    """The places of the rows that stand for those of the context, of which the first ones are lacking."""
    place = graph.add("Sub", graph.constant(np.arange(context)[None], np.int64), lacking)
    zero, whole = graph.constant(0, np.int64), graph.constant(season, np.int64)
    held = graph.add("Where", graph.add("GreaterOrEqual", known, whole), graph.add("Mod", place, whole), zero)
    found = graph.add("Where", graph.add("Less", place, zero), held, place)
    there: str = graph.add("Add", found, lacking)
    return there


def scaled_by_own_rows(graph: Graph, forecast: Forecast, window: Window, target: int) -> Scaled:
    """A target's rows on the scale of training, or where that is worthless on their own."""
    context, series = forecast.trained.shape.context, forecast.series
    level, deviation, knee = (float(part[target]) for part in (series.mean, series.deviation, series.knee))
    one = graph.constant([2], np.int64)
    values = graph.add("Squeeze", picked(graph, window.rows, 2, target, target + 1), one)
    exact = graph.add("Cast", values, to=_DOUBLE)
    told = graph.add("Sub", _transformed(graph, exact, knee), graph.constant(level, np.float64))
    told = graph.add("Cast", graph.add("Div", told, graph.constant(deviation or 1.0, np.float64)), to=_FLOAT)
    lost = _lost(graph, told, deviation)
    first, own, spread, mean = _own(graph, exact, context, window.season)
    lacking = graph.add("Sub", graph.constant([[context]], np.int64), window.known)
    told_by = {"level": level, "unit": deviation or 1.0, "deviation": deviation, "knee": knee, "none": 0.0}
    number = {name: graph.constant([[value]], np.float64) for name, value in told_by.items()}
    return Scaled(
        context=graph.add("Where", lost, own, told),
        padded=graph.add("Where", lost, first, lacking),
        level=graph.add("Where", lost, mean, number["level"]),
        unit=graph.add("Where", lost, spread, number["unit"]),
        deviation=graph.add("Where", lost, spread, number["deviation"]),
        knee=graph.add("Where", lost, number["none"], number["knee"]),
        lost=lost,
        below=graph.add("Less", graph.add("ReduceMin", values, axes=[1]), graph.constant(0.0)),
    )


def picked(graph: Graph, x: str, axis: int, begin: int, end: int) -> str:
    """A part of an axis."""
    found: str = graph.add("Slice", x, *(graph.constant([number], np.int64) for number in (begin, end, axis)))
    return found


def _transformed(graph: Graph, x: str, knee: float) -> str:
    """The inverse hyperbolic sine of what a knee is contained in so many times; all as it is without one."""
    if knee <= 0:
        return x
    x = graph.add("Div", x, graph.constant(knee, np.float64))
    size, one = graph.add("Abs", x), graph.constant(1.0, np.float64)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", size, size), one))
    found: str = graph.add("Mul", graph.add("Sign", x), graph.add("Log", graph.add("Add", size, root)))
    return found


def _lost(graph: Graph, told: str, deviation: float) -> str:
    """Whether the scale of training says nothing about a context, truth values `[batch 1]`."""
    changes = graph.add("Greater", graph.add("ReduceMax", told, axes=[1]), graph.add("ReduceMin", told, axes=[1]))
    if deviation == 0:
        return str(changes)
    exact = graph.add("Cast", told, to=_DOUBLE)
    mean = graph.add("ReduceMean", exact, axes=[1])
    off = graph.add("Sub", exact, mean)
    spread = graph.add("Sqrt", graph.add("ReduceMean", graph.add("Mul", off, off), axes=[1]))
    size = graph.add("Abs", mean)
    far, still, away = (graph.constant(number, np.float64) for number in (FAR, STILL, OFF))
    beyond = graph.add("Or", graph.add("Greater", spread, far), graph.add("Greater", size, far))
    stands = graph.add("And", graph.add("Less", spread, still), graph.add("Greater", size, away))
    found: str = graph.add("And", changes, graph.add("Or", beyond, stands))
    return found


def _own(graph: Graph, exact: str, context: int, season: int) -> tuple[str, str, str, str]:
    """By its own rows: where it first changes, the context, the deviation and the mean; of one that does."""
    begin = picked(graph, exact, 1, 0, 1)
    other = graph.add("Not", graph.add("Equal", exact, begin))
    first = graph.add("ArgMax", graph.add("Cast", other, to=_FLOAT), axis=1)  # [batch 1]
    places = graph.constant(np.arange(context)[None], np.int64)
    counted = graph.add("GreaterOrEqual", places, graph.add("Sub", first, graph.constant(1, np.int64)))
    share = graph.add("Cast", counted, to=_DOUBLE)
    rows = graph.add("ReduceSum", share, graph.constant([1], np.int64))
    along = graph.constant([1], np.int64)
    mean = graph.add("Div", graph.add("ReduceSum", graph.add("Mul", exact, share), along), rows)
    off = graph.add("Mul", graph.add("Sub", exact, mean), share)
    spread = graph.add("Sqrt", graph.add("Div", graph.add("ReduceSum", graph.add("Mul", off, off), along), rows))
    left = graph.add("Sub", graph.constant(context, np.int64), first)
    stood = graph.add("GatherElements", exact, repeated(graph, context, first, left, season), axis=1)
    own = graph.add("Cast", graph.add("Div", graph.add("Sub", stood, mean), spread), to=_FLOAT)
    return first, own, spread, mean

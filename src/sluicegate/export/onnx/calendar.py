"""What of the calendar a forecaster sees, in doubles; see `sluicegate.runtime.forecast.calendar`."""

from __future__ import annotations

import numpy as np

from sluicegate.export.forecast import Forecast

from .graph import Graph

_DOUBLE, _INT64, _FLOAT = 11, 7, 1
MONDAY = 345_600_000_000
"""Microseconds from 1970 to its first Monday."""

_MONTHS, _CYCLE = 1970 * 12, 4800
"""Months from the year 0 to 1970; and those after which the calendar is the same, to the day of the week."""


def calendar(graph: Graph, forecast: Forecast, total: str) -> str:
    """The calendar at the first row of each segment, floats `[batch segments features]`.

    Args:
        graph: that it is added to. Its state `later` says how many rows later than the one after training the first
            was.
        forecast: the series.
        total: how many rows were read, whole numbers `[batch 1]`.
    """
    trained, shape = forecast.trained, forecast.trained.shape
    step = trained.clock.step
    later = graph.takes("later_in", ("batch", 1))
    graph.gives(later, "later_out", ("batch", 1))
    rows = graph.add("Add", total, graph.add("Cast", later, to=_INT64))
    next_ = graph.add(
        "Add", graph.add("Mul", rows, graph.constant(step, np.int64)), graph.constant(forecast.next, np.int64)
    )
    firsts = np.arange(-shape.before, shape.after)[None] * shape.segment * step
    ticks = graph.add("Add", next_, graph.constant(firsts, np.int64))
    if trained.clock.kind == "month":
        ticks = _moments(graph, ticks)
    since = graph.add("Sub", ticks, graph.constant(MONDAY, np.int64))
    waves = []
    for period, count in trained.periods:
        rest = graph.add("Cast", graph.add("Mod", since, graph.constant(period, np.int64)), to=_DOUBLE)
        angle = graph.add("Mul", rest, graph.constant(2 * np.pi / period, np.float64))
        for harmonic in range(1, count + 1):
            turned = graph.add("Mul", angle, graph.constant(float(harmonic), np.float64))
            quarter = graph.add("Add", turned, graph.constant(np.pi / 2, np.float64))
            waves += [graph.add("Sin", turned), graph.add("Sin", quarter)]
    last = graph.constant([2], np.int64)
    together = graph.add("Concat", *(graph.add("Unsqueeze", wave, last) for wave in waves), axis=2)
    found: str = graph.add("Cast", together, to=_FLOAT)
    return found


def _moments(graph: Graph, months: str) -> str:
    """The first of months, by a table of 400 years: after them a moment has the same place in the week and the year."""
    first = np.datetime64("1970-01", "M") + np.arange(_CYCLE)
    table = first.astype("datetime64[us]").astype(np.int64)
    since = graph.add("Sub", months, graph.constant(_MONTHS, np.int64))
    place = graph.add("Mod", since, graph.constant(_CYCLE, np.int64))
    found: str = graph.add("Gather", graph.constant(table, np.int64), place)
    return found

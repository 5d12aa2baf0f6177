"""From a forecaster's standardised outputs to the mean and the quantiles; see `runtime.forecast.trained`."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from sluicegate.export.forecast import Forecast
from sluicegate.runtime.forecast.trained import DEVIATIONS

from .graph import Graph
from .windows import Scaled, picked

_DOUBLE, _FLOAT = 11, 1


def answers(graph: Graph, forecast: Forecast, target: int, scaled: Scaled, outputs: str) -> str:
    """The forecast of a target, floats `[batch 1 horizon parts]`.

    Args:
        graph: that it is added to.
        forecast: the series.
        target: by number.
        scaled: its rows.
        outputs: of the network, floats `[batch horizon parts]`.
    """
    trained, series, shape = forecast.trained, forecast.series, forecast.trained.shape
    number = _Doubles(graph)
    last = graph.constant([2], np.int64)
    out = _drawn(graph, forecast, target, scaled, graph.add("Cast", outputs, to=_DOUBLE))
    mean, spread = (picked(graph, out, 2, *part) for part in ((0, 1), (1, shape.outputs)))
    spread = _calibrated(graph, forecast, scaled, spread)
    low, high = (picked(graph, spread, 2, place, place + 1) for place in map(trained.quantiles.index, (0.1, 0.9)))
    deviation = number("Div", number("Sub", high, low), DEVIATIONS)
    level, unit, knee = (graph.add("Unsqueeze", part, last) for part in (scaled.level, scaled.unit, scaled.knee))
    both = [_unscaled(graph, part, level, unit, knee, series.knee[target]) for part in (mean, spread)]
    if series.knee[target] > 0:
        above = number("Mul", deviation, unit)
        variance = number("Min", number("Mul", above, above), 1.0)
        factor = graph.add("Exp", number("Div", variance, 2.0))
        there = graph.add("Greater", knee, graph.constant(0.0, np.float64))
        both[0] = graph.add("Where", there, number("Mul", both[0], factor), both[0])
    both[0] = number("Mul", both[0], float(series.gain[target]))
    if series.grain[target] > 0:
        both[1] = graph.add("Ceil", number("Sub", both[1], 1e-4))
    found = graph.add("Concat", *both, axis=2)
    least = float(np.nan_to_num(series.least[target], neginf=-1e300))
    below = graph.add("Unsqueeze", scaled.below, last)
    lowest = graph.add("Where", below, graph.constant(-1e300, np.float64), graph.constant(least, np.float64))
    held = graph.add("Cast", number("Max", found, lowest), to=_FLOAT)
    answer: str = graph.add("Unsqueeze", held, graph.constant([1], np.int64))
    return answer


class _Doubles:
    """Adds operators of which an operand may be a number."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def __call__(self, operator: str, *given: str | float) -> str:
        names = [one if isinstance(one, str) else self._graph.constant(one, np.float64) for one in given]
        found: str = self._graph.add(operator, *names)
        return found


def _drawn(graph: Graph, forecast: Forecast, target: int, scaled: Scaled, out: str) -> str:
    """The outputs drawn to the last season, and held to the last value where the series never changed."""
    trained, shape, number = forecast.trained, forecast.trained.shape, _Doubles(graph)
    period = trained.season if trained.season <= shape.context else 1
    places = shape.context - period + np.arange(shape.horizon) % period
    exact = graph.add("Cast", scaled.context, to=_DOUBLE)
    last = graph.constant([2], np.int64)
    repeated = graph.add("Unsqueeze", graph.add("Gather", exact, graph.constant(places, np.int64), axis=1), last)
    parts = ((0, 1), (1, shape.outputs), (shape.median, shape.median + 1))
    mean, spread, median = (picked(graph, out, 2, *part) for part in parts)
    shares = [float(share) for share in forecast.series.naive_share[target]]
    mean = number("Add", mean, number("Mul", number("Sub", repeated, mean), shares[0]))
    spread = number("Add", spread, number("Mul", number("Sub", repeated, median), shares[1]))
    found = graph.add("Concat", mean, spread, axis=2)
    changes = graph.add("Unsqueeze", graph.add("Greater", scaled.deviation, graph.constant(0.0, np.float64)), last)
    stood = graph.add("Unsqueeze", picked(graph, exact, 1, shape.context - 1, shape.context), last)
    drawn: str = graph.add("Where", changes, found, stood)
    return drawn


def _calibrated(graph: Graph, forecast: Forecast, scaled: Scaled, spread: str) -> str:
    """The quantiles widened about the median, in their order, and wide where the scale is that of its own rows."""
    trained, number = forecast.trained, _Doubles(graph)
    place, count = trained.quantiles.index(0.5), len(trained.quantiles)
    middle = picked(graph, spread, 2, place, place + 1)
    off = graph.add("Mul", graph.add("Sub", spread, middle), graph.constant(trained.widths[None], np.float64))
    ordered, _ = graph.add(
        "TopK", number("Add", middle, off), graph.constant([count], np.int64), outputs=2, axis=2, largest=0, sorted=1
    )
    scores = np.array([NormalDist().inv_cdf(q) for q in trained.quantiles])
    wide = graph.add("Add", picked(graph, ordered, 2, place, place + 1), graph.constant(scores[None, None], np.float64))
    either = graph.add("Min", ordered, wide), graph.add("Max", ordered, wide)
    lower = graph.add("Where", graph.constant(scores < 0, np.bool_), *either)
    lost = graph.add("Unsqueeze", scaled.lost, graph.constant([2], np.int64))
    found: str = graph.add("Where", lost, lower, ordered)
    return found


def _unscaled(graph: Graph, x: str, level: str, unit: str, knee: str, transformed: float) -> str:
    """From the standardised scale to the target's unit."""
    number = _Doubles(graph)
    straight = number("Add", number("Mul", x, unit), level)
    if transformed <= 0:
        return straight
    highest = number("Add", level, number("Mul", unit, 10.0))
    raised = graph.add("Exp", graph.add("Min", straight, highest))
    sine = number("Mul", number("Sub", raised, number("Div", 1.0, raised)), 0.5)
    there = graph.add("Greater", knee, graph.constant(0.0, np.float64))
    found: str = graph.add("Where", there, graph.add("Mul", knee, sine), straight)
    return found

"""The sentence that says which method to use."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sluicegate.tasks.report.figures import figure, words

from .contest import Standing

NOISE = 0.05
"""The p from which a difference counts as noise."""

_SAID = {
    "mae": "mean absolute error",
    "mase": "mean absolute scaled error",
    "wql": "weighted quantile loss",
    "rmse": "root mean squared error",
}
_WITHOUT_ARTICLE = ("seasonal_naive", "croston_sba", "tsb", "Auto")


def called(name: str) -> str:
    """A method as a sentence calls it.

    >>> called("last_value"), called("seasonal_naive_168"), called("model")
    ('the last value', 'seasonal naive 168', 'the model')
    """
    return words(name) if name.startswith(_WITHOUT_ARTICLE) else f"the {words(name)}"


def best_simple(metrics: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """The simple method with the smallest figure; the first of those that have it."""
    return min(
        (name for name in metrics if name != "model"),
        key=lambda name: metrics[name][metric] if math.isfinite(metrics[name][metric]) else math.inf,
    )


def verdict(
    metrics: Mapping[str, Mapping[str, float]], metric: str, windows: int, standing: Standing, series: int
) -> str:
    """Which of the model and the best simple method to use: the simpler one where noise could be the difference.

    One metric decides, over so many windows and so many series, target by target; `standing` is the model's beside the
    best simple method.
    """
    name = best_simple(metrics, metric)
    model, best = metrics["model"][metric], metrics[name][metric]
    if not math.isfinite(model):
        return "Nothing could be scored: all values of the windows had been filled in."
    simple, measure, same = called(name), _SAID[metric], f"on the same {windows:,} windows"
    if model == best:
        return f"Use {simple}, the simpler: the model's {measure}, {figure(model)}, is the same, {same}."
    below = 100 * (1 - min(model, best) / max(model, best))
    part = f"{below:.0f} %" if below >= 9.95 else f"{below:.2g} %"
    often = f"the model is better on {100 * standing.windows:.0f} % of them"
    if series > 1:
        often += f" and in {standing.series:,} of {standing.of:,} series"
    beyond = standing.p < NOISE
    if model < best and beyond:
        return (
            f"Use the model: its {measure}, {figure(model)}, is {part} below that of {simple}, the best simple method, "
            f"{figure(best)}, {same}, by more than noise ({_p(standing.p)}); {often}."
        )
    ahead = (
        f"the model's {measure}, {figure(model)}, is {part} below its {figure(best)}"
        if model < best
        else f"its {measure}, {figure(best)}, is {part} below the model's, {figure(model)}"
    )
    if beyond:
        return f"Use {simple}: {ahead}, {same}, by more than noise ({_p(standing.p)}); {often}."
    noise = (
        f"within noise ({_p(standing.p)})"
        if math.isfinite(standing.p)
        else "but too few windows lie apart to tell noise"
    )
    return f"Use {simple}, the simpler: {ahead}, {same}, {noise}; {often}."


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"

"""Which of a writer and the best simple method to use, and whether noise could be the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sluicegate.data.counted import counted
from sluicegate.tasks.report.figures import figure, words

NOISE = 0.05
"""The p from which a difference counts as noise."""

Compared = Callable[[Sequence[str], Sequence[str]], float]
"""The p of no difference between two methods, from their texts."""


def verdict(
    metric: str, metrics: Mapping[str, Mapping[str, float]], written: Mapping[str, Sequence[str]], compared: Compared
) -> str:
    """A sentence: the simpler method where the texts show no difference.

    Args:
        metric: the one that decides; higher is better.
        metrics: of the model and of each simple method.
        written: the texts of each.
        compared: tests the difference of two methods' texts.
    """
    model = written["model"]
    same = f"the same {counted(len(model), 'text')}"
    return preferred(metric, metrics, lambda name: compared(model, written[name]), same)


def preferred(
    metric: str,
    metrics: Mapping[str, Mapping[str, float]],
    p_value: Callable[[str], float],
    same: str,
    *,
    lower: bool = False,
) -> str:
    """The same of any figures.

    Args:
        metric: the one that decides.
        metrics: of the model and of each simple method.
        p_value: of no difference between the model and the simple method of a name.
        same: on what both were measured.
        lower: whether lower figures are better.
    """
    model, sign = metrics["model"][metric], -1 if lower else 1
    name, best = max(
        ((name, row[metric]) for name, row in metrics.items() if name != "model"), key=lambda pair: sign * pair[1]
    )
    plain, measure, p = words(name), words(metric), p_value(name)
    significance = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    beyond = "below" if lower else "above"
    if p >= NOISE:
        return (
            f"Use {plain}, the simpler: its {measure}, {figure(best)}, and the model's, {figure(model)}, are within "
            f"noise of each other on {same} ({significance})."
        )
    if sign * model > sign * best:
        return (
            f"Use the model: its {measure}, {figure(model)}, is {beyond} that of {plain}, the best simple method, "
            f"{figure(best)}, on {same}, by more than noise ({significance})."
        )
    return (
        f"Use {plain}: its {measure}, {figure(best)}, is {beyond} the model's, {figure(model)}, on {same}, by more "
        f"than noise ({significance})."
    )

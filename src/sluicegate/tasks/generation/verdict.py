"""Which of a writer and the best simple method to use, and whether noise could be the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    model = metrics["model"][metric]
    name, best = max(
        ((name, row[metric]) for name, row in metrics.items() if name != "model"), key=lambda pair: pair[1]
    )
    plain, measure, count = words(name), words(metric), len(written["model"])
    p = compared(written["model"], written[name])
    significance = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    same = f"on the same {count:,} texts"
    if p >= NOISE:
        return (
            f"Use {plain}, the simpler: its {measure}, {figure(best)}, and the model's, {figure(model)}, are within "
            f"noise of each other {same} ({significance})."
        )
    if model > best:
        return (
            f"Use the model: its {measure}, {figure(model)}, is above that of {plain}, the best simple method, "
            f"{figure(best)}, {same}, by more than noise ({significance})."
        )
    return (
        f"Use {plain}: its {measure}, {figure(best)}, is above the model's, {figure(model)}, {same}, by more than "
        f"noise ({significance})."
    )

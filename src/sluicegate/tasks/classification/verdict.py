"""Which of a classifier and the best simple method to use, and whether noise could be the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from sluicegate.data.counted import counted
from sluicegate.metrics import mcnemar, paired_bootstrap
from sluicegate.tasks.report.figures import figure, words

NOISE = 0.05
"""The p from which a difference counts as noise."""

_UNITS = 1000  # groups that the bootstrap draws; of more, some are drawn together

Numbers = Int64[np.ndarray, " rows"]


@dataclass(frozen=True)
class Rows:
    """What was classified.

    Args:
        truth: the number of each row's class.
        groups: the name of each row's group, where there are groups.
    """

    truth: Numbers
    groups: tuple[Any, ...] | None = None


def verdict(metric: str, metrics: Mapping[str, Mapping[str, float]], decided: Mapping[str, Numbers], rows: Rows) -> str:
    """A sentence: the simpler method where the rows show no difference.

    Args:
        metric: the one that decides, `accuracy` or `macro_f1`.
        metrics: of the model and of each simple method.
        decided: the numbers of the classes that each predicts.
        rows: what was classified.
    """
    model = metrics["model"][metric]
    name, best = max(
        ((name, row[metric]) for name, row in metrics.items() if name != "model"), key=lambda pair: pair[1]
    )
    plain, measure, count = words(name), words(metric), len(rows.truth)
    alone = [
        int(((decided[first] == rows.truth) & (decided[second] != rows.truth)).sum())
        for first, second in (("model", name), (name, "model"))
    ]
    same = f"on the same {counted(count, 'row')}"
    right = f"the model alone is right on {alone[0]:,} of them, {plain} alone on {alone[1]:,}"
    if model == best:
        return f"Use {plain}, the simpler: its {measure}, {figure(best)}, is the model's too, {same}; {right}."
    p = p_value(metric, rows, decided["model"], decided[name])
    significance = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    if p >= NOISE:
        ahead = "the model" if model > best else plain
        return (
            f"Use {plain}, the simpler: its {measure}, {figure(best)}, and the model's, {figure(model)}, are within "
            f"noise of each other {same} ({significance}), though {ahead} is ahead; {right}."
        )
    if model > best:
        return (
            f"Use the model: its {measure}, {figure(model)}, is above that of {plain}, the best simple method, "
            f"{figure(best)}, {same}, by more than noise ({significance}); {right}."
        )
    return (
        f"Use {plain}: its {measure}, {figure(best)}, is above the model's, {figure(model)}, {same}, by more than "
        f"noise ({significance}); {right}."
    )


def p_value(metric: str, rows: Rows, model: Numbers, other: Numbers) -> float:
    """Of no difference: McNemar's exact test of accuracies, else a bootstrap of whole groups or of rows.

    Args:
        metric: `accuracy` or `macro_f1`.
        rows: what was classified.
        model: the numbers of the classes that the model predicts.
        other: those that the other method predicts.
    """
    if metric == "accuracy" and rows.groups is None:
        right, others = model == rows.truth, other == rows.truth
        return mcnemar(int((right & ~others).sum()), int((others & ~right).sum()))
    kinds, kind = np.unique(np.stack([rows.truth, model, other]), axis=1, return_inverse=True)
    unit = np.zeros(len(rows.truth), np.int64)
    if rows.groups is not None:
        # Several groups are as independent of each other as one is, and fewer need less memory.
        unit = np.unique([str(group) for group in rows.groups], return_inverse=True)[1] % _UNITS
    counts = np.zeros((int(unit.max()) + 1, kinds.shape[1]), np.int64)
    np.add.at(counts, (unit, kind.reshape(-1)), 1)
    measure = _accuracy if metric == "accuracy" else _macro_f1
    truth, *predicted = kinds
    return paired_bootstrap(
        counts, lambda drawn: measure(drawn, truth, predicted[0]) - measure(drawn, truth, predicted[1])
    )


Measure = Callable[[Float64[np.ndarray, "draws kinds"], Int64[np.ndarray, " kinds"], Int64[np.ndarray, " kinds"]], Any]


def _accuracy(
    rows: Float64[np.ndarray, "draws kinds"], truth: Int64[np.ndarray, " kinds"], predicted: Int64[np.ndarray, " kinds"]
) -> Float64[np.ndarray, " draws"]:
    right: Float64[np.ndarray, " draws"] = rows @ (truth == predicted) / rows.sum(1)
    return right


def _macro_f1(
    rows: Float64[np.ndarray, "draws kinds"], truth: Int64[np.ndarray, " kinds"], predicted: Int64[np.ndarray, " kinds"]
) -> Float64[np.ndarray, " draws"]:
    """The mean of F1 over the classes that occur in a draw or are predicted in it."""
    classes = np.unique(np.concatenate([truth, predicted]))[:, None]
    found, both = (
        rows @ ((truth == classes) & (predicted == classes)).T,
        rows @ ((truth == classes) * 1 + (predicted == classes)).T,
    )
    f1 = np.divide(2 * found, both, out=np.zeros_like(both), where=both > 0)
    mean: Float64[np.ndarray, " draws"] = f1.sum(1) / (both > 0).sum(1)
    return mean

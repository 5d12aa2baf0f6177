"""How good probabilities of classes are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

_BINS = 15  # of equal width, as in Guo et al. 2017


def classification_metrics(
    truth: Int64[np.ndarray, " rows"],
    probabilities: Float64[np.ndarray, "rows classes"],
    said: Int64[np.ndarray, " rows"] | None = None,
) -> dict[str, float]:
    """The figures of one classifier over rows.

    Args:
        truth: the number of each row's class, from 0.
        probabilities: of each class, summing to 1 in every row.
        said: the number of the predicted class; None takes the most probable one.

    Returns:
        `accuracy`; `balanced_accuracy`, the mean over the classes that occur of the share found; `macro_f1`, over
        the classes that occur or were predicted; `log_loss` in nats; `ece`, the expected calibration error of the most
        probable class over 15 bins of equal width (Guo et al. 2017); `roc_auc`, the mean over the classes that occur,
        weighted by their rows, of one against the rest, NaN where a single class occurs.
    """
    said = probabilities.argmax(1) if said is None else said
    present = np.unique(truth)
    found = [float((said[truth == k] == k).mean()) for k in present]
    floor = np.finfo(np.float64).tiny
    from sklearn import metrics  # 2 s to load, which only classifiers need

    return {
        "accuracy": float((said == truth).mean()),
        "balanced_accuracy": float(np.mean(found)),
        "macro_f1": float(metrics.f1_score(truth, said, average="macro", zero_division=0.0)),
        "log_loss": float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], floor)).mean()),
        "ece": calibration_error(truth, probabilities),
        "roc_auc": _roc_auc(truth, probabilities, present),
    }


def calibration_error(truth: Int64[np.ndarray, " rows"], probabilities: Float64[np.ndarray, "rows classes"]) -> float:
    """How far, on average, the probability of the predicted class lies from the share of times it is right."""
    return float(sum(abs(b.said - b.right) * b.rows for b in reliability(truth, probabilities))) / len(truth)


class Bin:
    """Rows whose most probable class has about the same probability."""

    def __init__(self, said: float, right: float, rows: int) -> None:
        self.said, self.right, self.rows = said, right, rows


def reliability(truth: Int64[np.ndarray, " rows"], probabilities: Float64[np.ndarray, "rows classes"]) -> list[Bin]:
    """For each bin that holds rows: the mean predicted probability, the share that was right, and the rows."""
    top, right = probabilities.max(1), probabilities.argmax(1) == truth
    place = np.minimum((top * _BINS).astype(np.int64), _BINS - 1)
    return [
        Bin(float(top[rows].mean()), float(right[rows].mean()), int(rows.sum()))
        for rows in (place == number for number in range(_BINS))
        if rows.any()
    ]


def _roc_auc(
    truth: Int64[np.ndarray, " rows"],
    probabilities: Float64[np.ndarray, "rows classes"],
    present: Int64[np.ndarray, " present"],
) -> float:
    if len(present) < 2:
        return float("nan")
    from sklearn import metrics

    counts = np.array([(truth == k).sum() for k in present])
    areas = [metrics.roc_auc_score(truth == k, probabilities[:, k]) for k in present]
    return float(np.average(areas, weights=counts))

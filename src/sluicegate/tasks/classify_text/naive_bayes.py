"""The log-count ratios of naive Bayes: what the linear path starts from, and what NB-SVM multiplies its features by."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int64

from sluicegate.runtime.texts.ragged import Ragged

Counts: TypeAlias = Float64[np.ndarray, "features ..."]


def class_counts(
    rows: Ragged, truth: Int64[np.ndarray, " rows"], features: int, classes: int
) -> Float64[np.ndarray, "features classes"]:
    """How often each feature, of which `rows` holds the numbers, occurs in the rows of each class."""
    counts, begin = np.zeros(features * classes), 0
    for part in rows.parts():
        cells = part.values.astype(np.int64) * classes + truth[begin + part.owner]
        counts += np.bincount(cells, minlength=len(counts))
        begin += len(part)
    return counts.reshape(features, classes)


def log_count_ratio(inside: Counts, outside: Counts) -> Counts:
    """How much more frequent each feature is in a class than outside, of smoothed counts (Wang & Manning 2012)."""
    ratio: Counts = np.log(inside / inside.sum(0)) - np.log(outside / outside.sum(0))
    return ratio

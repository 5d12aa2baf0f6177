"""The series classifier for scikit-learn's tools."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel
from sklearn.utils.validation import check_array, validate_data

from sluicegate.tasks.classification.estimator import Estimator

from .config import SeriesClassifierConfig


class SeriesEstimator(Estimator):
    """A `SeriesClassifier` that `GridSearchCV`, `Pipeline` and `cross_val_score` take.

    X is an array `[recordings, time]` of one channel or `[recordings, time, channels]`, or a list of `[time, channels]`
    arrays of any lengths. Steps at the end that are NaN in all channels are padding.

    Args:
        settings: the settings, those of `SeriesClassifierConfig`.

    >>> import numpy as np
    >>> slow, fast = (np.sin(np.arange(40) * speed) for speed in (0.3, 0.9))
    >>> recordings = np.stack([np.roll(wave, shift) for shift in range(16) for wave in (slow, fast)])
    >>> estimator = SeriesEstimator(steps=60, folds=2, hidden=16).fit(recordings, ["slow", "fast"] * 16)
    >>> estimator.predict([slow, fast]).tolist()
    ['slow', 'fast']
    """

    _config: ClassVar[type[BaseModel]] = SeriesClassifierConfig
    _task: ClassVar[str] = "classify-series"

    def _rows(self, X: Any, *, fitting: bool) -> list[Any]:  # noqa: N803
        if isinstance(X, list | tuple):
            return list(X)
        if isinstance(X, np.ndarray) and X.dtype.kind == "O" and X.ndim == 1:
            return list(X)  # arrays of several lengths
        options = {"ensure_all_finite": "allow-nan", "dtype": (np.float64, np.float32)}
        if getattr(X, "ndim", 2) == 3:
            return list(check_array(X, allow_nd=True, **options))
        # The number of steps may be another one than in training.
        found = validate_data(self, X, reset=fitting, **options) if fitting else check_array(X, **options)
        return [part[:, None] for part in found]

    def _trained(self, task: Any, rows: list[Any], labels: pl.Series, groups: pl.Series | None) -> Any:
        return task.fit(rows, labels, groups=groups, progress=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

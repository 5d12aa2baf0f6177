"""The action recognizer for scikit-learn's tools."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel

from sluicegate.tasks.classification.estimator import Estimator

from .config import ActionRecognizerConfig


class ActionEstimator(Estimator):
    """An `ActionRecognizer` that `GridSearchCV`, `Pipeline` and `cross_val_score` take.

    X is a list of skeletons `[time, joint, 2 or 3]`, an array `[clips, time, joint, 2 or 3]`, or a flat one `[clips,
    time * 2]` of one point in two dimensions.

    Args:
        settings: the settings, those of `ActionRecognizerConfig`.
    """

    _config: ClassVar[type[BaseModel]] = ActionRecognizerConfig
    _task: ClassVar[str] = "recognize-actions"

    def _rows(self, X: Any, *, fitting: bool) -> list[Any]:  # noqa: N803
        del fitting
        array = X if isinstance(X, list | tuple) else np.asarray(X)
        if isinstance(array, np.ndarray) and array.ndim == 2 and array.shape[1] % 2 == 0:
            array = array.reshape(len(array), -1, 1, 2)
        return list(array)

    def _trained(self, task: Any, rows: list[Any], labels: pl.Series, groups: pl.Series | None) -> Any:
        return task.fit(rows, labels, groups=groups, progress=False)

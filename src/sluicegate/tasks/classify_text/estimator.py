"""The text classifier for scikit-learn's tools."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel

from sluicegate.data.for_each import for_each
from sluicegate.errors import DataError
from sluicegate.tasks.classification.estimator import Estimator

from .config import TextClassifierConfig


class TextEstimator(Estimator):
    """A `TextClassifier` that `GridSearchCV`, `Pipeline` and `cross_val_score` take: X is a sequence of texts.

    Args:
        settings: those of `TextClassifierConfig`.

    >>> texts = [f"a {word} film no {n}" for n in range(20) for word in ("fine", "lovely", "awful", "dull")]
    >>> estimator = TextEstimator(epochs=6, folds=2).fit(texts, ["good", "good", "bad", "bad"] * 20)
    >>> estimator.predict(["what a lovely film"]).tolist()
    ['good']
    """

    _config: ClassVar[type[BaseModel]] = TextClassifierConfig
    _task: ClassVar[str] = "classify-text"

    def _rows(self, X: Any, *, fitting: bool) -> list[str]:  # noqa: N803
        del fitting
        if isinstance(X, str) or not hasattr(X, "__len__"):
            raise DataError(f"`X` must be a sequence of texts, not {type(X).__name__}: put a single text into a list")
        if len(getattr(X, "shape", (0,))) == 2 and X.shape[1] == 1:
            X = np.asarray(X)[:, 0]  # noqa: N806 - a data frame or an array of one column
        elif len(getattr(X, "shape", (0,))) > 1:
            raise DataError(f"`X` is of shape {X.shape}: expected one text after the other; give the column of texts")
        texts = for_each(X, "X", "text", len(X))
        assert texts is not None
        if texts.dtype not in (pl.String, pl.Null):
            raise DataError(f"`X` holds {texts.dtype}: expected texts; convert it")
        return texts.fill_null("").cast(pl.String).to_list()

    def _trained(self, task: Any, rows: list[str], labels: pl.Series, groups: pl.Series | None) -> Any:
        table = {"text": rows, "label": labels} | ({} if groups is None else {"group": groups})
        return task.fit(pl.DataFrame(table), groups=None if groups is None else "group", progress=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = False, True, True
        return tags

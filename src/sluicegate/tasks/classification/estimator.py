"""Classifiers as scikit-learn's tools take them: `fit(X, y)`, parameters by name, labels as the answer."""

from __future__ import annotations

from abc import abstractmethod
from inspect import Parameter, Signature
from typing import Any, ClassVar

import numpy as np
import polars as pl
from jaxtyping import Float64, Shaped
from pydantic import BaseModel
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from sluicegate.data.for_each import for_each
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.registry import task_class


class Estimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier of scikit-learn that trains and asks a task.

    After `fit` the task itself, with its report and `save`, is `task_`, and the labels in their order `classes_`.

    Args:
        settings: of the task, each with its default unless given; they are checked when it is trained.

    Raises:
        ConfigError: a setting is unknown.
    """

    __signature__: ClassVar[Signature]
    _config: ClassVar[type[BaseModel]]
    _task: ClassVar[str]

    def __init__(self, **settings: Any) -> None:
        for name in settings:
            if name not in self._config.model_fields:
                known = ", ".join(self._config.model_fields)
                raise ConfigError(f"there is no setting `{name}`: a {type(self).__name__} has {known}")
        for name, field in self._config.model_fields.items():
            setattr(self, name, settings.get(name, field.default))

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        fields = cls._config.model_fields.items()
        cls.__signature__ = Signature(  # scikit-learn reads the parameters from it
            [Parameter(name, Parameter.KEYWORD_ONLY, default=field.default) for name, field in fields]
        )

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """The settings, which are scikit-learn's parameters."""
        return sorted(cls._config.model_fields)

    def fit(self, X: Any, y: Any, groups: Any = None) -> Estimator:  # noqa: N803 - scikit-learn's name
        """Train.

        Args:
            X: what is classified, a row for each.
            y: a label for each.
            groups: what must not be torn apart when the task cuts its rows into folds: a value for each.

        Raises:
            DataError: the data cannot be used as they are.
            ConfigError: a setting is out of its range.
        """
        if y is None:
            raise DataError("requires y to be passed, but the target y is None: give a label for each row")
        rows = self._rows(X, fitting=True)
        labels = for_each(column_or_1d(y, warn=True), "y", "label", len(rows))
        assert labels is not None
        if labels.is_null().any():
            raise DataError(f"`y` has no label for row {int(labels.is_null().arg_true()[0])}: give each row one")
        given = np.array(labels.to_list())
        check_classification_targets(given)
        self.classes_ = np.unique(given)
        if len(self.classes_) < 2:
            raise DataError(f"`y` holds one class, {self.classes_[0]!r}: a classifier needs two at least; add another")
        task = task_class(self._task)(**self.get_params())
        self.task_ = self._trained(task, rows, labels, for_each(groups, "groups", "group", len(rows)))
        return self

    def predict_proba(self, X: Any) -> Float64[np.ndarray, "rows classes"]:  # noqa: N803
        """The probability of each class, in the order of `classes_`."""
        return self._asked(X)[1]

    def predict(self, X: Any) -> Shaped[np.ndarray, " rows"]:  # noqa: N803
        """The label of each row; with classes of unequal size it may be another one than the most probable."""
        labels = self._asked(X)[0]
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        return self.classes_[[places[label] for label in labels]]

    def _asked(self, X: Any) -> tuple[list[Any], Float64[np.ndarray, "rows classes"]]:  # noqa: N803
        check_is_fitted(self)
        predicted = self.task_.predict(self._rows(X, fitting=False))
        shares = [predicted[f"probability_{name}"] for name in self._names()]
        return predicted["label"].to_list(), np.stack([share.to_numpy() for share in shares], axis=1)

    def _names(self) -> list[Any]:
        """The classes as the task has them, in the order of `classes_`."""
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        return sorted(self.task_.trained.labels.classes, key=places.__getitem__)

    @abstractmethod
    def _rows(self, X: Any, *, fitting: bool) -> Any:  # noqa: N803
        """What the task takes."""

    @abstractmethod
    def _trained(self, task: Any, rows: Any, labels: pl.Series, groups: pl.Series | None) -> Any:
        """The task, trained."""

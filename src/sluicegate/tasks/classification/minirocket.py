"""MiniRocket (Dempster et al. 2021), where sktime and numba are installed: the strongest of the simple methods."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from scipy.special import softmax

from sluicegate.errors import DataError, MissingExtra

from .calibration import temperature
from .decision import Probabilities

Values = Float32[np.ndarray, "_ channels"]

LINEAR = ("mean", "deviation", "weights", "intercept")
"""The arrays of a linear map of standardised features."""

_PARTS = ("channels_of", "channels", "dilations", "features_of", "biases")  # what sktime calls the parameters
_SHORTEST = 9  # steps that its kernels look at
_MOST = 4000  # recordings that it is trained on, whose features take 0.3 GB
_TOGETHER = 1000  # recordings whose features are held together in prediction


_lost_threads = False  # where numba would end the process


def _note_fork() -> None:
    """In a forked process: numba ends it where its parent had used the threads of GNU's OpenMP."""
    global _lost_threads
    numba = sys.modules.get("numba")
    if numba is None:
        return
    with suppress(ValueError):  # it has used no threads yet
        _lost_threads = numba.threading_layer() == "omp"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def has_minirocket() -> bool:
    """Whether the packages that it needs are installed, and can be used in this process."""
    return find_spec("sktime") is not None and find_spec("numba") is not None and not _lost_threads


@dataclass(frozen=True)
class MiniRocket:
    """Ridge regression on the shares of steps at which some 10,000 fixed kernels exceed a bias."""

    name: ClassVar[str] = "minirocket"
    parameters: tuple[Any, ...]  # of the kernels
    mean: Float64[np.ndarray, " features"]  # of each feature in training
    deviation: Float64[np.ndarray, " features"]  # likewise
    weights: Float64[np.ndarray, "outputs features"]  # of each class; of two classes, of the second alone
    intercept: Float64[np.ndarray, " outputs"]  # the same
    by: float  # the temperature that makes probabilities of the margins, found on recordings left out one at a time

    @classmethod
    def fit(cls, recordings: Sequence[Values], truth: Int64[np.ndarray, " rows"], classes: int) -> MiniRocket:
        """Train on standardised recordings."""
        from sklearn.linear_model import RidgeClassifierCV  # 2 s to load, which no prediction needs

        del classes
        if len(truth) > _MOST:
            chosen = np.sort(np.random.default_rng(0).choice(len(truth), _MOST, replace=False))
            recordings, truth = [recordings[i] for i in chosen.tolist()], truth[chosen]
        transformer = _transformer()
        with _undisturbed():
            features = np.asarray(transformer.fit_transform(_frames(recordings)), dtype=np.float64)
        mean, deviation = features.mean(0), features.std(0)
        deviation[deviation == 0] = 1.0
        model = RidgeClassifierCV(alphas=np.logspace(-1, 5, 13), store_cv_results=True)
        model.fit((features - mean) / deviation, truth)
        left_out = model.cv_results_[:, :, int(np.flatnonzero(model.alphas == model.alpha_)[0])]
        margins = np.concatenate([-left_out, left_out], axis=1) if left_out.shape[1] == 1 else left_out
        return cls(
            transformer.parameters,
            mean,
            deviation,
            np.atleast_2d(model.coef_),
            np.atleast_1d(model.intercept_),
            temperature(margins, truth),
        )

    def probabilities(self, recordings: Sequence[Values]) -> Probabilities:
        """The probability of each class.

        Raises:
            MissingExtra: a package is not installed that was when the model was trained.
            DataError: this process was forked after minirocket was used.
        """
        if _lost_threads:
            raise DataError(
                "the baseline minirocket was used before this process was forked, and its threads do not survive that: "
                "set NUMBA_THREADING_LAYER=workqueue before Python starts, or start processes by `spawn`"
            )
        transformer = _transformer()
        transformer.parameters, transformer._is_fitted = self.parameters, True  # all that `fit` leaves behind
        parts = []
        with _undisturbed():
            for begin in range(0, len(recordings), _TOGETHER):
                features = transformer.transform(_frames(recordings[begin : begin + _TOGETHER]))
                scaled = (np.asarray(features, dtype=np.float64) - self.mean) / self.deviation
                parts.append(scaled @ self.weights.T + self.intercept)
        margins = np.concatenate(parts)
        if margins.shape[1] == 1:
            margins = np.concatenate([-margins, margins], axis=1)
        probabilities: Probabilities = softmax(margins / self.by, axis=1)
        return probabilities

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""
        parts = {name: np.asarray(part) for name, part in zip(_PARTS, self.parameters, strict=True)}
        learnt = {name: getattr(self, name) for name in LINEAR}
        return parts | learnt | {"by": np.array([self.by])}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], classes: int) -> MiniRocket:
        """What `arrays` gave."""
        del classes
        learnt: dict[str, Any] = {name: arrays[name] for name in LINEAR}
        return cls(tuple(arrays[name] for name in _PARTS), **learnt, by=float(arrays["by"][0]))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep to itself what sktime warns of, a single channel and equal lengths, and how many threads numba takes.

    Both numba and PyTorch compute with the threads of OpenMP, and numba asks for as many as there are cores: the next
    model that is trained would end with other bits.
    """
    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_num_threads(threads)


def _transformer() -> Any:
    try:
        from sktime.transformations.rocket import MiniRocketMultivariateVariable
    except ImportError as error:
        raise MissingExtra("sktime", "series", "the baseline minirocket") from error
    return MiniRocketMultivariateVariable(random_state=0, pad_value_short_series=0.0)


def _frames(recordings: Sequence[Values]) -> list[Any]:
    """A data frame of each recording, the form that the kernels read: sktime takes ten times as long to make it."""
    import pandas as pd

    return [pd.DataFrame(np.pad(part, ((0, max(0, _SHORTEST - len(part))), (0, 0)))) for part in recordings]

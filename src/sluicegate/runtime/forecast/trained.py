"""What a saved forecaster knows: from the last rows of a series to the forecast of what follows."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.runtime.model import WEIGHTS, Model

from .answers import calibrated, combined
from .clock import Clock
from .network import Network
from .past import Key, Past
from .scales import Scale, at_least_as_wide, repeated_before, rescaled, worthless
from .shape import Shape
from .values import attained, find_knee, moments, standardise, support_of

DEVIATIONS = 2 * NormalDist().inv_cdf(0.9)
"""Of a normal error, between its 10 % and its 90 % quantile."""


class Series(NamedTuple):
    """What is known of a series beside its rows, each `[targets]`; see `sluicegate.tasks.forecast.trained`."""

    mean: ndarray
    deviation: ndarray
    knee: ndarray
    least: ndarray
    grain: ndarray
    naive_share: ndarray  # [targets 2]
    gain: ndarray


class Trained(Model):
    """A saved forecaster, without its verbs."""

    task = "forecast"
    files = (WEIGHTS, "scaler.safetensors", "series.json")

    def __init__(self, saved: Bundle, *, threads: int = 1) -> None:
        super().__init__(saved)
        settings, arrays = saved.json(bundle.CONFIG), saved.tensors("scaler.safetensors")
        roles = settings["columns"]
        self.clock = Clock.of(settings["axis"])
        self.time: str = roles["time"]
        self.targets, self.past, self.known = (tuple(roles[name]) for name in ("targets", "past", "known"))
        self.apart: str | tuple[str, ...] | None = _named(roles["series"])
        self.shape = Shape(**settings["shape"])
        self.quantiles = tuple(settings["quantiles"])
        self.season: int = settings["season"]
        self.periods: list[tuple[int, int]] = [(period, count) for period, count in settings["periods"]]
        self._arrays = _checked(arrays, self.shape, len(self.targets), len(self.quantiles))
        self.widths = arrays["widths"]
        self._numbers = {_key(name, self.apart): number for number, name in enumerate(saved.json("series.json"))}
        self.network = Network(self.shape, saved.tensors(WEIGHTS), threads=threads)
        self.tails = self._tails()
        """The last rows that training saw, by series."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of numbers."""
        return self.targets + self.past + self.known

    @property
    def keys(self) -> tuple[Key, ...]:
        """What names the series of training."""
        return tuple(self._numbers)

    @property
    def covariate_scale(self) -> tuple[ndarray, ndarray]:
        """The mean and the deviation of the columns beside the targets."""
        return self._arrays["covariate_mean"][0], self._arrays["covariate_deviation"][0]

    @property
    def told_apart_by(self) -> tuple[str, ...]:
        """The columns that tell series apart."""
        return () if self.apart is None else (self.apart,) if isinstance(self.apart, str) else self.apart

    def series(self, key: Key, values: ndarray) -> Series:
        """What is known of a series; of one that training did not have, from its rows, doubles `[columns rows]`."""
        held, number = self._arrays, self._numbers.get(key)
        if number is not None:
            return Series(*(held[name][number] for name in Series._fields))
        rows = []
        for target in values[: len(self.targets)]:
            knee = find_knee(target, self.season)
            least, zeros, grain = support_of(target)
            # Nothing is spread out where the scale is a logarithm's.
            spread = (zeros, grain) if knee == 0 else (0.0, 0.0)
            rows.append((*moments(target, knee), knee, least, *spread))
        mean, deviation, knees, least_, zeros_, grain_ = np.array(rows, np.float64).T
        smooth = (zeros_ == 0) & (grain_ == 0)
        share = np.where(smooth[:, None], np.median(held["naive_share"], axis=0), 0.0)
        return Series(mean, deviation, knees, least_, grain_, share, np.median(held["gain"], axis=0))

    def forecast(self, key: Key, past: Past, ahead: ndarray) -> tuple[ndarray, ndarray]:
        """The forecast that follows the rows of a series.

        Args:
            key: of the series.
            past: its rows, from 1 to as many as the network looks back on.
            ahead: what is known of the horizon in advance, doubles `[known horizon]`.

        Returns:
            The mean, doubles `[targets horizon]`, and the quantiles, `[targets horizon quantiles]`.
        """
        series, shape = self.series(key, past.values), self.shape
        length = past.values.shape[1]
        places = np.arange(length - shape.context, length + shape.horizon)
        rows = repeated_before(places, length, self.season)
        others = self._covariates(past.values[len(self.targets) :], ahead)[:, rows]
        firsts = length + np.arange(-shape.before, shape.after) * shape.segment
        calendar = self.clock.features(past.start + firsts * self.clock.step, self.periods)
        fixed = others[None, : len(self.past), : shape.context], others[None, len(self.past) :], calendar[None]
        padded = np.array([max(0, shape.context - length)])
        answers = [
            self._of_target(series, target, past.values[target, rows[: shape.context]], fixed, padded)
            for target in range(len(self.targets))
        ]
        means, quantiles = zip(*answers, strict=True)
        return np.concatenate(means), np.concatenate(quantiles)

    def _of_target(
        self, series: Series, target: int, values: ndarray, fixed: tuple[ndarray, ...], padded: ndarray
    ) -> tuple[ndarray, ndarray]:
        scale = Scale(*(getattr(series, name)[target : target + 1] for name in Scale._fields))
        context = np.empty((1, len(values)), np.float32)
        unit, (past, known, calendar) = float(scale.deviation[0]) or 1.0, fixed
        standardise(values, float(scale.knee[0]), float(scale.mean[0]), unit, context[0])
        lost = bool(worthless(context, scale.deviation)[0])
        if lost:
            own, scale, padded = rescaled(values[None], self.season)
            context = own.astype(np.float32)
        outputs = self.network(context, past, known, calendar, padded).astype(np.float64)
        period = self.season if self.season <= self.shape.context else 1
        ahead = np.arange(self.shape.horizon) % period
        repeated = context[:, self.shape.context - period + ahead].astype(np.float64)
        outputs = combined(outputs, repeated, series.naive_share[target][None], self.shape.median)
        if not scale.deviation[0] > 0:  # a series that never changed is forecast not to change
            outputs[:] = context[0, -1]
        quantiles = calibrated(outputs[..., 1:], self.quantiles, self.widths)
        if lost:
            quantiles = at_least_as_wide(quantiles, self.quantiles)
        low, high = (quantiles[..., self.quantiles.index(q)] for q in (0.1, 0.9))
        mean, quantiles = scale.unscale(outputs[..., 0], quantiles, (high - low) / DEVIATIONS)
        mean *= series.gain[target]
        least, grain = (part[target : target + 1] for part in (series.least, series.grain))
        return attained(mean, quantiles, least, grain, np.array([values.min() < 0]))

    def _covariates(self, before: ndarray, ahead: ndarray) -> ndarray:
        """Columns beside the targets on the scale of training, 32-bit floats; those of the past are 0 after it."""
        after = np.zeros((len(before), self.shape.horizon))
        after[len(self.past) :] = ahead
        values = np.concatenate([before, after], axis=1)
        found = np.empty(values.shape, np.float32)
        mean, deviation = self.covariate_scale
        for row, value in enumerate(values):
            standardise(value, 0.0, mean[row], float(deviation[row]) or 1.0, found[row])
        return found

    def _tails(self) -> dict[Key, Past]:
        arrays, tails, begin = self._arrays, {}, 0
        for number, (key, length) in enumerate(zip(self._numbers, arrays["tail_lengths"].tolist(), strict=True)):
            values = arrays["tail"][:, begin : begin + length]
            begin += length
            kept = values[:, -self.shape.context :]
            start = int(arrays["ends"][number]) - (kept.shape[1] - 1) * self.clock.step
            tails[key] = Past(kept, start, kept.shape[1], {})
        return tails


def _named(series: Any) -> Any:
    return tuple(series) if isinstance(series, list) else series


def _key(name: Any, apart: Any) -> Key:
    return () if apart is None else tuple(name) if isinstance(name, list) else (name,)


def _checked(arrays: Mapping[str, ndarray], shape: Shape, targets: int, quantiles: int) -> dict[str, ndarray]:
    """The arrays by the names of `Series` and others, with what earlier versions did not keep.

    Raises:
        ValueError: one is not of its shape.
    """
    mean = arrays["mean"]
    series, none = len(mean), np.zeros_like(mean)
    known = "least" in arrays
    found = {
        "mean": mean,
        "deviation": arrays["unit"],
        "knee": arrays["knee"],
        "least": arrays["least"] if known else none - np.inf,
        "grain": arrays["grain"] if known else none,
        "naive_share": arrays.get("naive_share", np.zeros((*mean.shape, 2))),
        "gain": arrays.get("gain", np.ones_like(mean)),
        **{name: arrays[name] for name in ("covariate_mean", "covariate_deviation", "tail", "ends")},
        "tail_lengths": arrays.get("tail_lengths", np.full(series, arrays["tail"].shape[1] // max(series, 1))),
    }
    expected: dict[str, tuple[int, ...]] = dict.fromkeys(
        ("mean", "deviation", "knee", "least", "grain", "gain"), (series, targets)
    )
    others: tuple[int, ...] = (1, shape.past + shape.known)
    expected["naive_share"] = (series, targets, 2)
    expected["covariate_mean"] = expected["covariate_deviation"] = others
    for name, sizes in expected.items():
        if found[name].shape != sizes or found[name].dtype != np.float64:
            raise ValueError(f"{name} is of shape {found[name].shape}, where config.json asks for {sizes}")
    if arrays["widths"].shape != (shape.horizon, quantiles) or len(found["tail_lengths"]) != series:
        raise ValueError("the arrays are not those of the network")
    return found

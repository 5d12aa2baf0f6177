"""What training leaves behind, and its form on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64

from sluicegate import bundle
from sluicegate.data import Panel, Scaler, Support, TimeAxis
from sluicegate.metrics import seasonal_scale
from sluicegate.tasks.restoring import restored
from sluicegate.tasks.trained import WEIGHTS, TrainedModel
from sluicegate.training import Curve

from .batches import Calendar, Columns, PerSeries, PreparedWindows, Scalers
from .config import ForecasterConfig
from .model import SegmentForecaster, Shape
from .schema import ARRAYS, SERIES, require_forecaster


@dataclass(frozen=True)
class Trained(TrainedModel):
    """The model and all that its use needs beside a table."""

    arrays_file: ClassVar[str] = ARRAYS
    config: ClassVar[type[ForecasterConfig]] = ForecasterConfig

    columns: Columns  # the roles of the columns
    names: tuple[Any, ...]  # the series, in the order of their numbers
    trained_until: PerSeries  # for each series, the tick of the last row that the weights were trained on
    ends: PerSeries  # for each series, the tick of the last row that was seen at all, validation included
    season: int  # steps in a season
    calendar: Calendar  # the time axis and the calendar features
    scalers: Scalers  # means and deviations of the training rows
    support: Support  # which values each series can take
    # For each series, how far its mean and its median are drawn to its last season over again.
    naive_share: Float64[np.ndarray, "series targets 2"]
    gain: Float64[np.ndarray, "series targets"]  # for each series, what its mean forecast is multiplied by
    # Standard deviation of each series' training rows, in the target's unit.
    deviation: Float64[np.ndarray, "series targets"]
    # Mean absolute change over a season in the rows seen, by which MASE divides.
    naive_scale: Float64[np.ndarray, "series targets"]
    shape: Shape  # the network's sizes
    quantiles: tuple[float, ...]  # what is forecast beside the mean
    widths: Float64[np.ndarray, "horizon quantiles"]  # factors that calibrate each quantile's distance from the median
    tail: Panel  # the last rows of each series, from which a forecast goes on
    curve: Curve  # the learning curve
    model: SegmentForecaster  # the network
    # The linear map that training started from; None in models of versions that did not keep it.
    linear: Float64[np.ndarray, "horizon context"] | None = None
    frame: str = "polars"  # the kind of frame that it was trained on, see `sluicegate.data.frames.kind_of`

    @property
    def axis(self) -> TimeAxis:
        """The time axis that every table must be on."""
        return self.calendar.axis

    def prepare(self, panel: Panel, ids: PerSeries) -> PreparedWindows:
        """A panel as the network sees it; `ids` are the numbers of its series."""
        return PreparedWindows(
            panel, ids, self.columns, self.scalers, self.calendar, self.shape, self.season, self.support
        )

    def including(self, panel: Panel, origins: PerSeries | None = None) -> tuple[Trained, PerSeries]:
        """The same with the series of a panel that training did not have: their scales are those of the rows given.

        Args:
            panel: the table.
            origins: for each of its series, the row from which on nothing may be seen; None is after the last one.

        Returns:
            What was trained, with the new series after those of training, and the number of each of the panel's series.
        """
        numbers = {name: i for i, name in enumerate(self.names)}
        new = np.array([name not in numbers for name in panel.names])
        names = self.names + tuple(name for name in panel.names if name not in numbers)
        numbers |= {name: i for i, name in enumerate(names)}
        ids = np.array([numbers[name] for name in panel.names])
        if not new.any():
            return self, ids
        others = panel.take(new)
        lengths = (panel.lengths if origins is None else origins - panel.bounds[:-1])[new]
        ends, targets = others.bounds[:-1] + lengths, self.columns.targets
        last = others.starts + (lengths - 1) * self.axis.step
        scale = seasonal_scales(others, targets, ends, self.season)
        scaler = Scaler.fit(others, targets, ends, self.season)
        support = Support.fit(others, targets, ends).where(scaler.knee == 0)
        trained = replace(
            self,
            names=names,
            trained_until=np.concatenate([self.trained_until, others.starts - self.axis.step]),
            ends=np.concatenate([self.ends, last]),
            scalers=self.scalers._replace(targets=self.scalers.targets.followed_by(scaler)),
            support=self.support.followed_by(support),
            naive_share=np.concatenate(
                [self.naive_share, np.where(support.smooth[..., None], np.median(self.naive_share, axis=0), 0.0)]
            ),
            gain=np.concatenate([self.gain, np.tile(np.median(self.gain, axis=0), (len(others.names), 1))]),
            deviation=np.concatenate([self.deviation, Scaler.fit(others, targets, ends).deviation]),
            naive_scale=np.concatenate([self.naive_scale, scale]),
        )
        return trained, ids

    def on(self, axis: TimeAxis) -> Trained:
        """The same on the axis of a table, which has holidays of its own."""
        if axis == self.axis:
            return self
        return replace(
            self,
            trained_until=axis.translated(self.trained_until, self.axis),
            ends=axis.translated(self.ends, self.axis),
            calendar=replace(self.calendar, axis=axis),
        )

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "columns": asdict(self.columns),
            "axis": asdict(self.axis),
            "season": self.season,
            "periods": [list(period) for period in self.calendar.periods],
            "shape": asdict(self.shape),
            "quantiles": list(self.quantiles),
            "curve": asdict(self.curve),
            "frame": self.frame,
        }

    def further_files(self) -> dict[str, bytes]:
        """The names of the series."""
        return {SERIES: json.dumps(list(self.names)).encode()}

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays beside the weights."""
        targets, covariates = self.scalers
        tail = [self.tail.columns[name] for name in self.columns.values]
        arrays = {
            "trained": self.trained_until,
            "ends": self.ends,
            "mean": targets.mean,
            "unit": targets.deviation,
            "knee": targets.knee,
            "least": self.support.least,
            "zeros": self.support.zeros,
            "grain": self.support.grain,
            "naive_share": self.naive_share,
            "gain": self.gain,
            "deviation": self.deviation,
            "covariate_mean": covariates.mean,
            "covariate_deviation": covariates.deviation,
            "naive_scale": self.naive_scale,
            "widths": self.widths,
            "tail": np.stack(tail),
            "tail_lengths": self.tail.lengths,
            **_future_arrays(self.tail.future, self.names, self.columns.known),
        }
        if self.linear is not None:
            arrays["linear"] = self.linear.astype(np.float32)
        return arrays

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        require_forecaster(saved, arrays)
        settings = saved.json(bundle.CONFIG)
        roles = settings["columns"]
        series = tuple(roles["series"]) if isinstance(roles["series"], list) else roles["series"]
        columns = Columns(roles["time"], tuple(roles["targets"]), series, tuple(roles["past"]), tuple(roles["known"]))
        names = tuple(tuple(name) if isinstance(name, list) else name for name in saved.json(SERIES))
        axis = TimeAxis.from_json(settings["axis"])
        shape = Shape(**settings["shape"])
        model = restored(saved, WEIGHTS, lambda: SegmentForecaster(shape))
        linear = arrays.get("linear")
        ends = arrays["ends"]
        # Before series of different lengths were taken, all tails were of one.
        rows = arrays.get("tail_lengths", np.full(len(names), arrays["tail"].shape[1] // len(names)))
        tail = Panel(
            axis,
            names,
            np.concatenate([[0], np.cumsum(rows)]),
            ends - (rows - 1) * axis.step,
            dict(zip(columns.values, arrays["tail"], strict=True)),
            {},
            _future_panel(arrays, axis, names, columns.known),
        )
        return cls(
            columns=columns,
            names=names,
            trained_until=arrays["trained"],
            ends=ends,
            season=settings["season"],
            calendar=Calendar(axis, tuple((period, count) for period, count in settings["periods"])),
            scalers=Scalers(
                Scaler(columns.targets, arrays["mean"], arrays["unit"], arrays["knee"]),
                Scaler(
                    columns.past + columns.known,
                    arrays["covariate_mean"],
                    arrays["covariate_deviation"],
                    np.zeros_like(arrays["covariate_mean"]),
                ),
            ),
            support=Support(*(arrays[name] for name in ("least", "zeros", "grain")))
            if "least" in arrays
            else Support.unknown(*arrays["mean"].shape),
            naive_share=arrays.get("naive_share", np.zeros((*arrays["mean"].shape, 2))),
            gain=arrays.get("gain", np.ones_like(arrays["mean"])),
            deviation=arrays["deviation"],
            naive_scale=arrays["naive_scale"],
            shape=shape,
            quantiles=tuple(settings["quantiles"]),
            widths=arrays["widths"],
            tail=tail,
            curve=Curve(**settings["curve"]),
            model=model,
            frame=settings.get("frame", "polars"),
            linear=None if linear is None else linear.astype(np.float64),
        )


def seasonal_scales(
    panel: Panel, targets: tuple[str, ...], ends: PerSeries, season: int
) -> Float64[np.ndarray, "series targets"]:
    """The mean absolute change of each series over a season, up to its end."""
    ranges = zip(panel.bounds[:-1], ends, strict=True)
    return np.array(
        [[seasonal_scale(panel.columns[name][begin:end], season) for name in targets] for begin, end in ranges]
    )


def _future_arrays(future: Panel | None, names: tuple[Any, ...], known: tuple[str, ...]) -> dict[str, np.ndarray]:
    """What training saw of the future: covariates known in advance, as arrays of the saved model, if any."""
    if future is None or not known:
        return {}
    numbers = {name: i for i, name in enumerate(names)}
    future = future.take(np.array([name in numbers for name in future.names]))  # the others were too short to train on
    return {
        "future": np.stack([future.columns[name] for name in known]),
        "future_series": np.array([numbers[name] for name in future.names]),
        "future_starts": future.starts,
        "future_bounds": future.bounds,
    }


def _future_panel(
    arrays: Mapping[str, np.ndarray], axis: TimeAxis, names: tuple[Any, ...], known: tuple[str, ...]
) -> Panel | None:
    """The panel that `_future_arrays` made these of."""
    if "future" not in arrays:
        return None
    values, series, starts, bounds = (
        arrays[name] for name in ("future", "future_series", "future_starts", "future_bounds")
    )
    return Panel(axis, tuple(names[i] for i in series), bounds, starts, dict(zip(known, values, strict=True)), {})

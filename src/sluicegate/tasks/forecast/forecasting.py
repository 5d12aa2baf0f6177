"""From a fitted model to forecasts in the target's own unit."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import polars as pl
import torch
from jaxtyping import Float64, Int64

from sluicegate.data import Panel
from sluicegate.errors import DataError

from .batches import PreparedWindows
from .fitted import Fitted

_BELIEVED = 30  # windows apart that the network's own quantiles are taken to rest on
_DEVIATIONS = 2 * NormalDist().inv_cdf(0.9)  # of a normal error, between its 10 % and its 90 % quantile


def forecast(
    fitted: Fitted,
    windowed: PreparedWindows,
    series: Int64[np.ndarray, " batch"],
    origins: Int64[np.ndarray, " batch"],
    target: int,
) -> tuple[Float64[np.ndarray, "batch horizon"], Float64[np.ndarray, "batch horizon quantiles"]]:
    """The mean and the calibrated quantiles of windows, for one target, in its unit."""
    outputs, last = standardised(fitted, windowed, series, origins, target)
    ids = windowed.ids[series]
    # A series that never changed is forecast not to change.
    moves = fitted.scalers.targets.deviation[ids, target] > 0
    outputs = np.where(moves[:, None, None], outputs, last[:, None, None])
    quantiles = calibrated(outputs[..., 1:], fitted.quantiles, fitted.widths)
    low, high = (quantiles[..., fitted.quantiles.index(q)] for q in (0.1, 0.9))
    return fitted.scalers.unscale(outputs[..., 0], quantiles, (high - low) / _DEVIATIONS, ids, target)


def standardised(
    fitted: Fitted,
    windowed: PreparedWindows,
    series: Int64[np.ndarray, " batch"],
    origins: Int64[np.ndarray, " batch"],
    target: int,
) -> tuple[Float64[np.ndarray, "batch horizon outputs"], Float64[np.ndarray, " batch"]]:
    """What the network puts out for windows of one target, and the last value of each context."""
    with torch.inference_mode():
        batch, _ = windowed.batch(series, origins, np.full(len(series), target))
        outputs = fitted.model(*batch)
    return outputs.double().numpy(), batch.context[:, -1].double().numpy()


def calibrated(
    values: Float64[np.ndarray, "batch horizon quantiles"],
    quantiles: tuple[float, ...],
    widths: Float64[np.ndarray, "horizon quantiles"],
) -> Float64[np.ndarray, "batch horizon quantiles"]:
    """Widen or narrow the quantiles about the median by their factors, and keep them in order."""
    middle = values[..., quantiles.index(0.5), None]
    return np.sort(middle + (values - middle) * widths, axis=-1)


def measure_widths(
    values: Float64[np.ndarray, "batch horizon quantiles"],
    truth: Float64[np.ndarray, "batch horizon"],
    quantiles: tuple[float, ...],
    block: int,
    apart: float,
) -> Float64[np.ndarray, "horizon quantiles"]:
    """The factors that make each quantile right on these windows, block of steps by block of steps.

    This is split conformal calibration of quantiles (Romano et al. 2019) with the score measured in units of the
    forecast's own width, so that a forecast which knows when it is unsure stays so. Windows that overlap say the same
    thing many times: where few lie apart, a quiet or a wild month would decide, so the factors are drawn towards 1,
    what the training rows say, as if thirty more windows had said so.

    Args:
        values: the quantiles that the network puts out.
        truth: what came.
        quantiles: which ones these are.
        block: steps that share a factor.
        apart: how many windows there are that do not overlap.
    """
    horizon = values.shape[1]
    widths = np.ones((horizon, len(quantiles)))
    middle = values[..., quantiles.index(0.5)]
    for j, q in enumerate(quantiles):
        if q == 0.5:
            continue
        width = values[..., j] - middle
        right = width < 0 if q < 0.5 else width > 0
        ratio = np.divide(truth - middle, width, out=np.full(width.shape, np.nan), where=right)
        for begin in range(0, horizon, block):
            part = ratio[:, begin : begin + block]
            part = part[np.isfinite(part)]
            if len(part) >= 100:
                factor = np.clip(np.quantile(part, max(q, 1 - q)), 0.1, 10.0)
                widths[begin : begin + block, j] = factor ** (apart / (apart + _BELIEVED))
    return widths


def forecast_next(fitted: Fitted, panel: Panel, future: Panel | None) -> pl.DataFrame:
    """The long frame of forecasts that follow the last row of each series."""
    context, horizon = fitted.shape.context, fitted.shape.horizon
    panel = last_rows(panel, context)
    numbers = {name: i for i, name in enumerate(fitted.names)}
    ids = np.array([numbers[name] for name in panel.names])
    extended = _extend(panel, future, horizon, fitted.columns.known)
    windowed = PreparedWindows(extended, ids, fitted.columns, fitted.scalers, fitted.calendar, fitted.shape)
    count = len(panel.names)
    series = np.arange(count)
    origins = extended.bounds[:-1] + context
    ticks = extended.ticks(series[:, None], origins[:, None] + np.arange(horizon))
    targets = fitted.columns.targets
    mean = np.empty((count, len(targets), horizon))
    spread = np.empty((*mean.shape, len(fitted.quantiles)))
    for j in range(len(targets)):
        mean[:, j], spread[:, j] = forecast(fitted, windowed, series, origins, j)
    names = pl.Series(panel.names)[np.repeat(series, len(targets) * horizon)]
    stamps = np.repeat(ticks[:, None], len(targets), axis=1).reshape(-1)
    labels = pl.Series(targets)[np.tile(np.repeat(np.arange(len(targets)), horizon), count)]
    frame = {"series": names, "time": fitted.axis.stamps(stamps), "target": labels, "mean": mean.reshape(-1)}
    for j, q in enumerate(fitted.quantiles):
        frame[f"q{100 * q:g}"] = spread[..., j].reshape(-1)
    return pl.DataFrame(frame)


def last_rows(panel: Panel, count: int) -> Panel:
    """The last rows of each series.

    Raises:
        DataError: a series has fewer.
    """
    short = np.flatnonzero(panel.lengths < count)
    if len(short):
        name = panel.names[short[0]]
        label = f"series {name!r}" if name != "" else "the table"
        raise DataError(
            f"{label} has {panel.lengths[short[0]]} rows ({len(short)} series are too short): a forecast looks back "
            f"on {count}; give at least that many"
        )
    rows = (panel.bounds[1:, None] - count + np.arange(count)).reshape(-1)
    return replace(
        panel,
        bounds=np.arange(len(panel.names) + 1) * count,
        starts=panel.starts + (panel.lengths - count) * panel.axis.step,
        columns={name: values[rows] for name, values in panel.columns.items()},
        filled={},
    )


def _extend(panel: Panel, future: Panel | None, horizon: int, known: tuple[str, ...]) -> Panel:
    """Add the horizon's rows to each series: zeros where nothing is known, else what `future` says."""
    count, context = len(panel.names), int(panel.bounds[1])
    columns = {
        name: np.concatenate([values.reshape(count, context), np.zeros((count, horizon))], 1)
        for name, values in panel.columns.items()
    }
    if future is not None:
        places = {name: i for i, name in enumerate(future.names)}
        for i, name in enumerate(panel.names):
            begin = int(panel.starts[i]) + context * panel.axis.step
            offset = -1
            if name in places:
                j = places[name]
                offset = (begin - int(future.starts[j])) // panel.axis.step
            if name not in places or offset < 0 or offset + horizon > future.lengths[j]:
                stamp = panel.axis.stamps(np.array([begin]))[0]
                label = f" of series {name!r}" if name != "" else ""
                raise DataError(
                    f"`future` must hold the {horizon} rows{label} that begin at {stamp}: add those that are missing"
                )
            first = int(future.bounds[j]) + offset
            for column in known:
                columns[column][i, context:] = future.columns[column][first : first + horizon]
    return replace(
        panel,
        bounds=np.arange(count + 1) * (context + horizon),
        columns={name: values.reshape(-1) for name, values in columns.items()},
    )

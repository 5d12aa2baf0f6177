"""From a trained model to forecasts in the target's own unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float64

from sluicegate.data import Panel, on_one_axis
from sluicegate.data.names import column_of
from sluicegate.errors import DataError
from sluicegate.runtime.forecast.answers import calibrated, combined
from sluicegate.runtime.forecast.scales import Scale, at_least_as_wide, rescaled, worthless

from .batches import Batch, Numbers, Point, PreparedWindows, Quantiles
from .combination import last_season
from .telling import told, told_of_scales
from .trained import Trained

_BELIEVED = 30  # windows apart that the network's own quantiles are taken to rest on
_DEVIATIONS = 2 * NormalDist().inv_cdf(0.9)  # of a normal error, between its 10 % and its 90 % quantile


def forecast(
    trained: Trained, windowed: PreparedWindows, series: Numbers, origins: Numbers, target: int
) -> tuple[Point, Quantiles]:
    """The mean and the calibrated quantiles of windows, for one target, in its unit."""
    batch, scale, lost = standardised(trained, windowed, series, origins, target)
    ids = windowed.ids[series]
    outputs = outputs_of(trained, batch, ids, target)
    # A series that never changed is forecast not to change.
    outputs = np.where(scale.deviation[:, None, None] > 0, outputs, batch.context[:, -1:, None].double().numpy())
    quantiles = calibrated(outputs[..., 1:], trained.quantiles, trained.widths)
    quantiles[lost] = at_least_as_wide(quantiles[lost], trained.quantiles)
    low, high = (quantiles[..., trained.quantiles.index(q)] for q in (0.1, 0.9))
    mean, quantiles = scale.unscale(outputs[..., 0], quantiles, (high - low) / _DEVIATIONS)
    mean *= trained.gain[ids, target][:, None]
    below_zero = windowed.contexts(series, origins, target).min(1) < 0
    return trained.support.attained(mean, quantiles, ids, target, below_zero)


def outputs_of(
    trained: Trained, batch: Batch, ids: Numbers, target: int
) -> Float64[np.ndarray, "batch horizon outputs"]:
    """The mean and the quantiles of windows, standardised and not calibrated; `ids` are their series' numbers."""
    with torch.inference_mode():
        outputs: Float64[np.ndarray, "batch horizon outputs"] = trained.model(*batch).double().numpy()
    repeated = last_season(batch.context, trained.season, trained.shape.horizon).double().numpy()
    return combined(outputs, repeated, trained.naive_share[ids, target], trained.shape.median)


def standardised(
    trained: Trained, windowed: PreparedWindows, series: Numbers, origins: Numbers, target: int
) -> tuple[Batch, Scale, Bool[np.ndarray, " batch"]]:
    """Windows of one target as the network takes them, by what they are standardised, and where training's is lost."""
    batch, _ = windowed.batch(series, origins, np.full(len(series), target))
    scale = Scale.of(trained.scalers.targets, windowed.ids[series], target)
    lost = worthless(batch.context.numpy(), scale.deviation)
    if lost.any():
        context, own, begun = rescaled(windowed.contexts(series[lost], origins[lost], target), trained.season)
        batch = batch._replace(context=batch.context.clone())
        batch.context[torch.from_numpy(lost)] = torch.from_numpy(context).float()
        batch.padded[torch.from_numpy(lost)] = torch.from_numpy(begun)
        for values, replaced in zip(scale, own, strict=True):
            values[lost] = replaced
    return batch, scale, lost


def lost_scales(
    trained: Trained, windowed: PreparedWindows, series: Numbers, origins: Numbers
) -> Bool[np.ndarray, " batch"]:
    """The windows for which the scale of training is worthless, for one target or another."""
    lost = np.zeros(len(series), bool)
    for target in range(len(trained.columns.targets)):
        batch, _ = windowed.batch(series, origins, np.full(len(series), target))
        deviation = trained.scalers.targets.deviation[windowed.ids[series], target]
        lost |= worthless(batch.context.numpy(), deviation)
    return lost


def measure_widths(
    values: Quantiles, truth: Point, quantiles: tuple[float, ...], block: int, apart: float
) -> Float64[np.ndarray, "horizon quantiles"]:
    """The factors that make each quantile right on these windows, block of steps by block of steps.

    This is split conformal calibration of quantiles (Romano et al. 2019) with the score measured in units of the
    forecast's own width, so that a forecast which knows when it is unsure stays so. Windows that overlap say the same
    thing many times: where few lie apart, a quiet or a wild month would decide, so the factors are drawn towards 1,
    what the training rows say, as if thirty more windows had said so. `apart` is how many windows do not overlap.
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


def forecast_next(trained: Trained, panel: Panel, future: Panel | None) -> tuple[pl.DataFrame, list[str]]:
    """The long frame of forecasts that follow the last row of each series, and what must be told of it."""
    context, horizon = trained.shape.context, trained.shape.horizon
    known = set(trained.names)
    notes = told(panel, np.array([name not in known for name in panel.names]), panel.bounds[1:], context, trained.names)
    trained, ids = trained.on(panel.axis).including(panel)
    panel = last_rows(panel, context)
    extended = _extend(panel, future, horizon, trained.columns.known)
    trained = trained.on(extended.axis)
    windowed = trained.prepare(extended, ids)
    count = len(panel.names)
    series = np.arange(count)
    origins = extended.bounds[1:] - horizon
    notes += told_of_scales(panel.names, lost_scales(trained, windowed, series, origins))
    ticks = extended.ticks(series[:, None], origins[:, None] + np.arange(horizon))
    targets = trained.columns.targets
    mean = np.empty((count, len(targets), horizon))
    spread = np.empty((*mean.shape, len(trained.quantiles)))
    for j in range(len(targets)):
        mean[:, j], spread[:, j] = forecast(trained, windowed, series, origins, j)
    which = np.repeat(series, len(targets) * horizon)
    frame: dict[str, pl.Series | Float64[np.ndarray, " rows"]] = {
        name: column_of(name, names)[which] for name, names in _told_apart(trained.columns.series, panel.names)
    }
    stamps = np.repeat(ticks[:, None], len(targets), axis=1).reshape(-1)
    labels = pl.Series(targets)[np.tile(np.repeat(np.arange(len(targets)), horizon), count)]
    frame |= {"time": trained.axis.stamps(stamps), "target": labels, "mean": mean.reshape(-1)}
    for j, q in enumerate(trained.quantiles):
        frame[f"q{100 * q:g}"] = spread[..., j].reshape(-1)
    return pl.DataFrame(frame), notes


def _told_apart(series: str | tuple[str, ...] | None, names: tuple[Any, ...]) -> list[tuple[str, Sequence[Any]]]:
    """The columns of an answer that tell series apart: none for a single one, those of the table if several."""
    if series is None:
        return []
    if isinstance(series, str):
        return [("series", names)]
    return list(zip(series, zip(*names, strict=True), strict=True))


def last_rows(panel: Panel, count: int) -> Panel:
    """The last rows of each series, or all of one that has fewer."""
    lengths = np.minimum(panel.lengths, count)
    rows = np.concatenate(
        [end - length + np.arange(length) for end, length in zip(panel.bounds[1:], lengths, strict=True)]
    )
    return replace(
        panel,
        bounds=np.concatenate([[0], np.cumsum(lengths)]),
        starts=panel.starts + (panel.lengths - lengths) * panel.axis.step,
        columns={name: values[rows] for name, values in panel.columns.items()},
        filled={},
    )


def _extend(panel: Panel, future: Panel | None, horizon: int, known: tuple[str, ...]) -> Panel:
    """Add the horizon's rows to each series: zeros where nothing is known, else what `future` says."""
    count, step = len(panel.names), panel.axis.step
    bounds = panel.bounds + np.arange(count + 1) * horizon
    old = np.arange(panel.rows) + np.repeat(np.arange(count) * horizon, panel.lengths)
    columns = {name: np.zeros(int(bounds[-1])) for name in panel.columns}
    for name, values in panel.columns.items():
        columns[name][old] = values
    if future is not None:
        panel, future = on_one_axis(panel, future)
        places = {name: i for i, name in enumerate(future.names)}
        for i, name in enumerate(panel.names):
            begin = int(panel.starts[i] + panel.lengths[i] * step)
            j = places.get(name)
            offset = -1 if j is None else (begin - int(future.starts[j])) // step
            if j is None or offset < 0 or offset + horizon > future.lengths[j]:
                stamp = panel.axis.stamps(np.array([begin]))[0]
                label = f" of series {name!r}" if name != "" else ""
                raise DataError(
                    f"`future` must hold the {horizon} rows{label} that begin at {stamp}: add those that are missing"
                )
            first = int(future.bounds[j]) + offset
            here = slice(bounds[i + 1] - horizon, bounds[i + 1])
            for column in known:
                columns[column][here] = future.columns[column][first : first + horizon]
    return replace(panel, bounds=bounds, columns=columns)

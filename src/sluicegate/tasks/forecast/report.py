"""What a report tells beside its figures: what they mean, how they were measured, and a few forecasts to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from sluicegate.data import TimeAxis, Windows
from sluicegate.data.axis import DAY, MINUTE, SECOND
from sluicegate.data.names import shown
from sluicegate.tasks.report import Measure

from .batches import PerSeries, PreparedWindows
from .forecasting import forecast
from .simple import Forecasting
from .trained import Trained
from .verdict import best_simple, called

MEASURES = (
    Measure(
        "mae",
        "mean absolute error of the median, in the target's unit",
        most="rmse",
        beyond="Above the RMSE, which no single forecast's is: the MAE judges the median and the RMSE the mean, and "
        "here these two differ.",
    ),
    Measure("rmse", "root of the mean squared error of the mean, in the target's unit: large misses weigh more"),
    Measure(
        "smape",
        "absolute error of the median in percent of the average size of truth and forecast, from 0 to 200: misses near "
        "0 weigh most (Makridakis et al. 2020)",
    ),
    Measure(
        "mase",
        "absolute error of the median over the series' own mean change in a season: 1 is as far off as the value a "
        "season ago usually is (Hyndman & Koehler 2006)",
    ),
    Measure(
        "wql",
        "weighted quantile loss, the error of all quantiles over the size of the truth: it judges the interval along "
        "with the median (Park et al. 2022)",
    ),
    Measure(
        "coverage_80",
        "share of true values within the 80 % interval: 0.8 is right. Where values pile up on an end of it, as zeros "
        "do, so many of them count as beyond it as bring the share beyond nearest to 10 %",
        ideal=0.8,
    ),
    Measure(
        "mse_scaled", "mean squared error of the mean, in squared standard deviations of the series' training rows"
    ),
    Measure("mae_scaled", "mean absolute error of the median, in standard deviations of the series' training rows"),
)

_SHOWN = 4


def moments(axis: TimeAxis, ticks: Int64[np.ndarray, " rows"]) -> list[str] | list[int]:
    """When the rows are, by the local clock, as short as the axis allows; whole numbers where these count the rows.

    >>> moments(TimeAxis("clock", 3_600_000_000, unit="us"), np.array([0, 3_600_000_000]))
    ['1970-01-01 00:00', '1970-01-01 01:00']
    """
    if axis.kind == "integer":
        return [int(tick) for tick in ticks]
    if axis.zone is None:
        local = axis.stamps(ticks).cast(pl.Datetime("us")).cast(pl.Int64).to_numpy()
    else:
        local = axis.local(ticks)
    units = (("D", DAY), ("m", MINUTE), ("s", SECOND), ("us", 1))
    unit = next(
        unit
        for unit, size in units
        if (axis.kind in ("month", "open") or axis.step % size == 0) and not (local % size).any()
    )
    times: Any = local.astype("datetime64[us]")
    return [str(stamp).replace("T", " ") for stamp in times.astype(f"datetime64[{unit}]")]


def facts(trained: Trained, prepared: PreparedWindows, windows: Windows) -> dict[str, str]:
    """How it was measured, for people."""
    panel, axis, shape = prepared.panel, trained.axis, trained.shape
    used = np.flatnonzero(windows.counts)
    last = windows.first + (windows.counts - 1) * windows.stride + shape.horizon - 1
    begins, ends = panel.ticks(used, windows.first[used]), panel.ticks(used, last[used])
    given = panel.ticks(used, panel.bounds[used]), panel.ticks(used, panel.bounds[used + 1] - 1)
    targets = trained.columns.targets
    every = "step" if windows.stride == 1 else f"{windows.stride} steps"
    step = "" if axis.kind == "integer" else f" of {axis.describe_step()}"
    weights = sum(parameter.numel() for parameter in trained.model.parameters())
    layers = "1 layer" if shape.layers == 1 else f"{shape.layers} layers"
    calendar = {"calendar": axis.hours.describe()} if axis.kind == "open" and axis.hours is not None else {}
    return {
        "windows": f"{len(windows) * len(targets):,}",
        "origins": f"one every {every}",
        "evaluated": _span(axis, begins, ends),
        "table": f"{int(panel.lengths[used].sum()):,} rows, {_span(axis, *given)}",
        **({"rows of zero": f"{panel.zeros:,} that the table lacks say 0, and are scored"} if panel.zeros else {}),
        "series": f"{len(used):,}",
        "targets": ", ".join(targets),
        "trained on": f"rows up to {moments(axis, trained.trained_until.max(keepdims=True))[0]}",
        "horizon": f"{shape.horizon} steps{step}",
        "context": f"{shape.context} steps",
        **calendar,
        "season": str(trained.season),
        "model": f"{shape.cell.upper()}, {layers} of {shape.hidden} units, {weights:,} weights",
    }


def _span(axis: TimeAxis, begins: PerSeries, ends: PerSeries) -> str:
    first, last = moments(axis, np.array([begins.min(), ends.max()]))
    return f"{first} to {last}"


def caveats(
    trained: Trained, prepared: PreparedWindows, windows: Windows, metrics: dict[str, dict[str, float]], decides: str
) -> tuple[str, ...]:
    """What a reader should bear in mind, where `decides` is the metric by which the verdict goes."""
    ids, used = prepared.ids, windows.counts > 0
    origins = prepared.panel.ticks(np.arange(len(ids)), windows.first)
    notes = []
    if (used & (origins > trained.trained_until[ids]) & (origins <= trained.ends[ids])).any():
        notes.append(
            "These rows chose when training stopped, how far each series is drawn to its last season and the width of "
            "the interval, which flatters the model, its coverage above all: the proof is an evaluation on later rows."
        )
    best = best_simple(metrics, decides)
    leader, other = sorted(("model", best), key=lambda name: metrics[name][decides])
    ahead = [
        measure.name.replace("_", " ")
        for measure in MEASURES
        if abs(metrics[other][measure.name] - measure.ideal) < abs(metrics[leader][measure.name] - measure.ideal)
    ]
    if ahead:
        notes.append(f"Not every metric says the same: {called(other)} is ahead by {_listed(ahead)}.")
    return tuple(notes)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def examples(
    trained: Trained,
    prepared: PreparedWindows,
    windows: Windows,
    errors: Float64[np.ndarray, " rows"],
    simple: Sequence[Forecasting],
) -> list[dict[str, Any]]:
    """A few of the windows evaluated, spread evenly over the time and from the best to the worst series.

    `errors` are the mean absolute errors of each target of each series, as training numbered them; `simple` is for each
    target the simple method to show beside.

    Returns:
        For each, its series and what was forecast, as lists: `time` and `truth` from the end of the context on,
        `mean`, `low`, `median`, `high` and `simple`, the median of the simple method, over the horizon.
    """
    targets = len(trained.columns.targets)
    used = np.flatnonzero(windows.counts)
    series, target = np.repeat(used, targets), np.tile(np.arange(targets), len(used))
    scale = trained.naive_scale.reshape(-1)
    scaled = np.divide(errors, scale, out=np.full(errors.shape, np.nan), where=scale > 0)
    ranked = scaled[prepared.ids[series] * targets + target]
    order = np.argsort(ranked, kind="stable")
    order = order[: int(np.isfinite(ranked).sum()) or len(order)]  # what never changed is dull to look at
    count = min(_SHOWN, int(windows.counts[series[order]].sum()))
    places = np.arange(count) * len(order) // count
    if len(order) >= count:
        places = np.linspace(0, len(order) - 1, count).round().astype(int)
    found = []
    for k, i in enumerate(order[places]):
        one = int(series[i])
        window = int((k + 0.5) / count * windows.counts[one])
        origin = int(windows.first[one] + window * windows.stride)
        found.append(
            _example(trained, prepared, one, origin, int(target[i]), simple[target[i]])
            | {"rank": int(places[k]) + 1, "of": len(order)}
        )
    return found


def _example(
    trained: Trained, prepared: PreparedWindows, series: int, origin: int, target: int, simple: Forecasting
) -> dict[str, Any]:
    panel, horizon = prepared.panel, trained.shape.horizon
    column = trained.columns.targets[target]
    past = int(origin - panel.bounds[series])
    before = min(trained.shape.context, past, max(2 * trained.season, horizon))
    rows = np.arange(origin - before, origin + horizon)
    truth = panel.columns[column][rows]
    if column in panel.filled:
        truth = np.where(panel.filled[column][rows], np.nan, truth)
    numbers, origins = np.array([series]), np.array([origin])
    _, beside = simple(numbers, origins)
    mean, spread = forecast(trained, prepared, numbers, origins, target)
    low, median, high = (spread[0, :, trained.quantiles.index(q)] for q in (0.1, 0.5, 0.9))
    return {
        "series": shown(panel.names[series]),
        "target": column,
        "time": moments(trained.axis, panel.ticks(np.full(len(rows), series), rows)),
        "before": before,
        "truth": truth.tolist(),
        "mean": mean[0].tolist(),
        "low": low.tolist(),
        "median": median.tolist(),
        "high": high.tolist(),
        "simple": beside[0, :, trained.quantiles.index(0.5)].tolist(),
    }

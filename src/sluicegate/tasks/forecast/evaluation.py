"""Evaluate a forecaster by rolling origin: every window, the model and the simple methods on the very same ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool

from sluicegate.data import Panel, Windows
from sluicegate.data.names import shown
from sluicegate.errors import ConfigError, DataError
from sluicegate.metrics import ForecastScores
from sluicegate.tasks.report import Picture, Report
from sluicegate.training import progress_bar

from .batches import Numbers, PreparedWindows, first_origins
from .contest import Contest
from .forecasting import forecast, lost_scales
from .report import MEASURES, caveats, examples, facts
from .simple import FEWEST, STATISTICAL, choose, simple_methods
from .telling import told, told_of_scales
from .trained import Trained
from .verdict import best_simple, verdict

_AT_ONCE = 1024  # windows forecast together
_DRAWN = 3  # simple methods in a picture
# The slow baselines run unasked up to this many series, some seconds each, and windows, some hundredths each.
_FEW_SERIES, _FEW_WINDOWS = 10, 500


def evaluate(
    trained: Trained, panel: Panel, *, start: Any, stride: int, baselines: Sequence[str] | None, progress: bool | None
) -> Report:
    """Every window of a panel whose horizon begins at or after `start`."""
    trained = trained.on(panel.axis)
    axis, shape = trained.axis, trained.shape
    seen = dict(zip(trained.names, trained.ends.tolist(), strict=True))
    new = np.array([name not in seen for name in panel.names])
    begins = panel.starts.copy()
    if start is not None:
        begins[:] = axis.tick_of(start)
    else:
        begins[~new] = [seen[name] + axis.step for name in panel.names if name in seen]
    rows = np.maximum(0, -(-(begins - panel.starts) // axis.step))
    least = first_origins(panel, shape.context, shape.horizon) - panel.bounds[:-1]
    first = panel.bounds[:-1] + np.maximum(rows, least)
    windows = Windows.between(first, panel.bounds[1:], shape.horizon, stride)
    if not len(windows):
        earlier = " or an earlier `start`" if (panel.lengths >= least + shape.horizon).any() else ""
        since = "the rows that training saw" if start is None else str(start)
        raise DataError(
            f"the table holds no window to evaluate: each needs {shape.context} rows of context before and "
            f"{shape.horizon} rows from {since} on; give more rows{earlier}"
        )
    trained, ids = trained.including(panel, np.minimum(first, panel.bounds[1:]))
    used = windows.counts > 0
    origins = np.where(used, first, panel.bounds[:-1] + shape.context)
    notes = [*panel.notes, *told(panel, new & used, origins, shape.context, list(seen))]
    if (used & (panel.ticks(np.arange(len(ids)), first) <= trained.trained_until[ids])).any():
        notes.append("Some windows lie in rows that the model was trained on: the figures flatter it.")
    late = int((used & (rows < least)).sum())
    if late and start is not None:
        notes.append(f"In {late} series the first windows from {start} on lack a context and were left out.")
    prepared = trained.prepare(panel, ids)
    notes += told_of_scales(panel.names, _lost(trained, prepared, windows))
    targets = len(trained.columns.targets)
    before = int((first - panel.bounds[:-1])[used].min())
    chosen, left_out = _slow(baselines, int(used.sum()) * targets, len(windows) * targets, before)
    return evaluate_rows(trained, prepared, windows, "evaluation", chosen, (*notes, *left_out), progress)


def _draw(details: dict[str, Any]) -> list[Picture]:
    from .pictures import draw  # with matplotlib, half a second to load, which no prediction needs

    return draw(details)


def _lost(trained: Trained, prepared: PreparedWindows, windows: Windows) -> Bool[np.ndarray, " series"]:
    """The series for which the scale of training is worthless in their first or their last window."""
    lost = np.zeros(len(windows.counts), bool)
    used = np.flatnonzero(windows.counts)
    for origins in (windows.first, windows.first + (windows.counts - 1) * windows.stride):
        lost[used] |= lost_scales(trained, prepared, used, origins[used])
    return lost


def _slow(
    asked: Sequence[str] | None, series: int, windows: int, before: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The slow baselines to run, those asked for or all, and a note on those that were not.

    There are so many series and windows, each target for itself; the shortest series has so many rows `before` them.
    """
    short = [name for name in STATISTICAL if before < FEWEST[name] and name in (asked or STATISTICAL)]
    rows = " and ".join(f"{name} needs {FEWEST[name]} rows" for name in short)
    needed = f"{rows} before the first window, and a series has {before}"
    if asked is not None:
        unknown = sorted(set(asked) - {*STATISTICAL, "seasonal_naive"})
        if unknown:
            known = " or ".join(STATISTICAL)
            raise ConfigError(f"`baselines` (`--baseline`) names {unknown[0]!r}: expected {known}")
        if asked and short:
            raise DataError(f"{needed}: leave {short[0]} out of `baselines` (`--baseline`), or give a later `start`")
        return tuple(name for name in STATISTICAL if name in asked), ()
    if importlib.util.find_spec("statsforecast") is None:
        return (), ()
    if series <= _FEW_SERIES and windows <= _FEW_WINDOWS:
        enough = tuple(name for name in STATISTICAL if name not in short)
        return enough, ((f"{needed}: no such forecast stands beside the model.",) if short else ())
    note = (
        f"{' and '.join(STATISTICAL)} were left out, which {windows:,} windows of {series} series would take long; "
        "name them in `baselines` (`--baseline`) to have them."
    )
    return (), (note,)


def evaluate_rows(
    trained: Trained,
    prepared: PreparedWindows,
    windows: Windows,
    title: str,
    baselines: Sequence[str],
    notes: Sequence[str],
    progress: bool | None,
) -> Report:
    """Score the model and the baselines on windows, and say which to use."""
    panel, targets, horizon = prepared.panel, trained.columns.targets, trained.shape.horizon
    choice = choose(trained, prepared, windows, baselines)
    rows = len(trained.names) * len(targets)
    scores: dict[str, ForecastScores] = {}
    contest = Contest(panel, windows, horizon, rows=rows, targets=len(targets), metric=choice.metric)
    methods = [simple_methods(trained, prepared, windows, j, choice) for j in range(len(targets))]
    batches = np.array_split(np.arange(len(windows)), -(-len(windows) // (8 if choice.slow else _AT_ONCE)))
    unscored = 0
    with progress_bar("evaluating", len(batches) * len(targets), progress) as report:
        for j, target in enumerate(targets):
            view = np.lib.stride_tricks.sliding_window_view(panel.columns[target], horizon)
            for i, numbers in enumerate(batches):
                series, origins = windows.locate(numbers)
                truth, scored = view[origins], _scored(panel, target, origins, horizon)
                if scored is not None:
                    unscored += int((~scored).sum())
                row = prepared.ids[series] * len(targets) + j
                results = {"model": forecast(trained, prepared, series, origins, j)}
                results |= {name: method(series, origins) for name, method in methods[j].items()}
                losses = {
                    name: scores.setdefault(name, _scores(trained)).add(row, truth, mean, spread, scored)
                    for name, (mean, spread) in results.items()
                }
                contest.add(series, origins, row, losses)
                report(j * len(batches) + i + 1)
    if unscored:
        notes = (*notes, f"{unscored} values had been filled in and were not scored.")
    metrics = {name: score.metrics() for name, score in scores.items()}
    series_names = [
        " ".join(part for part in (shown(name), target) if part) for name in trained.names for target in targets
    ]
    errors = scores["model"].mae_by_series()
    best = best_simple(metrics, choice.metric)
    others = sorted((name for name in metrics if name != "model"), key=lambda name: metrics[name][choice.metric])
    standing = contest.standing(best)
    details = {
        "mae_by_step": {name: score.mae_by_step().tolist() for name, score in scores.items()},
        "mae_by_series": {
            name: dict(zip(series_names, score.mae_by_series().tolist(), strict=True)) for name, score in scores.items()
        },
        "scale_by_series": dict(zip(series_names, trained.naive_scale.reshape(-1).tolist(), strict=True)),
        "examples": examples(trained, prepared, windows, errors, [named[best] for named in methods]),
        "best": best,
        "shown": ["model", *dict.fromkeys([best, "seasonal_naive", *others])][: 1 + _DRAWN],
        "axis": {
            "time": trained.columns.time,
            "targets": len(targets),
            "step": trained.axis.describe_step(),
            "whole_numbers": trained.axis.kind == "integer",
            "same_phase": trained.season > 1 and windows.stride % trained.season == 0,
        },
        "curve": asdict(trained.curve),
        "rows": rows,
    }
    return Report(
        title=f"Forecast of {', '.join(targets)}, {horizon} steps ahead: {title}",
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict(metrics, choice.metric, len(windows) * len(targets), standing, rows),
        facts=facts(trained, prepared, windows) | {"test of noise": standing.test} | choice.facts(),
        notes=(*notes, *choice.notes(), *caveats(trained, prepared, windows, metrics, choice.metric)),
        measures=MEASURES,
        draw=partial(_draw, details),
        details=details,
    )


def _scores(trained: Trained) -> ForecastScores:
    scale, deviation = trained.naive_scale.reshape(-1), trained.deviation.reshape(-1)
    return ForecastScores(trained.quantiles, scale, deviation, trained.shape.horizon)


def _scored(panel: Panel, target: str, origins: Numbers, horizon: int) -> Bool[np.ndarray, "batch horizon"] | None:
    """Values that were filled in say nothing about a forecast."""
    if target not in panel.filled:
        return None
    filled = panel.filled[target]
    scored: Bool[np.ndarray, "batch horizon"] = ~filled[origins[:, None] + np.arange(horizon)]
    # Where the last row before the horizon was filled in, a straight line would give the truth away.
    scored &= ~filled[origins - 1][:, None]
    return scored

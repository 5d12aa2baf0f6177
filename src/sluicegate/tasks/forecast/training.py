"""Train a forecaster: split by time, measure scales on the training rows, train, calibrate on the validation part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float64

from sluicegate.data import Panel, Scaler, Support, Windows, find_season
from sluicegate.data.axis import calendar_periods
from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.training import Part, Schedule, train

from . import refining
from .batches import Calendar, Columns, PreparedWindows, Scalers, first_origins
from .combination import measure_shares
from .config import ForecasterConfig
from .evaluation import evaluate_rows
from .forecasting import last_rows, measure_widths, outputs_of
from .gain import measure_gain
from .model import SegmentForecaster, Shape, temper
from .objective import Objective
from .splitting import VALIDATED, Split, hold_back, join, long_enough, longer
from .trained import Trained, seasonal_scales


def fit(
    panel: Panel,
    ahead: Panel | None,
    columns: Columns,
    config: ForecasterConfig,
    *,
    checkpoint: Path | None,
    resume: bool,
    progress: bool | None,
) -> tuple[Trained, Report]:
    """Train on a panel, with `ahead` as the rows that validate.

    Returns:
        What was learnt, and the report on the validation part.
    """
    season = config.season or panel.axis.season or _season_in(panel, columns)
    context = config.context or _context_for(panel, season, config.horizon)
    panel, ahead = long_enough(panel, ahead, context, config)
    split = hold_back(panel, context, config.horizon) if ahead is None else join(panel, ahead)
    panel = split.panel
    lengths = split.ends - panel.bounds[:-1]
    scalers = Scalers(
        Scaler.fit(panel, columns.targets, split.ends, season).or_where_still(
            lambda: Scaler.fit(panel, columns.targets, panel.bounds[1:], season)
        ),
        Scaler.fit(panel, columns.past + columns.known, split.ends).pooled(lengths),
    )
    calendar = Calendar(panel.axis, tuple(calendar_periods(panel.axis, int(np.median(lengths)))))
    shape = Shape(
        context=context,
        horizon=config.horizon,
        segment=config.segment or default_segment(season, context),
        past=len(columns.past),
        known=len(columns.known),
        calendar=calendar.width,
        outputs=1 + len(config.quantiles),
        median=1 + config.quantiles.index(0.5),
        cell=config.cell,
        hidden=config.hidden,
        layers=config.layers,
        dropout=config.dropout,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = SegmentForecaster(shape)
    support = Support.fit(panel, columns.targets, panel.bounds[1:]).where(scalers.targets.knee == 0)
    prepared = PreparedWindows(panel, np.arange(len(panel.names)), columns, scalers, calendar, shape, season, support)
    first = first_origins(panel, context, config.horizon)
    training = Windows.between(first, split.ends, config.horizon)
    held_back = Windows.between(np.maximum(split.ends, first), panel.bounds[1:], config.horizon)
    if not len(training) or not len(held_back):
        remedy = (
            f"give {config.horizon} rows at least in `validation` (`--validation`) that follow a series of training"
            if ahead is not None and len(training)
            else longer(panel.lengths if ahead is None else lengths, context, config.horizon, ahead)
        )
        raise DataError(
            f"the table holds {len(training)} windows to train on and {len(held_back)} to validate on, each of "
            f"{context} + {config.horizon} rows: {remedy}"
        )
    # What never changes is forecast by that rule, and would have the network take all intervals for narrow.
    moves = np.any(scalers.targets.deviation > 0, axis=1)
    training, validating = (_of(windows, moves) for windows in (training, held_back))
    objective = Objective(prepared, training, len(columns.targets), torch.tensor(config.quantiles))
    start = objective.solve(model, validating)
    curve = train(
        model,
        [
            Part(
                model,
                lambda _, generator: objective.loss(model, config.batch, generator),
                lambda: objective.validate(model, validating),
            )
        ],
        _schedule(config, len(training) * len(columns.targets)),
        seed=config.seed,
        fingerprint=_fingerprint(prepared, split, columns, config),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    share = objective.share(model, validating, start)
    temper(model, share, start)
    trained = Trained(
        columns=columns,
        names=panel.names,
        trained_until=panel.starts + (lengths - 1) * panel.axis.step,
        ends=panel.starts + (panel.lengths - 1) * panel.axis.step,
        season=season,
        calendar=calendar,
        scalers=scalers,
        support=support,
        naive_share=np.zeros((*scalers.targets.mean.shape, 2)),
        gain=np.ones_like(scalers.targets.mean),
        deviation=Scaler.fit(panel, columns.targets, split.ends).deviation,
        naive_scale=seasonal_scales(panel, columns.targets, panel.bounds[1:], season),
        shape=shape,
        quantiles=config.quantiles,
        widths=np.ones((config.horizon, len(config.quantiles))),
        tail=last_rows(panel, context),
        curve=curve,
        model=model,
        linear=start.double().numpy(),
    )
    trained = replace(trained, naive_share=measure_shares(trained, prepared, validating))
    trained = replace(trained, widths=_calibrate(trained, prepared, validating))
    left_over = np.maximum(0, panel.bounds[1:] - first) % config.horizon
    every = Windows.between(first + left_over, panel.bounds[1:], config.horizon, config.horizon)
    trained = replace(trained, gain=measure_gain(trained, prepared, every))
    report = evaluate_rows(
        trained, prepared, held_back.thinned(VALIDATED), "validation part", (), panel.notes, progress
    )
    if ahead is None and (steps := int(share * refining.most(curve.steps[-1]))) > 0:
        windows = _of(Windows.between(first, panel.bounds[1:], config.horizon), moves)
        whole = Objective(prepared, windows, len(columns.targets), torch.tensor(config.quantiles))
        refining.refine(
            model,
            lambda generator: whole.loss(model, config.batch, generator),
            steps=steps,
            learning_rate=config.learning_rate,
            seed=config.seed,
        )
        trained = replace(trained, trained_until=trained.ends, gain=np.ones_like(trained.gain))
        trained = replace(trained, gain=measure_gain(trained, prepared, every))
    return trained, report


def default_context(season: int, horizon: int, length: int) -> int:
    """Steps to look back on: two weeks of hours, or a few of longer seasons, as far as series of `length` allow."""
    seasons = season * (14 if season <= 24 else 4)
    wanted = min(max(seasons, 2 * horizon, 32), 1024)
    return max(2, min(wanted, length - 3 * horizon, (3 * length) // 4))


def _context_for(panel: Panel, season: int, horizon: int) -> int:
    """The steps that the shortest series allows, or, where that is less than half, those that most series allow."""
    shortest, usual = (
        default_context(season, horizon, int(length)) for length in (panel.lengths.min(), np.median(panel.lengths))
    )
    return shortest if 2 * shortest >= usual else usual


def default_segment(season: int, context: int) -> int:
    """Steps in a segment: a season, or the largest part of a long one that divides it, but two segments at least."""
    if season == 1:
        return max(1, min(24, context // 8))
    size = next(part for part in range(min(season, 32), 0, -1) if season % part == 0)
    if size < 5:
        size *= max(1, 12 // size)
    return max(1, min(size, context // 2))


def _season_in(panel: Panel, columns: Columns) -> int:
    longest = int(min(400, np.median(panel.lengths) // 3))
    return find_season(panel, list(columns.targets), panel.bounds[1:], longest)


def _schedule(config: ForecasterConfig, windows: int) -> Schedule:
    steps = config.steps or int(np.clip(8 * windows / config.batch, 300, 1500))
    return Schedule(
        steps=steps,
        every=max(1, steps // 20),
        patience=config.patience,
        learning_rate=config.learning_rate,
        epoch=-(-windows // config.batch),
    )


def _of(windows: Windows, series: Bool[np.ndarray, " series"]) -> Windows:
    """The windows of some of the series, or all where these have none."""
    counts = np.where(series, windows.counts, 0)
    return replace(windows, counts=counts) if counts.any() else windows


def _calibrate(
    trained: Trained, prepared: PreparedWindows, windows: Windows
) -> Float64[np.ndarray, "horizon quantiles"]:
    """Measure the quantiles' factors on the validation windows."""
    thinned = windows.thinned(VALIDATED)
    series, origins = thinned.locate(np.arange(len(thinned)))
    spreads, truths, generator = [], [], torch.Generator().manual_seed(0)
    for j in range(len(trained.columns.targets)):
        target = np.full(len(series), j)
        batch, truth = prepared.batch(series, origins, target)
        spreads.append(outputs_of(trained, batch, series, j)[..., 1:])
        truths.append(prepared.spread_out(truth, series, target, generator).double().numpy())
    shape, independent = trained.shape, float(windows.apart(trained.shape.horizon).sum())
    return measure_widths(
        np.concatenate(spreads), np.concatenate(truths), trained.quantiles, shape.segment, independent
    )


def _fingerprint(prepared: PreparedWindows, split: Split, columns: Columns, config: ForecasterConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update(json.dumps([asdict(columns), [str(name) for name in split.panel.names]]).encode())
    digest.update(repr(split.panel.axis).encode())
    digest.update(np.concatenate([split.panel.starts, split.ends]).tobytes())
    for values in prepared.panel.columns.values():
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()

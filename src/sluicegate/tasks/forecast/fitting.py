"""Train a forecaster: split by time, measure scales on the training rows, train, calibrate on the validation part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from sluicegate.data import Panel, Scaler, Support, Windows, find_season
from sluicegate.data.axis import calendar_periods
from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.training import Part, Schedule, train

from . import refining
from .batches import Batch, Calendar, Columns, PreparedWindows, Scalers, first_origins
from .combination import measure_shares
from .config import ForecasterConfig
from .evaluation import evaluate_rows
from .fitted import Fitted, seasonal_scales
from .forecasting import last_rows, measure_widths, outputs_of
from .gain import measure_gain
from .linear import best_ridge, known_effects
from .model import SegmentForecaster, Shape, loss, temper
from .splitting import VALIDATED, Split, hold_back, join, long_enough, longer

_DOUBTED = 3  # windows apart that are taken to say that the linear forecast is right
_SOLVED = 20_000  # windows from which the linear start is solved


def fit(
    panel: Panel,
    ahead: Panel | None,
    columns: Columns,
    config: ForecasterConfig,
    *,
    checkpoint: Path | None,
    resume: bool,
    progress: bool | None,
) -> tuple[Fitted, Report]:
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
    draw = _Draw(prepared, training, len(columns.targets), torch.tensor(config.quantiles))
    start = draw.solve(model, validating)
    curve = train(
        model,
        [
            Part(
                model,
                lambda _, generator: draw.loss(model, config.batch, generator),
                lambda: draw.validate(model, validating),
            )
        ],
        _schedule(config, len(training) * len(columns.targets)),
        seed=config.seed,
        fingerprint=_fingerprint(prepared, split, columns, config),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    share = draw.share(model, validating, start)
    temper(model, share, start)
    fitted = Fitted(
        columns=columns,
        names=panel.names,
        trained=panel.starts + (lengths - 1) * panel.axis.step,
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
    fitted = replace(fitted, naive_share=measure_shares(fitted, prepared, validating))
    fitted = replace(fitted, widths=_calibrate(fitted, prepared, validating))
    left_over = np.maximum(0, panel.bounds[1:] - first) % config.horizon
    every = Windows.between(first + left_over, panel.bounds[1:], config.horizon, config.horizon)
    fitted = replace(fitted, gain=measure_gain(fitted, prepared, every))
    report = evaluate_rows(fitted, prepared, held_back.thinned(VALIDATED), "validation part", (), panel.notes, progress)
    if ahead is None and (steps := int(share * refining.most(curve.steps[-1]))) > 0:
        windows = _of(Windows.between(first, panel.bounds[1:], config.horizon), moves)
        whole = _Draw(prepared, windows, len(columns.targets), torch.tensor(config.quantiles))
        refining.refine(
            model,
            lambda generator: whole.loss(model, config.batch, generator),
            steps=steps,
            learning_rate=config.learning_rate,
            seed=config.seed,
        )
        fitted = replace(fitted, trained=fitted.ends, gain=np.ones_like(fitted.gain))
        fitted = replace(fitted, gain=measure_gain(fitted, prepared, every))
    return fitted, report


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


class _Draw:
    """Draws training batches and measures the loss of windows; windows and targets are numbered together."""

    def __init__(self, prepared: PreparedWindows, windows: Windows, targets: int, quantiles: Tensor) -> None:
        self._prepared, self._windows, self._targets, self._quantiles = prepared, windows, targets, quantiles

    def loss(self, model: SegmentForecaster, size: int, generator: torch.Generator) -> Tensor:
        """The loss of a random batch of training windows."""
        total = len(self._windows) * self._targets
        numbers = torch.randint(total, (size,), generator=generator).numpy()
        return self._loss_of(model, self._windows, numbers, generator)

    def validate(self, model: SegmentForecaster, windows: Windows) -> float:
        """The mean loss of windows, thinned evenly where there are many."""
        total = len(windows) * self._targets
        numbers = np.linspace(0, total - 1, min(total, VALIDATED)).astype(np.int64)
        parts = np.array_split(numbers, -(-len(numbers) // 1024))
        generator = torch.Generator().manual_seed(0)
        return sum(float(self._loss_of(model, windows, part, generator)) * len(part) for part in parts) / len(numbers)

    @torch.no_grad()
    def solve(self, model: SegmentForecaster, held_back: Windows) -> Float[Tensor, "horizon context"]:
        """Set the linear part of the model to its solution in closed form, and the quantiles to its residuals'.

        Returns:
            The linear map.
        """
        batch, truth, _ = self._evenly(self._windows, _SOLVED)
        others, other_truth, spread = self._evenly(held_back, VALIDATED)
        if model.shape.known:
            model.effect.copy_(known_effects(batch.known, batch.context, truth))
        parts = []
        for inputs, outputs in ((batch, truth), (others, other_truth)):
            z, level = model.without_level(inputs.context, inputs.known)
            parts.append((z, outputs - level))
        model.shortcut.copy_(best_ridge(*parts))
        # Of every tenth value or so: quantiles need no more.
        residuals = spread - other_truth + parts[1][1] - parts[1][0] @ model.shortcut.T
        residuals = residuals.flatten()[:: max(1, residuals.numel() // 100_000)]
        model.head.bias.view(-1, model.shape.outputs)[:, 1:] = torch.quantile(residuals, self._quantiles)
        return model.shortcut.detach().clone()

    @torch.no_grad()
    def share(self, model: SegmentForecaster, held_back: Windows, start: Float[Tensor, "horizon context"]) -> float:
        """How much of what training added to the linear forecast holds on the validation windows, from 0 to 1.

        The share with the least squared error: 1 where the network is right about what the linear map left over, 0
        where it is not, as on a short table that it learnt by heart. On two earlier splits of ETTh1 this took the mean
        squared error on the rows that followed from 1.34 to 1.29 (336 ahead) and from 0.86 to 0.84 (96 ahead).

        Windows that overlap say the same thing many times: where few lie apart, the share is drawn towards 0, as if
        three more windows had said that the linear forecast is right.
        """
        batch, truth, _ = self._evenly(held_back, VALIDATED)
        z, level = model.without_level(batch.context, batch.known)
        linear = z @ start.T + level
        added = (
            torch.cat([model(*part)[..., 0] for part in zip(*(torch.split(t, 1024) for t in batch), strict=True)])
            - linear
        )
        size = float(added.square().sum())
        share = min(1.0, max(0.0, float((added * (truth - linear)).sum()) / size)) if size > 0 else 1.0
        windows = float(held_back.apart(model.shape.horizon).sum())
        return share * windows / (windows + _DOUBTED)

    def _evenly(
        self, windows: Windows, most: int
    ) -> tuple[Batch, Float[Tensor, "windows horizon"], Float[Tensor, "windows horizon"]]:
        """Windows evenly spread over all, their truth, and this as the quantiles are learnt from it."""
        total = len(windows) * self._targets
        numbers = np.linspace(0, total - 1, min(total, most)).astype(np.int64)
        series, origins = windows.locate(numbers // self._targets)
        target = numbers % self._targets
        batch, truth = self._prepared.batch(series, origins, target)
        return batch, truth, self._prepared.spread_out(truth, series, target, torch.Generator().manual_seed(0))

    def _loss_of(
        self,
        model: SegmentForecaster,
        windows: Windows,
        numbers: Int64[np.ndarray, " batch"],
        generator: torch.Generator,
    ) -> Tensor:
        series, origins = windows.locate(numbers // self._targets)
        target = numbers % self._targets
        batch, truth = self._prepared.batch(series, origins, target)
        spread = self._prepared.spread_out(truth, series, target, generator)
        return loss(model(*batch), truth, spread, self._quantiles)


def _of(windows: Windows, series: Bool[np.ndarray, " series"]) -> Windows:
    """The windows of some of the series, or all where these have none."""
    counts = np.where(series, windows.counts, 0)
    return replace(windows, counts=counts) if counts.any() else windows


def _calibrate(fitted: Fitted, prepared: PreparedWindows, windows: Windows) -> Float64[np.ndarray, "horizon quantiles"]:
    """Measure the quantiles' factors on the validation windows."""
    thinned = windows.thinned(VALIDATED)
    series, origins = thinned.locate(np.arange(len(thinned)))
    spreads, truths, generator = [], [], torch.Generator().manual_seed(0)
    for j in range(len(fitted.columns.targets)):
        target = np.full(len(series), j)
        batch, truth = prepared.batch(series, origins, target)
        spreads.append(outputs_of(fitted, batch, series, j)[..., 1:])
        truths.append(prepared.spread_out(truth, series, target, generator).double().numpy())
    shape, independent = fitted.shape, float(windows.apart(fitted.shape.horizon).sum())
    return measure_widths(np.concatenate(spreads), np.concatenate(truths), fitted.quantiles, shape.segment, independent)


def _fingerprint(prepared: PreparedWindows, split: Split, columns: Columns, config: ForecasterConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update(json.dumps([asdict(columns), [str(name) for name in split.panel.names]]).encode())
    digest.update(repr(split.panel.axis).encode())
    digest.update(np.concatenate([split.panel.starts, split.ends]).tobytes())
    for values in prepared.panel.columns.values():
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()

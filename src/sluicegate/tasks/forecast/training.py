"""Train a forecaster: split by time, measure scales on the training rows, train, calibrate on the validation part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from sluicegate.data import Panel, Scaler, Support, Windows
from sluicegate.data.axis import calendar_periods
from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, Part

from . import refining
from .batches import Calendar, Columns, PreparedWindows, Scalers, first_origins
from .combination import measure_shares
from .config import ForecasterConfig
from .evaluation import evaluate_rows
from .forecasting import last_rows, measure_widths, outputs_of
from .gain import measure_gain
from .model import SegmentForecaster, Shape, temper
from .objective import Objective
from .sizes import context_for, default_segment, schedule_of, season_in
from .splitting import VALIDATED, hold_back, join, long_enough, longer
from .trained import Trained, seasonal_scales


class Preparation:
    """A panel made ready to train on: cut by time, measured, and seen in windows.

    The rows of `ahead` follow it and validate; None holds the last ones back.

    Raises:
        DataError: it holds no window to train on, or none to validate on.
    """

    def __init__(self, panel: Panel, ahead: Panel | None, columns: Columns, config: ForecasterConfig) -> None:
        self.columns, self.config = columns, config
        self.season = config.season or panel.axis.season or season_in(panel, columns)
        context = config.context or context_for(panel, self.season, config.horizon)
        panel, ahead = long_enough(panel, ahead, context, config)
        self.given = ahead is not None
        self.split = hold_back(panel, context, config.horizon) if ahead is None else join(panel, ahead)
        self.panel = self.split.panel
        self.lengths = self.split.ends - self.panel.bounds[:-1]
        self.scalers = self._scalers()
        self.calendar = Calendar(
            self.panel.axis, tuple(calendar_periods(self.panel.axis, int(np.median(self.lengths))))
        )
        self.shape = self._shape(context)
        self.support = Support.fit(self.panel, columns.targets, self.panel.bounds[1:]).where(
            self.scalers.targets.knee == 0
        )
        self.prepared = PreparedWindows(
            self.panel,
            np.arange(len(self.panel.names)),
            columns,
            self.scalers,
            self.calendar,
            self.shape,
            self.season,
            self.support,
        )
        self.first = first_origins(self.panel, context, config.horizon)
        training = Windows.between(self.first, self.split.ends, config.horizon)
        self.held_back = Windows.between(np.maximum(self.split.ends, self.first), self.panel.bounds[1:], config.horizon)
        self._require_windows(training)
        # What never changes is forecast by that rule, and would have the network take all intervals for narrow.
        self.moves = np.any(self.scalers.targets.deviation > 0, axis=1)
        self.training, self.validating = (_of(windows, self.moves) for windows in (training, self.held_back))

    def run(self, *, frame: str, progress: bool | None) -> Run[Trained]:
        """Build the network, which starts from the linear map; `frame` is the kind of frame that the table was."""
        config = self.config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            model = SegmentForecaster(self.shape)
        objective = self._objective(self.training)
        start = objective.solve(model, self.validating)
        part = Part(
            model,
            lambda _, generator: objective.loss(model, config.batch, generator),
            lambda: objective.validate(model, self.validating),
        )
        return Run(
            model,
            [part],
            schedule_of(config, len(self.training) * len(self.columns.targets)),
            self._fingerprint(),
            lambda curve: self._finished(model, objective, start, curve, frame, progress),
        )

    def _finished(
        self,
        model: SegmentForecaster,
        objective: Objective,
        start: Tensor,
        curve: Curve,
        frame: str,
        progress: bool | None,
    ) -> tuple[Trained, Report]:
        """Weigh the network against the linear map, calibrate, report, and go on with the rows held back."""
        share = objective.share(model, self.validating, start)
        temper(model, share, start)
        trained = self._trained(model, start, curve, frame)
        trained = replace(trained, naive_share=measure_shares(trained, self.prepared, self.validating))
        trained = replace(trained, widths=_calibrate(trained, self.prepared, self.validating))
        horizon = self.config.horizon
        left_over = np.maximum(0, self.panel.bounds[1:] - self.first) % horizon
        every = Windows.between(self.first + left_over, self.panel.bounds[1:], horizon, horizon)
        trained = replace(trained, gain=measure_gain(trained, self.prepared, every))
        report = evaluate_rows(
            trained,
            self.prepared,
            self.held_back.thinned(VALIDATED),
            "validation part",
            (),
            self.panel.notes,
            progress,
        )
        if not self.given and (steps := int(share * refining.most(curve.steps[-1]))) > 0:
            self._refine(model, steps)
            trained = replace(trained, trained_until=trained.ends, gain=np.ones_like(trained.gain))
            trained = replace(trained, gain=measure_gain(trained, self.prepared, every))
        return trained, report

    def _refine(self, model: SegmentForecaster, steps: int) -> None:
        """Take a few small steps on windows of all rows."""
        windows = Windows.between(self.first, self.panel.bounds[1:], self.config.horizon)
        whole = self._objective(_of(windows, self.moves))
        refining.refine(
            model,
            lambda generator: whole.loss(model, self.config.batch, generator),
            steps=steps,
            learning_rate=self.config.learning_rate,
            seed=self.config.seed,
        )

    def _objective(self, windows: Windows) -> Objective:
        return Objective(self.prepared, windows, len(self.columns.targets), torch.tensor(self.config.quantiles))

    def _scalers(self) -> Scalers:
        panel, columns, ends = self.panel, self.columns, self.split.ends
        return Scalers(
            Scaler.fit(panel, columns.targets, ends, self.season).or_where_still(
                lambda: Scaler.fit(panel, columns.targets, panel.bounds[1:], self.season)
            ),
            Scaler.fit(panel, columns.past + columns.known, ends).pooled(self.lengths),
        )

    def _shape(self, context: int) -> Shape:
        config = self.config
        return Shape(
            context=context,
            horizon=config.horizon,
            segment=config.segment or default_segment(self.season, context),
            past=len(self.columns.past),
            known=len(self.columns.known),
            calendar=self.calendar.width,
            outputs=1 + len(config.quantiles),
            median=1 + config.quantiles.index(0.5),
            cell=config.cell,
            hidden=config.hidden,
            layers=config.layers,
            dropout=config.dropout,
        )

    def _require_windows(self, training: Windows) -> None:
        if len(training) and len(self.held_back):
            return
        context, horizon = self.shape.context, self.shape.horizon
        lengths = self.lengths if self.given else self.panel.lengths
        remedy = (
            f"give {horizon} rows at least in `validation` (`--validation`) that follow a series of training"
            if self.given and len(training)
            else longer(lengths, context, horizon, given=self.given)
        )
        raise DataError(
            f"the table holds {len(training)} windows to train on and {len(self.held_back)} to validate on, each of "
            f"{context} + {horizon} rows: {remedy}"
        )

    def _trained(self, model: SegmentForecaster, start: Tensor, curve: Curve, frame: str) -> Trained:
        """What was learnt, before anything is calibrated."""
        panel, columns, mean = self.panel, self.columns, self.scalers.targets.mean
        return Trained(
            columns=columns,
            names=panel.names,
            trained_until=panel.starts + (self.lengths - 1) * panel.axis.step,
            ends=panel.starts + (panel.lengths - 1) * panel.axis.step,
            season=self.season,
            calendar=self.calendar,
            scalers=self.scalers,
            support=self.support,
            naive_share=np.zeros((*mean.shape, 2)),
            gain=np.ones_like(mean),
            deviation=Scaler.fit(panel, columns.targets, self.split.ends).deviation,
            naive_scale=seasonal_scales(panel, columns.targets, panel.bounds[1:], self.season),
            shape=self.shape,
            quantiles=self.config.quantiles,
            widths=np.ones((self.shape.horizon, len(self.config.quantiles))),
            tail=last_rows(panel, self.shape.context),
            curve=curve,
            model=model,
            linear=start.double().numpy(),
            frame=frame,
        )

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self.config.model_dump_json().encode())
        digest.update(json.dumps([asdict(self.columns), [str(name) for name in self.panel.names]]).encode())
        digest.update(repr(self.panel.axis).encode())
        digest.update(np.concatenate([self.panel.starts, self.split.ends]).tobytes())
        for values in self.panel.columns.values():
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()


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

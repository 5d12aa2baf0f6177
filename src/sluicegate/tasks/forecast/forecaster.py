"""The forecaster: from a table to a forecast that can be trusted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np

from sluicegate.data import Panel, Source, read_panel
from sluicegate.data.frames import backend_of, kind_named, kind_of, like
from sluicegate.data.headings import Heading, asked, asked_one, headed
from sluicegate.data.ledger import NEVER
from sluicegate.data.names import matched
from sluicegate.data.scaling import InputScale
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.config import told_apart
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import TrainedTask

from .batches import Columns, PerSeries
from .card import forecast_card
from .config import ARGUMENTS, ForecasterConfig
from .evaluation import evaluate
from .forecasting import forecast_next
from .report import MEASURES
from .stream import ForecastStream
from .trained import Trained
from .training import Preparation

_ANSWER = r"time|target|mean|q[0-9.]+"
_logger = logging.getLogger("sluicegate")


class Forecaster(TrainedTask[ForecasterConfig, Trained]):
    """Forecast one series, many series with one model, or several target columns.

    The model reads the context in segments with one recurrent layer and writes all of the horizon at once, with a
    mean and quantiles (SegRNN, Lin et al. 2023); every evaluation sets it beside simple methods.

    Args:
        horizon: steps to forecast, at least 1.
        context: steps that each forecast looks back on; None follows the season and the length of the table.
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        settings: further ones, listed at `ForecasterConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.

    >>> import polars as pl
    >>> table = pl.DataFrame({"day": range(400), "sales": [float(10 + d % 7) for d in range(400)]})
    >>> f = Forecaster(horizon=7, context=28, steps=50).fit(table, time="day", target="sales")
    >>> f.predict().columns
    ['time', 'target', 'mean', 'q10', 'q50', 'q90']
    """

    name: ClassVar[str] = "forecast"
    arguments = ARGUMENTS
    trained_as = Trained
    measures = MEASURES

    def __init__(
        self, horizon: int, *, context: int | None = None, cell: str = "gru", seed: int = 0, **settings: Any
    ) -> None:
        super().__init__(horizon=horizon, context=context, cell=cell, seed=seed, **settings)
        self.notes: tuple[str, ...] = ()
        """What must be known of the last forecast, a sentence each: which series are new, short, of another scale."""

    def fit(
        self,
        data: Any,
        *,
        time: Heading,
        target: Heading | Sequence[Heading],
        series: Heading | Sequence[Heading] | None = None,
        known: Heading | Sequence[Heading] = (),
        past: Heading | Sequence[Heading] = (),
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> Forecaster:
        """Train on a long table: a row for each series and time.

        Args:
            data: a pandas or polars data frame or an Arrow table, in order of time within each series. Columns that
                pandas names by whole numbers or tuples are named so here, and by their text in answers.
            time: the column of time stamps of any regular step, or of whole numbers.
            target: the column to forecast, or several.
            series: the column that tells series apart, or several that do so together.
            known: columns of numbers that are known in advance, such as prices or holidays.
            past: columns of numbers that are known up to now only.
            validation: rows that follow those of `data`; rows that overlap them serve as context only. Left out, the
                last part of `data` is held back, by time.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.
            validation_origin: what the validation table is called in messages.

        Returns:
            The forecaster itself, with the report on the validation part in `report`.

        Raises:
            DataError: the table cannot be used as it is; the message says where and what to do.
            ConfigError: a column has two roles, or the checkpoint is of another run.
        """
        apart = None if series is None else told_apart(asked(data, series), _ANSWER)
        columns = Columns(asked_one(data, time), asked(data, target), apart, asked(data, past), asked(data, known))
        if not columns.targets:
            raise ConfigError("`target` (=[]) must name at least one column")
        panel = self._read(data, columns, None, origin)
        ahead = None
        if validation is not None:
            ahead = self._read(validation, columns, panel, validation_origin or Source("the validation table"))
        run = Preparation(panel, ahead, columns, self.config).run(frame=kind_of(backend_of(data)), progress=progress)
        self._learn(run, checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(
        self,
        data: Any,
        *,
        start: Any = None,
        stride: int = 1,
        baselines: Sequence[str] | None = None,
        progress: bool | None = None,
        origin: Source | None = None,
    ) -> Report:
        """Forecast from every origin in a table and compare with what came, beside simple methods.

        Args:
            data: a table as for `fit`, with the rows that the first windows look back on.
            start: where the first horizon may begin: a time stamp or a whole number; None is after the rows that
                training saw, validation included.
            stride: steps from one window to the next.
            baselines: names among `AutoETS` and `AutoTheta` to add to the simple methods; None adds both where the
                extra `baselines` is installed and there are few enough windows.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is, or holds no such window.
        """
        trained = self.trained
        if stride < 1:
            raise ConfigError(f"`stride` (={stride}) must be at least 1")
        panel = self._read(data, trained.columns, trained.tail, origin)
        return self._evaluated(
            evaluate(trained, panel, start=start, stride=stride, baselines=baselines, progress=progress)
        )

    def measured_on(self, data: Any, validation: Any) -> dict[str, Any]:
        """Both tables, since the first windows look back, from the first row of the validation on."""
        panel = self._read(validation, self.trained.columns, self.trained.tail, None)
        start = panel.axis.stamps(panel.starts.min(keepdims=True))[0]
        before, after = (nw.from_native(headed(table), eager_only=True) for table in (data, validation))
        rows = nw.concat([before, after.select(before.columns)]).to_native()
        return {"validation": rows, "start": start, "baselines": ()}

    def predict(
        self, data: Any = None, *, future: Any = None, origin: Source | None = None, future_origin: Source | None = None
    ) -> Any:
        """Forecast the horizon that follows the last row of each series.

        Args:
            data: the history, a table as for `fit`; None goes on from the rows that training saw. Series that training
                did not have are forecast by the scale of their rows, and rows that a series lacks of the `context` are
                made up from its first season; `notes` and a warning of the logger `sluicegate` say so.
            future: where there are columns known in advance: a table of them for the horizon's rows.
            origin: what the table is called in messages.
            future_origin: what the table of `future` is called in messages.

        Returns:
            A long frame of the kind that `data` is, or the table of training where there is none, with a row for each
            series, target and step: `series` if there are several, `time`, `target`, `mean` and a column for each
            quantile, `q10`, `q50`, `q90`. Several columns that tell series apart keep their names.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is.
        """
        trained = self.trained
        columns = trained.columns
        panel = trained.tail if data is None else self._read(data, columns, trained.tail, origin)
        ahead = None
        if columns.known and future is not None:
            roles = Columns(columns.time, (), columns.series, (), columns.known)
            ahead = self._read(future, roles, trained.tail, future_origin or Source("the table of `future`"))
        elif columns.known and (ahead := panel.future) is None:
            raise DataError(
                f"the model knows {', '.join(columns.known)} in advance: give the table of their next "
                f"{self.config.horizon} rows as `future` (`--future`), or below the history with an empty target"
            )
        frame, notes = forecast_next(trained, panel, ahead)
        self.notes = tuple(notes)
        for note in self.notes:
            _logger.warning("%s", note)
        return like(frame, kind_named(trained.frame) if data is None else backend_of(data))

    @property
    def input_scale(self) -> InputScale:
        """The mean and deviation of each column in training, see `Task.input_scale`."""
        targets, covariates = (scaler.over_all for scaler in self.trained.scalers)
        return InputScale(
            targets.columns + covariates.columns,
            np.concatenate([targets.mean, covariates.mean]),
            np.concatenate([targets.deviation, covariates.deviation]),
        )

    def open_stream(self, *, warm: bool = False) -> ForecastStream:
        """Open a stream: a row in, the forecast of the horizon that follows it out; see `ForecastStream`.

        Args:
            warm: begin with the last rows that training saw, from which `predict()` without data goes on; by default
                nothing has been read yet.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        trained = self.trained

        def read(data: Any, columns: Columns, origin: Source) -> Panel:
            return self._read(data, columns, trained.tail, origin)

        return ForecastStream(trained, read, self.config.fill, self.fingerprint, warm=warm)

    def _read(self, data: Any, columns: Columns, like: Panel | None, origin: Source | None) -> Panel:
        label = f"series column {columns.series!r} in {(origin or Source()).name}"

        def since(names: Sequence[Any]) -> PerSeries:
            if like is None:
                return np.full(len(names), NEVER)
            places = np.asarray(matched(names, like.names, label))
            return np.where(places >= 0, like.starts[places], NEVER)

        panel = read_panel(
            data,
            time=columns.time,
            values=columns.values,
            series=columns.series,
            fill=self.config.fill,
            axis=None if like is None else like.axis,
            holidays=self.config.holidays if like is None else (),
            targets=columns.targets,
            known=columns.known,
            since=since,
            source=origin,
        )
        if like is None:
            return panel
        places = matched(panel.names, like.names, label)
        return panel.renamed({name: like.names[at] for name, at in zip(panel.names, places, strict=True) if at >= 0})

    def _roles(self) -> dict[str, Any]:
        return {"series": self.trained.columns.series}

    def _card(self, trained: Trained) -> str:
        return forecast_card(self.config, trained, self._results)

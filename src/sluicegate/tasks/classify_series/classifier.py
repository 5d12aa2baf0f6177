"""The series classifier: from labelled recordings to probabilities that can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from sluicegate.data import RECORDING_FILES, Recordings, Source, read_recordings, require_no_arrays
from sluicegate.data.frames import backend_of, like
from sluicegate.data.headings import Heading, asked, asked_one
from sluicegate.data.scaling import InputScale
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classification.classifier import Classifier
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.labels import Label, Labels
from sluicegate.tasks.classification.predictions import predictions
from sluicegate.tasks.config import told_apart
from sluicegate.tasks.report import Report

from .card import series_card
from .config import ARGUMENTS, SeriesClassifierConfig
from .examples import Examples
from .explaining import explain
from .report import early_facts, report
from .side_by_side import SeriesBatch
from .stream import SeriesStream
from .trained import Columns, Trained
from .training import SeriesPreparation

_ANSWER = r"label|probability(_.*)?"
_RECORDINGS = Source("the recordings")


class SeriesClassifier(Classifier[SeriesClassifierConfig, Trained]):
    """Tell classes of recordings apart: wearables, machines, any series of several channels and different lengths.

    Channels are standardised by the training recordings; a light convolution, a bidirectional recurrent layer
    and pooling by attention and maximum make the logits of a window, and the windows of a recording vote. Several
    networks are each trained on another part of the recordings, and their mean is calibrated on those that they did
    not see. Every evaluation sets it beside the majority class, the nearest neighbour, logistic regression on summary
    statistics, and MiniRocket where sktime and numba are installed.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        folds: networks, each validated on another part of the recordings; None follows the recordings.
        window: steps read at a time, None follows the lengths; nothing is ever cut off.
        blend: average the probabilities with those of the better simple method.
        settings: further ones, listed at `SeriesClassifierConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.

    >>> import numpy as np
    >>> slow, fast = (np.sin(np.arange(40)[:, None] * speed) for speed in (0.3, 0.9))
    >>> recordings = [wave[:length] for length in range(25, 41) for wave in (slow, fast)]
    >>> classifier = SeriesClassifier(steps=60, folds=2, hidden=16).fit(recordings, ["slow", "fast"] * 16)
    >>> classifier.predict([slow, fast])["label"].to_list()
    ['slow', 'fast']
    """

    name: ClassVar[str] = "classify-series"
    arguments = ARGUMENTS
    trained_as = Trained
    rows_called = "recordings"
    estimator = "SeriesEstimator"

    def __init__(
        self,
        *,
        cell: str = "gru",
        seed: int = 0,
        folds: int | None = None,
        window: int | None = None,
        blend: bool = False,
        causal: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(cell=cell, seed=seed, folds=folds, window=window, blend=blend, causal=causal, **settings)

    def fit(
        self,
        data: Any,
        labels: Any = None,
        *,
        groups: Any = None,
        series: Heading | Sequence[Heading] | None = None,
        time: Heading | None = None,
        channels: Sequence[Heading] | None = None,
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> SeriesClassifier:
        """Train on labelled recordings.

        Args:
            data: a sequence of `[time, channels]` arrays of any lengths, an array `[recordings, time, channels]`, or a
                long table (a pandas or polars data frame or an Arrow table) with a row for each recording and step.
            labels: a class for each recording: texts, whole numbers or truth values. With a table the name of its
                column, `label` unless given.
            groups: what must not be torn apart, such as the person: a value for each recording, or with a table the
                name of its column. All recordings of a group validate together, and so do equal ones.
            series: with a table, the column that tells recordings apart, or several that do so together.
            time: with a table, the column of times, which must ascend within each recording; None takes the rows as
                they come.
            channels: with a table, the columns of numbers, all others unless given; with arrays, the channels' names.
            validation: recordings to validate on: a table as `data`, or a pair of recordings and labels; None holds
                recordings back, see `folds`.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the recordings are called in messages.
            validation_origin: what the validation recordings are called in messages.

        Returns:
            The classifier itself, with the report on the validation recordings in `report`.

        Raises:
            DataError: the recordings cannot be used as they are; the message says where and what to do.
            ConfigError: a column has two roles, or the checkpoint is of another run.
        """
        self._require_no_folds(validation)
        table = _is_table(data)
        apart = None if series is None else told_apart(asked(data, series), _ANSWER)
        label = (_column(data, labels, "labels") or "label") if table else None
        columns = Columns((), apart, asked_one(data, time), label)
        wanted = None if channels is None else asked(data, channels)
        recordings = _read(data, columns, None if table else labels, groups, wanted, origin)
        columns = Columns(recordings.channels, columns.series, columns.time, _labels(recordings).name)
        classes = Labels.of(_labels(recordings), _where(recordings, origin))
        examples = Examples(recordings, classes.numbers(_labels(recordings), _where(recordings, origin)))
        held_back = None
        if validation is not None:
            other = validation_origin or Source("the validation recordings")
            found, given = (validation, None) if table else _pair(validation)
            told = _read(found, columns, given, None, columns.channels, other)
            held_back = Examples(told, classes.numbers(_labels(told), _where(told, other)))
        run = SeriesPreparation(examples, held_back, columns, classes, self.config).run(progress)
        self._learn(run, checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(self, data: Any, labels: Any = None, *, groups: Any = None, origin: Source | None = None) -> Report:
        """Classify labelled recordings and compare with their labels, beside simple methods.

        Args:
            data: recordings as for `fit`.
            labels: a class for each; with a table the name of its column, the one of training unless given.
            groups: a value for each recording, or with a table the name of a column, by which accuracy is shown.
            origin: what the recordings are called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the recordings cannot be used as they are, or have a class that training did not have.
        """
        trained = self.trained
        columns = trained.columns
        if _is_table(data):
            label = _column(data, labels, "labels") or columns.label or "label"
            columns = Columns(columns.channels, columns.series, columns.time, label)
            labels = None
        recordings = _read(data, columns, labels, groups, columns.channels, origin)
        truth = trained.labels.numbers(_labels(recordings), _where(recordings, origin))
        compared = trained.compared(trained.windowed(recordings))
        early = {
            share: trained.probabilities(trained.windowed(recordings).first(share)) for share in trained.early_shares
        }
        facts = early_facts(trained.decision, early, truth)
        validation = Validation(Examples(recordings, truth), compared, facts=facts)
        return self._evaluated(report(trained, validation, "evaluation"))

    def predict(self, data: Any, *, origin: Source | None = None) -> Any:
        """Classify recordings.

        Args:
            data: recordings as for `fit`; labels are not needed.
            origin: what the recordings are called in messages.

        Returns:
            A frame of the kind that `data` is, polars for arrays, with a row for each recording: its name or number
            in the column or columns of that name in the table, `recording` for arrays; `label`, its `probability`, and
            for each class `probability_` and its name.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the recordings cannot be used as they are.
        """
        trained = self.trained
        table = _is_table(data)
        columns = Columns(trained.columns.channels, trained.columns.series, trained.columns.time)
        recordings = _read(data, columns, None, None, columns.channels, origin)
        probabilities = trained.probabilities(trained.windowed(recordings))
        names = recordings.names.struct.unnest() if recordings.names.dtype == pl.Struct else recordings.names.to_frame()
        frame = pl.DataFrame({**names.to_dict(), **predictions(trained.labels, trained.decision, probabilities)})
        return like(frame, backend_of(data) if table else nw.Implementation.POLARS)

    def open_stream(self) -> SeriesStream:
        """Open a stream: a step of a recording in, the class of what was read so far out; see `SeriesStream`.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        return SeriesStream(self.trained, self.fingerprint)

    @property
    def input_scale(self) -> InputScale:
        """The mean and deviation of each channel in training, see `Task.input_scale`."""
        channels, standard = self.trained.columns.channels, self.trained.standard
        return InputScale(channels, standard.mean[: len(channels)], standard.deviation[: len(channels)])

    def open_batch(self, slots: int) -> SeriesBatch:
        """Open streams side by side, of which those that have a step are pushed together; see `SeriesBatch`.

        Args:
            slots: how many.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: the model was trained with `causal=False`, or `slots` is no whole number from 1 up.
        """
        if not self.trained.shape.causal:
            raise ConfigError(
                "the model was trained with `causal=False`, and reads its window again at every step: open streams "
                "one by one, or train it with `causal=True`"
            )
        return SeriesBatch(self.trained, self.fingerprint, slots)

    def explain(self, recording: Any, label: Label | None = None) -> pl.DataFrame:
        """Tell what each stretch of a recording contributed to the decision.

        Args:
            recording: a `[time, channels]` array.
            label: the class that is explained; None takes the predicted one.

        Returns:
            A row for each channel and stretch: `channel`, `begin` and `end` in steps, and `share`: above 0 it spoke for
            the class, below 0 against it; their sizes sum to 1.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: there is no such class.
        """
        trained = self.trained
        recordings = Recordings.of_arrays([recording], channels=trained.columns.channels)
        windowed = trained.windowed(recordings)
        number = (
            int(trained.decision.answers(trained.probabilities(windowed))[0])
            if label is None
            else trained.labels.number(label)
        )
        found = explain(trained, windowed, 0, number)
        stretches = len(found.edges) - 1
        return pl.DataFrame(
            {
                "channel": np.repeat(trained.columns.channels, stretches).tolist(),
                "begin": np.tile(found.edges[:-1], len(trained.columns.channels)),
                "end": np.tile(found.edges[1:], len(trained.columns.channels)),
                "share": found.shares.T.ravel(),
            }
        )

    def open_file(
        self,
        path: Path,
        *,
        groups: str | None = None,
        labelled: bool = False,
        labels: str | None = None,
        arrays: Mapping[str, str] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """A table, or a file of recordings with its labels and groups; see `Task.open_file`."""
        if path.suffix.lower() not in RECORDING_FILES:
            return super().open_file(path, groups=groups, labels=labels, arrays=arrays)
        label = labels or (self.trained.columns.label if labelled else None)
        return read_recordings(path, label=label, group=groups, **(arrays or {})), {"origin": Source(path.name)}

    @classmethod
    def open_training_file(cls, path: Path, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A table, or a file of recordings with its labels and groups; see `Task.open_training_file`."""
        if path.suffix.lower() not in RECORDING_FILES:
            return super().open_training_file(path, given)
        arrays = {of.name: given.get(of.name) for of in cls.arguments if of.kind == "array"}
        require_no_arrays(path, arrays)
        for of in cls.arguments:
            if of.kind == "column" and given.get(of.name):
                raise ConfigError(f"`--{of.option}` names a column, and {path.name} is no table: leave it out")
        found = read_recordings(path, label=given.get("labels"), group=given.get("groups"), **arrays)
        return found, {"origin": Source(path.name)}

    def _roles(self) -> dict[str, Any]:
        columns = self.trained.columns
        return {"series": columns.series, "labels": columns.label}

    def _card(self, trained: Trained) -> str:
        return series_card(self.config, trained, self._results)


def _is_table(data: Any) -> bool:
    try:
        nw.from_native(data, eager_only=True)
    except TypeError:
        if isinstance(data, pl.LazyFrame):
            raise DataError("expected recordings or a data frame, not LazyFrame; call `.collect()` first") from None
        return False
    return True


def _read(
    data: Any, columns: Columns, labels: Any, groups: Any, channels: Sequence[str] | None, origin: Source | None
) -> Recordings:
    """Recordings from a table, from arrays, or as they are."""
    if data is None:
        raise DataError("there are no recordings: give a sequence of [time, channels] arrays or a long table")
    if isinstance(data, Recordings):
        if channels is not None and len(data.channels) != len(channels):
            raise DataError(
                f"{(origin or _RECORDINGS).name} has {len(data.channels)} channels, where training had "
                f"{len(channels)}: give recordings of the same ones"
            )
        return data.with_labels(labels, groups)
    if not _is_table(data):
        return Recordings.of_arrays(data, labels=labels, groups=groups, channels=channels, source=origin)
    if columns.series is None:
        raise DataError(
            "a table of recordings needs the column that tells them apart: give it as `series` (`--series`)"
        )
    return Recordings.of_table(
        data,
        series=columns.series,
        time=columns.time,
        label=columns.label,
        group=_column(data, groups, "groups"),
        channels=channels,
        source=origin,
    )


def _column(data: Any, value: Any, argument: str) -> str | None:
    """The column of a table that was named."""
    names = () if value is None else asked(data, value)
    if len(names) > 1 or isinstance(value, list | np.ndarray | pl.Series):
        raise DataError(f"`{argument}` must be the name of a column where recordings come as a table: name it")
    return names[0] if names else None


def _labels(recordings: Recordings) -> pl.Series:
    if recordings.labels is None:
        raise DataError(
            "the recordings have no labels: give `labels` (`--label`), a class for each; in a .ts file write "
            "`@classLabel true` above, and the class at the end of each line"
        )
    return recordings.labels


def _where(recordings: Recordings, origin: Source | None) -> Source:
    return Source((origin or _RECORDINGS).name, recordings=recordings.called)


def _pair(validation: Any) -> tuple[Any, Any]:
    if isinstance(validation, Recordings):
        return validation, None
    if not (isinstance(validation, tuple) and len(validation) == 2):
        raise DataError("`validation` must be a pair of recordings and labels where `data` is not a table: give both")
    return validation

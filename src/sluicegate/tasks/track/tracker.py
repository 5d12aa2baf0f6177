"""The tracker: from the boxes of a detector to which are of one object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import polars as pl

from sluicegate.data import Source
from sluicegate.data.box_files import lines_of
from sluicegate.data.boxes import BoxSequence
from sluicegate.data.frames import like
from sluicegate.errors import ConfigError, DataError
from sluicegate.metrics.tracking import require_trackeval
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import TrainedTask

from .card import tracker_card
from .config import ARGUMENTS, TrackerConfig
from .errors import put_into
from .following import Told, follow
from .forecasting import Forecast, forecast
from .reading import detections, lessons
from .report import MEASURES, report
from .smoothing import smoothed
from .stream import TrackStream
from .trained import Trained
from .training import Given, Preparation

SCHEMA: dict[str, Any] = {
    "video": pl.String,
    "frame": pl.Int64,
    "id": pl.Int64,
    **dict.fromkeys(("x", "y", "width", "height", "confidence"), pl.Float64),
    "row": pl.Int64,
}
"""The columns of tracks."""
_FILLED = 2.0  # seconds of a gap that is filled where the end is known


class Tracker(TrainedTask[TrackerConfig, Trained]):
    """Follow objects from frame to frame: by the boxes of a detector, learnt from a few minutes that people marked.

    A recurrent layer reads the boxes of each track, at any distance of time, and tells where the next one is expected
    and how far off that may be. Small networks tell which box is which track's, and whether a track is real; they
    learn from what the tracker itself meets when it follows the training sequences.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        settings: further ones, listed at `TrackerConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """

    name: ClassVar[str] = "track"
    arguments = ARGUMENTS
    trained_as = Trained
    measures = MEASURES
    writes = (".txt",)

    def __init__(self, *, cell: str = "gru", seed: int = 0, **settings: Any) -> None:
        super().__init__(cell=cell, seed=seed, **settings)

    def fit(
        self,
        data: Any,
        *,
        detections: Any = None,
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> Tracker:
        """Train on sequences of boxes with ids.

        Args:
            data: the path of a folder of sequences, as MOTChallenge has them, or a list of such; or a pandas or polars
                data frame or an Arrow table with the columns frame, id, x, y, width and height, and video, class,
                score and rate (frames a second) where there are such.
            detections: the boxes of the detector that is to be followed, of some of these sequences: a folder or a
                table; None takes those beside the truth. Where there are none, errors such as detectors make are put
                into the truth.
            validation: sequences to validate on, as `data`; None holds back the last fifth of each.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.
            validation_origin: what the validation table is called in messages.

        Returns:
            The tracker itself, with the report on the sequences that validated in `report`.

        Raises:
            DataError: the sequences cannot be used as they are; the message says where, and what to do.
            ConfigError: the checkpoint is of another run.
            MissingExtra: the package for the metrics is not installed.
        """
        require_trackeval()
        given = Given(*lessons(data, detections, origin or Source()))
        held_back = None
        if validation is not None:
            held_back = Given(*lessons(validation, None, validation_origin or Source("the validation table")))
        prepared = Preparation(given, held_back, self.config)
        self._learn(prepared.run(), checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(self, data: Any, *, detections: Any = None, origin: Source | None = None) -> Report:
        """Follow sequences, and compare with what people marked, beside simple methods on the same boxes.

        Args:
            data: as `fit` takes it.
            detections: as `fit` takes them.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the sequences cannot be used as they are.
            MissingExtra: the package for the metrics is not installed.
        """
        trained = self.trained
        require_trackeval()
        known, bare = lessons(data, detections, origin or Source())
        notes = []
        if not known:
            import numpy as np

            rng = np.random.default_rng(0)
            known, bare = [put_into(truth, trained.errors, rng) for truth in bare], []
            notes.append(
                "There were no boxes of a detector: its errors, as training found them, were put into the truth."
            )
        if bare:
            notes.append(f"Left out, for want of a detector's boxes: {', '.join(truth.name for truth in bare)}.")
        return self._evaluated(report(trained, known, "evaluation", notes))

    def predict(
        self, data: Any, *, smooth: bool = False, rate: float | int | None = None, origin: Source | None = None
    ) -> Any:
        """Follow the objects of sequences.

        Args:
            data: the boxes of a detector: a table with the columns frame, x, y, width and height, and video, score,
                class and rate where there are such; the path of a file of lines as MOTChallenge has them; or a folder.
            smooth: whether the end of a sequence may tell of its beginning: places are then expected from both sides,
                objects are told from the first time that they were seen, and gaps are filled.
            rate: frames a second, where nothing says; None is 30.
            origin: what the table is called in messages.

        Returns:
            A frame of the kind that `data` is, else polars: `video`, `frame`, `id`, `x`, `y`, `width`, `height`,
            `confidence`, and `row`, that of the box in the data, or none where nothing was seen.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the boxes cannot be used as they are.
        """
        follower = self.trained.follower
        if rate is not None and not 0 < rate <= 1e4:
            raise ConfigError(f"`rate` (={rate!r}) must be frames a second above 0")
        frames = []
        for seen in detections(data, origin or Source(), rate=rate):
            told = smoothed(follower, seen, most=_FILLED) if smooth else follow(follower, seen)
            frames.append(_table(seen, told))
        found = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
        return like(found, _backend(data))

    def forecast(self, history: Any, steps: int = 12, *, every: float | int = 0.4) -> Forecast:
        """Where objects go next.

        Args:
            history: boxes of an object, `[time 4]` with x and y of the upper left corner, width and height, or of
                several objects, `[objects time 4]`; two times at least.
            steps: to forecast.
            every: seconds between boxes, of the history and of the forecast.

        Returns:
            A `Forecast`: `boxes`, `[steps 4]` or `[objects steps 4]`, and `spread`, the mean distance in pixels that
            the centre may be off, across and down.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the history is none.
            ConfigError: `steps` or `every` is out of its range.
        """
        return forecast(self.trained.mind, history, steps, every)

    def open_stream(self, *, rate: float | int | None = None) -> TrackStream:
        """Open a stream: the boxes of frames are answered by the objects that are followed, as they come.

        Args:
            rate: frames a second, where no times are given; None is that of the training sequences.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: `rate` is not above 0.
        """
        trained = self.trained
        if rate is not None and not 0 < rate <= 1e4:
            raise ConfigError(f"`rate` (={rate!r}) must be frames a second above 0")
        return TrackStream(trained, self.fingerprint, float(rate or trained.rate))

    @classmethod
    def open_training_file(cls, path: Path, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A folder of sequences or a table, as `fit` takes it."""
        return path, {
            "origin": Source(path.name),
            **{name: value for name, value in given.items() if value is not None},
        }

    def open_file(self, path: Path, **asked: Any) -> tuple[Any, dict[str, Any]]:
        """A file of boxes or a folder of sequences, as `predict` and `evaluate` take it."""
        del asked
        if not path.exists():
            raise DataError(f"{path} is not there: give a file of boxes, or a folder of sequences")
        return path, {"origin": Source(path.name)}

    def as_file(self, predicted: Any, ending: str) -> bytes:
        """Tracks of one video in the form of MOTChallenge, which tells no videos apart.

        Args:
            predicted: what `predict` gave.
            ending: of the file.

        Raises:
            ConfigError: the tracks are of several videos.
        """
        del ending
        tracks = nw.from_native(predicted, eager_only=True)
        if (count := tracks["video"].n_unique()) > 1:
            raise ConfigError(
                f"the tracks are of {count} videos, and a .txt file tells none apart: choose the ending of a table"
            )
        boxes = tracks.select("x", "y", "width", "height").rows()
        return lines_of(tracks["frame"], tracks["id"], boxes, tracks["confidence"]).encode()

    def _card(self, trained: Trained) -> str:
        return tracker_card(self.config, trained, self._results)


def _table(seen: BoxSequence, told: Told) -> pl.DataFrame:
    x, y, width, height = told.boxes.T
    found = told.rows >= 0
    rows = pl.Series(seen.rows[told.rows] if len(seen) else told.rows).set(pl.Series(~found), None)
    return pl.DataFrame(
        {
            "video": [seen.name] * len(told.frames), "frame": told.frames, "id": told.ids, "x": x, "y": y,
            "width": width, "height": height, "confidence": told.confidence, "row": rows,
        },
        schema=SCHEMA,
    )  # fmt: skip


def _backend(data: Any) -> Any:
    if isinstance(data, str | Path | BoxSequence | list | tuple):
        return nw.Implementation.POLARS
    return nw.from_native(data, eager_only=True).implementation

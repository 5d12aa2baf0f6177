"""The action recognizer: from clips of people in motion to what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from sluicegate.data import Source, require_no_arrays
from sluicegate.data.frames import like
from sluicegate.data.headings import Heading, asked_one, heading
from sluicegate.data.pose import Pose
from sluicegate.data.skeletons import require_alike
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classification.classifier import Classifier
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.labels import Label, Labels
from sluicegate.tasks.classification.predictions import predictions
from sluicegate.tasks.report import Report

from .annotating import annotated
from .card import action_card
from .config import ARGUMENTS, ActionRecognizerConfig
from .examples import Examples
from .explaining import explain
from .posing import pose_of
from .reading import Read, is_clip, read
from .report import report
from .stream import ActionStream
from .trained import Columns, Trained
from .training import ActionPreparation

_CLIPS = Source("the clips")


class ActionRecognizer(Classifier[ActionRecognizerConfig, Trained]):
    """Tell what people do, from skeletons over time or from video.

    Skeletons are normalised by the body itself; two maps of joints, bones, distances and speeds, a recurrent layer and
    pooling by attention and maximum make the logits. Several networks are each trained on other clips, or people, and
    their mean is calibrated on those that they did not see. Every evaluation sets it beside the majority class, the
    nearest neighbour by time warping, logistic regression on summary statistics, and MiniRocket where sktime and numba
    are installed.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        folds: networks, each validated on another part of the clips; None follows the clips.
        layout: which joints the skeletons have, by name or as a list of bones; None goes by their number.
        causal: read one way and answer at every step, for streams.
        settings: further ones, listed at `ActionRecognizerConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.

    >>> import numpy as np
    >>> still = np.random.default_rng(0).normal(size=(1, 5, 2))
    >>> sway, rise = (still + np.sin(np.arange(30) / 4)[:, None, None] * np.array(way) for way in ([1, 0], [0, 1]))
    >>> clips = [clip[begin:] for begin in range(8) for clip in (sway, rise)]
    >>> recognizer = ActionRecognizer(steps=250, folds=2, whole=0, hidden=24, learning_rate=0.02)
    >>> recognizer = recognizer.fit(clips, ["sway", "rise"] * 8)
    >>> recognizer.predict([sway, rise])["label"].to_list()
    ['sway', 'rise']
    """

    name: ClassVar[str] = "recognize-actions"
    arguments = ARGUMENTS
    trained_as = Trained
    rows_called = "clips"
    estimator = "ActionEstimator"

    def __init__(
        self,
        *,
        cell: str = "gru",
        seed: int = 0,
        folds: int | None = None,
        layout: str | Sequence[Sequence[int]] | None = None,
        causal: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(cell=cell, seed=seed, folds=folds, layout=layout, causal=causal, **settings)

    def fit(
        self,
        data: Any,
        labels: Any = None,
        *,
        groups: Any = None,
        path: Heading = "path",
        pose_model: str | Path | Pose | None = None,
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> ActionRecognizer:
        """Train on clips and their actions.

        Args:
            data: a sequence of skeletons `[time, joint, 2 or 3]` with NaN for joints that were not seen, of paths of
                videos and `.npy` files, or of both; a data frame with a column of paths; or the path of a folder that
                has a folder of clips for each action.
            labels: an action for each clip: texts, whole numbers or truth values. With a table the name of its column,
                `label` unless given; a folder has them in its folders' names.
            groups: what must not be torn apart, such as the person: a value for each clip, or with a table the name of
                its column. All clips of a group validate together, and so do equal ones.
            path: with a table, the column of paths.
            pose_model: what finds skeletons in videos: a `.tflite` file, or a `Pose`; None takes that which
                `sluicegate pose fetch` brought.
            validation: clips to validate on: a pair of clips and actions, or a table or folder as `data`; None holds
                clips back, see `folds`.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the clips are called in messages.
            validation_origin: what the validation clips are called in messages.

        Returns:
            The recognizer itself, with the report on the validation clips in `report`.

        Raises:
            DataError: the clips cannot be used as they are; the message says which and what to do.
            ConfigError: a setting does not fit, or the checkpoint is of another run.
            MissingExtra: a package is not installed that video needs.
        """
        self._require_no_folds(validation)
        column = labels if isinstance(labels, str) else "label"
        names = {"path": heading(asked_one(data, path) or "path"), "label": column}
        pose = pose_of(pose_model)
        found = read(data, labels=labels, groups=groups, columns=names, pose=pose, origin=origin or _CLIPS)
        actions = _labels(found)
        source = _where(found, origin)
        classes = Labels.of(actions, source)
        joints, dimensions = found.clips[0].values.shape[1:]
        require_alike(found.clips, found.called, joints, dimensions, found.called[0])
        examples = Examples(found.clips, found.called, classes.numbers(actions, source), found.groups)
        held_back = None
        if validation is not None:
            other = validation_origin or Source("the validation clips")
            given, theirs = validation if isinstance(validation, tuple) and len(validation) == 2 else (validation, None)
            told = read(given, labels=theirs, groups=None, columns=names, pose=pose, origin=other)
            require_alike(told.clips, told.called, joints, dimensions, "training")
            held_back = Examples(told.clips, told.called, classes.numbers(_labels(told), _where(told, other)), None)
        run = ActionPreparation(examples, held_back, Columns(names["path"], actions.name), classes, self.config).run(
            progress
        )
        self._learn(run, checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(
        self,
        data: Any,
        labels: Any = None,
        *,
        groups: Any = None,
        pose_model: str | Path | Pose | None = None,
        origin: Source | None = None,
    ) -> Report:
        """Recognize the actions of clips and compare with what they are, beside simple methods.

        Args:
            data: clips as for `fit`.
            labels: an action for each; with a table the name of its column, the one of training unless given.
            groups: a value for each clip, or with a table the name of a column, by which accuracy is shown.
            pose_model: as for `fit`.
            origin: what the clips are called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the clips cannot be used as they are, or have an action that training did not have.
            MissingExtra: a package is not installed that video needs.
        """
        trained = self.trained
        found = self._read(data, labels, groups, pose_model, origin, labelled=True)
        truth = trained.labels.numbers(_labels(found), _where(found, origin))
        compared = trained.compared(trained.prepared(found.clips))
        examples = Examples(found.clips, found.called, truth, found.groups)
        return self._evaluated(report(trained, Validation(examples, compared), "evaluation"))

    def predict(self, data: Any, *, pose_model: str | Path | Pose | None = None, origin: Source | None = None) -> Any:
        """Recognize the actions of clips.

        Args:
            data: clips as for `fit`, or the path of one; actions are not needed.
            pose_model: as for `fit`.
            origin: what the clips are called in messages.

        Returns:
            A frame of the kind that `data` is, else polars, with a row for each clip: its `clip`, a path or a number;
            `label`, its `probability`, and for each action `probability_` and its name.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the clips cannot be used as they are.
            MissingExtra: a package is not installed that video needs.
        """
        trained = self.trained
        found = self._read(data, None, None, pose_model, origin, labelled=False)
        probabilities = trained.probabilities(trained.prepared(found.clips))
        clips = pl.Series("clip", list(found.called))
        return like(
            pl.DataFrame([clips]).with_columns(**predictions(trained.labels, trained.decision, probabilities)),
            found.backend,
        )

    def open_stream(self, *, pose_model: str | Path | Pose | None = None) -> ActionStream:
        """Open a stream: a skeleton or a frame in, what is done now out; see `ActionStream`.

        Args:
            pose_model: what finds skeletons where frames of video are pushed, as for `fit`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the pose model is none.
            MissingExtra: a package is not installed that it needs.
        """
        return ActionStream(self.trained, self.fingerprint, pose_of(pose_model))

    def annotate(self, source: str | Path, out: str | Path, *, pose_model: str | Path | Pose | None = None) -> int:
        """Write a video again, with the skeleton that is found in each frame, and what is done by then.

        Args:
            source: the video.
            out: an `.mp4` file, which is written whole or not at all.
            pose_model: as for `fit`.

        Returns:
            How many frames it has.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: nothing finds skeletons.
            DataError: the video cannot be read, or its skeletons are none of the layout of training.
            MissingExtra: a package is not installed that video needs.
        """
        trained, pose = self.trained, pose_of(pose_model)
        if pose is None:
            raise ConfigError(
                f"{source} is a video, and nothing finds skeletons in it: give a pose model as `pose_model` "
                "(`--pose-model FILE.tflite`), or run `sluicegate pose fetch` once"
            )
        pose.reset()
        stream = ActionStream(trained, self.fingerprint, None)
        return annotated(stream, pose, trained.reader.layout, source, Path(out))

    def explain(
        self, clip: Any, label: Label | None = None, *, pose_model: str | Path | Pose | None = None
    ) -> pl.DataFrame:
        """Tell which joints spoke for an action, and when.

        Args:
            clip: skeletons `[time, joint, 2 or 3]`, or a path.
            label: the action that is explained; None takes the predicted one.
            pose_model: as for `fit`.

        Returns:
            A row for each joint and stretch of the clip: `joint`, its number, `begin` and `end` as shares of the clip,
            and `share`: above 0 it spoke for the action, below 0 against it; their sizes sum to 1.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: there is no such action.
            DataError: the clip cannot be used as it is.
        """
        trained = self.trained
        found = self._read([clip], None, None, pose_model, None, labelled=False)
        prepared = trained.prepared(found.clips)
        number = (
            int(trained.decision.answers(trained.probabilities(prepared))[0])
            if label is None
            else trained.labels.number(label)
        )
        told = explain(trained, prepared, 0, number)
        joints, stretches = trained.shape.joints, len(told.edges) - 1
        return pl.DataFrame(
            {
                "joint": np.repeat(np.arange(joints), stretches),
                "begin": np.tile(told.edges[:-1], joints),
                "end": np.tile(told.edges[1:], joints),
                "share": told.shares.T.ravel(),
            }
        )

    def open_file(self, path: Path, **asked: Any) -> tuple[Any, dict[str, Any]]:
        """A file as `predict` and `evaluate` take it: a table, with paths relative to it, a folder, or a clip."""
        if path.is_dir() or is_clip(path):
            require_no_arrays(path, asked.get("arrays") or {})
            return path, {"origin": Source(path.name)}
        table, beside = super().open_file(path, **asked)
        return _beside(table, self.trained.columns.path, path), beside

    def open_files(self, paths: Sequence[Path], **asked: Any) -> tuple[Any, dict[str, Any]]:
        """Several clips, as `predict` takes them, or one file of any kind."""
        if len(paths) == 1:
            return self.open_file(paths[0], **asked)
        if other := next((path for path in paths if not is_clip(path)), None):
            raise DataError(f"{other} is no clip, by its ending: give one table, or several clips")
        return [str(path) for path in paths], {"origin": Source("the list")}

    @classmethod
    def open_training_file(cls, path: Path, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A file as `fit` takes it: a table, with paths relative to it, or a folder."""
        if path.is_dir():
            kept = {name: given[name] for name in ("groups", "pose_model") if given.get(name) is not None}
            return path, {"origin": Source(path.name), **kept}
        model = given.get("pose_model")
        table, beside = super().open_training_file(path, {n: v for n, v in given.items() if n != "pose_model"})
        if model is not None:
            beside["pose_model"] = model
        return _beside(table, beside.get("path", "path"), path), beside

    def _read(
        self,
        data: Any,
        labels: Any,
        groups: Any,
        pose_model: str | Path | Pose | None,
        origin: Source | None,
        *,
        labelled: bool,
    ) -> Read:
        shape, columns = self.trained.shape, self.trained.columns
        names = {"path": columns.path, "label": columns.label}
        found = read(
            data,
            labels=labels,
            groups=groups,
            columns=names,
            pose=pose_of(pose_model),
            origin=origin or _CLIPS,
            labelled=labelled,
        )
        require_alike(found.clips, found.called, shape.joints, shape.dimensions, "training")
        return found

    def _roles(self) -> dict[str, Any]:
        columns = self.trained.columns
        return {"path": columns.path, "labels": columns.label}

    def _card(self, trained: Trained) -> str:
        return action_card(self.config, trained, self._results)


def _labels(found: Read) -> pl.Series:
    if found.labels is None:
        raise DataError("the clips have no actions: give `labels`, one for each")
    return found.labels


def _where(found: Read, origin: Source | None) -> Source:
    return Source((origin or _CLIPS).name, place=lambda row: found.called[row])


def _beside(table: pl.DataFrame, column: str, path: Path) -> pl.DataFrame:
    """The table with paths that are relative to where it is."""
    if column not in table.columns or table[column].dtype != pl.String:
        return table  # which is told where it is read
    found = [None if not name else str(path.parent / name) for name in table[column].to_list()]
    return table.with_columns(pl.Series(column, found, dtype=pl.String))

"""The settings of the tracker."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluicegate.tasks.arguments import Argument, Group
from sluicegate.tasks.config import CellKnob, Layers, LearningRate, Patience, Positive, Real, Seed, TaskConfig

ARGUMENTS = (
    Argument(
        "data",
        "a folder of sequences, as MOTChallenge has them, with gt/gt.txt in each; or a table with the columns video, "
        "frame, id, x, y, width and height",
        "data",
        required=True,
    ),
    Argument(
        "detections",
        "a folder of the same sequences with det/det.txt in each: the boxes of the detector that is to be followed; by "
        "default those beside the truth, and where there are none, errors are put into the truth",
        "file",
    ),
    Argument("validation", "a folder or a table to validate on", "data"),
)


class TrackerConfig(TaskConfig):
    """Settings of a `Tracker`."""

    cell: CellKnob = "gru"
    seed: Seed = 0
    hidden: Annotated[
        Positive, Field(description="units of each recurrent layer, which reads the boxes of a track"), Group.MODEL
    ] = 32
    layers: Layers = 1
    mixed: Annotated[
        bool, Field(description="whether the class may change within a track, as a detector's may"), Group.MODEL
    ] = False
    age: Annotated[
        Annotated[Real, Field(gt=0, le=3600)],
        Field(description="seconds after which an object that is not seen is given up"),
        Group.MODEL,
    ] = 4.0
    batch: Annotated[Positive, Field(description="pieces of paths in an optimiser step"), Group.TRAINING] = 128
    steps: Annotated[Positive, Field(description="optimiser steps at most"), Group.TRAINING] = 1500
    learning_rate: LearningRate = 4e-3
    patience: Patience = 10

"""The settings of the action recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from sluicegate.tasks.arguments import Argument, Group
from sluicegate.tasks.classification.config import Robust, Smoothing
from sluicegate.tasks.config import (
    CellKnob,
    Layers,
    LearningRate,
    Patience,
    Positive,
    Seed,
    Share,
    Strength,
    TaskConfig,
    Whole,
)

ARGUMENTS = (
    Argument(
        "data",
        "clips: a folder with a folder of clips for each action, or a table of their paths (.csv, .tsv, .parquet, "
        ".jsonl); a clip is a video, or skeletons in an .npy file",
        "data",
        required=True,
    ),
    Argument("labels", "the column of actions", called="label", usual="label", as_written=True),
    Argument("path", "the column of the clips' paths", usual="path", as_written=True),
    Argument(
        "groups",
        "the column of what must validate together, such as the person",
        called="group",
        as_written=True,
        validates=False,
    ),
    Argument("pose_model", "a pose model, .tflite, that finds skeletons in videos", "file"),
    Argument("validation", "clips to validate on", "data"),
)


def _as_text(layout: Any) -> Any:
    """Bones, pairs of joints, as the text that names them."""
    if isinstance(layout, Sequence) and not isinstance(layout, str):
        try:
            return " ".join(f"{int(one)}-{int(other)}" for one, other in layout)
        except (TypeError, ValueError):
            return layout
    return layout


class ActionRecognizerConfig(TaskConfig):
    """Settings of an `ActionRecognizer`; each has a default that follows the clips or suits most."""

    both_ways: ClassVar[bool] = True

    cell: CellKnob = "gru"
    seed: Seed = 0
    folds: Annotated[
        Annotated[Whole, Field(ge=1, le=20)] | None,
        Field(
            description="parts that the clips are cut into; as many networks are trained together, each validated on "
            "another part, and their mean is the model. 1 trains a single network and holds a tenth of the clips "
            "back; None takes 5 up to 2,000 clips and 1 beyond, and never more than there are groups"
        ),
        Group.TRAINING,
    ] = None
    whole: Annotated[
        Annotated[Whole, Field(ge=0, le=20)] | None,
        Field(
            description="further networks, which are trained on all clips for as many steps as are best for those that "
            "others validate, and averaged with them; None is 2 where there are several folds, and 1 where there is one"
        ),
        Group.TRAINING,
    ] = None
    layout: Annotated[
        Annotated[str, BeforeValidator(_as_text)] | None,
        Field(
            description="which joints the skeletons have: `coco`, `openpose`, `openpose-18`, `blazepose`, `kinect`, "
            "`ntu`, `msraction3d`, `jhmdb`, `hand`, or the bones as pairs of joints, `0-1 1-2`; None goes by the "
            "number of joints"
        ),
        Group.DATA,
    ] = None
    frames: Annotated[
        Annotated[Whole, Field(ge=4, le=512)],
        Field(description="steps that a clip is read in, evenly spaced, where the network reads both ways"),
        Group.MODEL,
    ] = 32
    hidden: Annotated[Positive, Field(description="units of the recurrent layer in each direction"), Group.MODEL] = 64
    layers: Layers = 1
    dropout: Annotated[Share, Field(description="rate at which units are dropped in training"), Group.MODEL] = 0.3
    consistency: Annotated[
        Strength | None,
        Field(
            description="how much two readings of a clip, each with its own dropout mask and its own alterations, are "
            "to agree in training (R-Drop, Wu et al. 2021), against how right they are; None is 0"
        ),
        Group.TRAINING,
    ] = None
    smoothing: Smoothing = 0.1
    robust: Robust = 0.0
    balance: Annotated[
        Strength | None,
        Field(
            description="how far classes of unequal size are evened out: the strength of the logit adjustment (Menon "
            "et al. 2021); None is 0, or 1 where the largest class has twenty times the clips of the smallest"
        ),
        Group.TRAINING,
    ] = None
    causal: Annotated[
        bool,
        Field(description="read one way and answer at every step, for streams, at the rate that the clips have"),
        Group.MODEL,
    ] = False
    mirror: Annotated[
        bool,
        Field(description="whether an action is the same with left and right exchanged: half of the clips are, then"),
        Group.TRAINING,
    ] = False
    batch: Annotated[Positive, Field(description="clips in an optimiser step"), Group.TRAINING] = 32
    learning_rate: LearningRate = 4e-3
    steps: Annotated[
        Positive | None,
        Field(
            description="optimiser steps at most; None goes through the clips 50 times, but takes 400 steps at least "
            "and 2,000 at most"
        ),
        Group.TRAINING,
    ] = None
    patience: Patience = 20

"""What training a tracker leaves behind, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.restoring import Count, CurveSchema, Few, Saved, Size, read_json, restored
from sluicegate.tasks.trained import WEIGHTS, TrainedModel
from sluicegate.training import Curve
from sluicegate.types import Cell

from .config import TrackerConfig
from .errors import Errors
from .model import Shape, TrackerNetwork
from .running import Follower, Mind, Rules

_Four = Annotated[list[Annotated[float, Field(ge=-10, le=10)]], Field(min_length=4, max_length=4)]
_Eleven = Annotated[list[Annotated[float, Field(ge=-1e7, le=1e7)]], Field(min_length=11, max_length=11)]
_Chance = Annotated[float, Field(ge=0, le=1)]


class _Shape(Saved):
    cell: Cell
    hidden: Size
    layers: Few


class _Rules(Saved):
    match: Annotated[float, Field(ge=-1e3, le=1e3)]
    again: Annotated[float, Field(ge=-1e3, le=1e3)]
    first: Annotated[float, Field(ge=0, le=10)]
    told: Annotated[float, Field(ge=0, le=10)]
    lost: Annotated[float, Field(ge=0, le=10)]
    begin: Annotated[float, Field(ge=-1e7, le=1e7)]
    age: Annotated[float, Field(gt=0, le=1e4)]


class _Errors(Saved):
    bias: _Four
    spread: _Four
    lasting: _Chance
    missed: _Eleven
    stays: _Chance
    false: Annotated[float, Field(ge=0, le=1e4)]
    false_stays: Annotated[float, Field(ge=0, lt=1)]
    scores: _Eleven
    false_scores: _Eleven


class _Config(Saved):
    settings: TrackerConfig
    shape: _Shape
    rules: _Rules
    errors: _Errors
    rate: Annotated[float, Field(gt=0, le=1e4)]
    mixed: bool
    sequences: Count
    boxes: Count
    simulated: bool
    curve: CurveSchema


@dataclass(frozen=True)
class Trained(TrainedModel):
    """The networks, and all that their use needs beside boxes.

    Args:
        shape: their sizes.
        model: the networks.
        rules: what was chosen beside them.
        errors: how the detector errs.
        rate: frames a second, where nothing says.
        mixed: whether the class may change within a track.
        sequences: how many training had.
        boxes: true ones of all of them.
        simulated: whether there was no detector to learn from.
        curve: the learning curve of the motion.
    """

    config: ClassVar[type[TrackerConfig]] = TrackerConfig

    shape: Shape
    model: TrackerNetwork
    rules: Rules
    errors: Errors
    rate: float
    mixed: bool
    sequences: int
    boxes: int
    simulated: bool
    curve: Curve

    @cached_property
    def mind(self) -> Mind:
        """The networks, as they run."""
        return Mind(self.model)

    @property
    def follower(self) -> Follower:
        """What follows objects."""
        return Follower(self.mind, self.rules, classes=self.mixed)

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "shape": asdict(self.shape),
            "rules": asdict(self.rules),
            "errors": self.errors.settings(),
            "rate": self.rate,
            "mixed": self.mixed,
            "sequences": self.sequences,
            "boxes": self.boxes,
            "simulated": self.simulated,
            "curve": asdict(self.curve),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        del arrays
        config = read_json(saved, bundle.CONFIG, _Config)
        shape = Shape(**config.shape.model_dump())
        errors: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in config.errors.model_dump().items()
        }
        return cls(
            shape=shape,
            model=restored(saved, WEIGHTS, lambda: TrackerNetwork(shape)),
            rules=Rules(**config.rules.model_dump()),
            errors=Errors(**errors),
            rate=config.rate,
            mixed=config.mixed,
            sequences=config.sequences,
            boxes=config.boxes,
            simulated=config.simulated,
            curve=Curve(**config.curve.model_dump()),
        )

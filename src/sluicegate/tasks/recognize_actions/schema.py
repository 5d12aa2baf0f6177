"""What the files of a saved action recognizer must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.classification.schema import (
    ClassifierSchema,
    ShapeSchema,
    hold_linear,
    hold_minirocket,
    require_classes,
)
from sluicegate.tasks.restoring import Count, Saved, Size, Text, damaged, read_json, require

from .baselines import POINTS
from .config import ActionRecognizerConfig

ARRAYS = "arrays.safetensors"
_STATISTICS = 8  # of each channel


class _Columns(Saved):
    path: Text
    label: Text


class _Shape(ShapeSchema):
    joints: Annotated[int, Field(ge=1, le=10_000)]
    dimensions: Literal[2, 3]
    features: Size
    frames: Annotated[int, Field(ge=4, le=512)]
    whole: Annotated[int, Field(ge=0, le=1000)]
    memory: Annotated[int, Field(ge=0, le=2**24)]


class _Config(ClassifierSchema):
    settings: ActionRecognizerConfig
    columns: _Columns
    layout: Text | None
    rate: Annotated[float, Field(gt=0, le=1000)] | None
    window: Size
    shape: _Shape
    steps: Count
    methods: list[Literal["time_warping", "summary_statistics", "minirocket"]]


def require_action_recognizer(saved: bundle.Bundle, arrays: Mapping[str, np.ndarray]) -> None:
    """Hold `config.json` and the arrays of an action recognizer to what they must be.

    Raises:
        BundleError: they are not.
    """
    config = read_json(saved, bundle.CONFIG, _Config)
    shape, methods = config.shape, config.methods
    require_classes(saved, arrays, config, shape.classes, methods)
    if shape.whole >= shape.members:
        raise damaged(saved, bundle.CONFIG, f"shape.whole is {shape.whole} of {shape.members} networks")
    if len(set(methods)) < len(methods):
        raise damaged(saved, bundle.CONFIG, "a method is there twice")

    def hold(name: str, *sizes: int | None, **limits: Any) -> None:
        require(saved, ARRAYS, arrays, name, sizes, **{"least": -1e35, "most": 1e35, **limits})

    hold("mean", shape.features, kind=np.float32)
    hold("deviation", shape.features, kind=np.float32, least=1e-30)
    outputs, channels = 1 if shape.classes == 2 else shape.classes, shape.joints * shape.dimensions
    if "time_warping" in methods:
        hold("time_warping.known", None, POINTS, channels, kind=np.float32)
        known = len(arrays["time_warping.known"])
        hold("time_warping.truth", known, kind=np.int64, least=0.0, most=float(shape.classes - 1))
        hold("time_warping.trust", 1, least=0.0, most=1.0)
        if not known:
            raise damaged(saved, ARRAYS, "time_warping.known is empty")
    if "summary_statistics" in methods:
        hold_linear(hold, "summary_statistics", outputs, _STATISTICS * channels)
    if "minirocket" in methods:
        hold_minirocket(saved, hold, arrays, channels, outputs)

"""What the files of a saved series classifier must hold."""

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

from .config import SeriesClassifierConfig

ARRAYS = "arrays.safetensors"
_POINTS, _STATISTICS = 64, 8  # of each channel, in the simple methods


class _Columns(Saved):
    channels: Annotated[list[Text], Field(min_length=1)]
    series: Text | list[Text] | None
    time: Text | None
    label: Text | None


class _Shape(ShapeSchema):
    channels: Size
    stride: Size
    memory: Annotated[int, Field(ge=0, le=2**24)] = 0  # absent in models of versions that read both ways alone


class _Config(ClassifierSchema):
    settings: SeriesClassifierConfig
    columns: _Columns
    window: Size
    shape: _Shape
    steps: Count
    methods: list[Literal["nearest_neighbour", "summary_statistics", "minirocket"]]


def require_series_classifier(saved: bundle.Bundle, arrays: Mapping[str, np.ndarray]) -> None:
    """Hold `config.json` and the arrays of a series classifier to what they must be.

    Raises:
        BundleError: they are not.
    """
    config = read_json(saved, bundle.CONFIG, _Config)
    shape, methods = config.shape, config.methods
    require_classes(saved, arrays, config, shape.classes, methods)
    channels = config.columns.channels
    if len(set(channels)) < len(channels) or len(channels) != shape.channels or len(set(methods)) < len(methods):
        raise damaged(saved, bundle.CONFIG, "channels or methods are not those of the networks")

    def hold(name: str, *sizes: int | None, **limits: Any) -> None:
        require(saved, ARRAYS, arrays, name, sizes, **{"least": -1e35, "most": 1e35, **limits})

    hold("mean", 2 * shape.channels)
    hold("deviation", 2 * shape.channels, least=1e-300)
    outputs = 1 if shape.classes == 2 else shape.classes
    if "nearest_neighbour" in methods:
        hold("nearest_neighbour.known", None, _POINTS * shape.channels, kind=np.float32)
        known = len(arrays["nearest_neighbour.known"])
        hold("nearest_neighbour.truth", known, kind=np.int64, least=0.0, most=float(shape.classes - 1))
        hold("nearest_neighbour.trust", 1, least=0.0, most=1.0)
        if not known:
            raise damaged(saved, ARRAYS, "nearest_neighbour.known is empty")
    if "summary_statistics" in methods:
        hold_linear(hold, "summary_statistics", outputs, _STATISTICS * shape.channels)
    if "minirocket" in methods:
        hold_minirocket(saved, hold, arrays, shape.channels, outputs)

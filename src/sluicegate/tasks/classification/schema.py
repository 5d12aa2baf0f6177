"""What the files of every saved classifier must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.restoring import Count, CurveSchema, Factor, Few, Saved, Share, Size, Text, damaged, require
from sluicegate.types import Cell

_KERNELS = 84  # of minirocket, for each dilation

Classes = Annotated[list[bool | int | Text], Field(min_length=2, max_length=100_000)]


class BlendSchema(Saved):
    """A simple method whose probabilities are mixed in."""

    name: Text
    share: Annotated[float, Field(ge=0, le=1)]


class ShapeSchema(Saved):
    """The sizes of the networks."""

    classes: Size
    hidden: Size
    layers: Few
    cell: Cell
    dropout: Share
    members: Few


class ClassifierSchema(Saved):
    """`config.json`."""

    classes: Classes
    balance: Factor
    temperature: Annotated[float, Field(gt=1e-6, lt=1e6)]
    strength: Factor
    blend: BlendSchema | None
    rows: Count
    curve: CurveSchema


def require_classes(
    saved: bundle.Bundle,
    arrays: Mapping[str, np.ndarray],
    config: ClassifierSchema,
    expected: int,
    methods: Sequence[str],
) -> None:
    """Hold what every classifier has to what it must be.

    Raises:
        BundleError: it is not.
    """
    classes: list[Any] = config.classes
    if len({(type(label), label) for label in classes}) < len(classes) or len(set(map(type, classes))) > 1:
        raise damaged(saved, bundle.CONFIG, "classes: they are not different ones of one type")
    if any(isinstance(label, int) and not -(2**63) <= label < 2**64 for label in classes):
        raise damaged(saved, bundle.CONFIG, "classes: a number is out of range")
    if len(classes) != expected:
        raise damaged(saved, bundle.CONFIG, f"there are {len(classes)} classes for networks of {expected}")
    if config.blend is not None and config.blend.name not in methods:
        raise damaged(saved, bundle.CONFIG, f"there is no method {config.blend.name!r} to blend in")
    require(saved, "arrays.safetensors", arrays, "prior", (expected,), least=1e-300, most=1e6)


def hold_minirocket(
    saved: bundle.Bundle, hold: Any, arrays: Mapping[str, np.ndarray], channels: int, outputs: int
) -> None:
    """Hold the arrays of MiniRocket to what they must be, by what `hold` does with one.

    Compiled code reads these, and does not look whether a place is within an array.
    """

    def counts(name: str, size: int | None, least: float, most: float) -> np.ndarray:
        hold(f"minirocket.{name}", size, kind=np.int32, least=least, most=most)
        return arrays[f"minirocket.{name}"].astype(np.int64)

    dilations = len(counts("dilations", None, 1.0, 2.0**24))
    features = counts("features_of", dilations, 1.0, 2.0**24)
    chosen = counts("channels_of", _KERNELS * dilations, 1.0, float(channels))
    counts("channels", int(chosen.sum()), 0.0, float(channels - 1))
    hold("minirocket.biases", int(_KERNELS * features.sum()), kind=np.float32)
    if not dilations:
        raise damaged(saved, "arrays.safetensors", "minirocket.dilations is empty")
    hold_linear(hold, "minirocket", outputs, len(arrays["minirocket.biases"]))
    hold("minirocket.by", 1, least=1e-6, most=1e6)


def hold_linear(hold: Any, name: str, outputs: int, features: int) -> None:
    """Hold the arrays of a linear map of standardised features to what they must be."""
    hold(f"{name}.mean", features)
    hold(f"{name}.deviation", features, least=1e-300)
    hold(f"{name}.weights", outputs, features, least=-1e12, most=1e12)
    hold(f"{name}.intercept", outputs, least=-1e12, most=1e12)

"""What a saved classifier of recordings knows: from steps to probabilities of classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.errors import ConfigError
from sluicegate.runtime.classes import Classes
from sluicegate.runtime.layers import rectified
from sluicegate.runtime.model import WEIGHTS, Model
from sluicegate.runtime.whole import stack_of

from .both_ways import Networks
from .reading import Layer, Reader
from .shape import Shape
from .standard import standardised


class Trained(Model):
    """A saved classifier of recordings, without its verbs."""

    task = "classify-series"
    files = (WEIGHTS, "arrays.safetensors")

    def __init__(self, saved: Bundle, *, threads: int = 1) -> None:
        super().__init__(saved)
        settings, arrays = saved.json(bundle.CONFIG), saved.tensors("arrays.safetensors")
        self.shape = Shape(**settings["shape"])
        roles = settings["columns"]
        self.channels = tuple(roles["channels"])
        series = roles.get("series")
        self.told_apart_by: tuple[str, ...] = (
            () if series is None else (series,) if isinstance(series, str) else tuple(series)
        )
        self.time: str | None = roles.get("time")
        self.decision = Classes(settings, arrays["prior"])
        self.classes = self.decision.names
        _require_unmixed(self.decision, str(saved.folder))
        self._mean, self._deviation = arrays["mean"], arrays["deviation"]
        features = (2 * self.shape.channels,)
        if self._mean.shape != features or self._deviation.shape != features:
            raise ValueError("the arrays are not those of the networks")
        self.window: int | None = None if self.shape.causal else int(settings["window"])
        """How many steps networks that read both ways are given at a time; None of those that read one way."""
        weights = saved.tensors(WEIGHTS)
        self.reader: Reader | None = _reader(self.shape, weights, threads) if self.window is None else None
        """Networks that read one way; None where they read both."""
        self._networks = None if self.window is None else Networks(self.shape, weights, self.window, threads=threads)

    def features(self, values: ndarray, before: ndarray | None) -> ndarray:
        """Steps `[time channels]` on the scale of training, with the step before them."""
        return standardised(values, self._mean, self._deviation, before)

    def of_whole(self, values: ndarray) -> ndarray:
        """The probability of each class after a recording, `[time channels]`, is read whole."""
        features = self.features(values, None)
        if self._networks is not None:
            logits = self._networks.logits([features])
        else:
            assert self.reader is not None, "networks read one way or both"
            pooled, _ = self.reader.read(features[None], self.reader.begin(1))
            logits = self.reader.logits(pooled[-1])
        probabilities: ndarray = self.decision.probabilities(logits)[0]
        return probabilities


def _require_unmixed(decision: Classes, folder: str) -> None:
    if decision.blend is not None:
        raise ConfigError(
            f"in the model '{folder}' the method {decision.blend['name']} is mixed in, which the runtime does not "
            "have: train it with `blend=False`, or use `sluicegate.load`"
        )


def _reader(shape: Shape, arrays: Mapping[str, ndarray], threads: int) -> Reader:
    networks: list[tuple[Layer, Layer]] = []
    for member in range(shape.members):
        own = f"members.{member}."
        front = rectified(arrays[f"{own}front.weight"], arrays[f"{own}front.bias"], threads=threads)
        networks.append((front, stack_of(shape.cell, arrays, f"{own}recurrent.", shape.layers, threads=threads)))
        if (front.inputs, front.hidden) != ((2 * shape.stride + 1) * 2 * shape.channels, shape.hidden):
            raise ValueError("the front layers are not those that config.json asks for")
    weight, bias = (
        np.stack([arrays[f"members.{member}.output.{name}"] for member in range(shape.members)]).astype(np.float64)
        for name in ("weight", "bias")
    )
    if weight.shape[1:] != (shape.classes, 3 * shape.hidden):
        raise ValueError("the output layers are not those that config.json asks for")
    return Reader(shape, networks, weight, bias)

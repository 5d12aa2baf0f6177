"""What a saved classifier of recordings knows: from steps to probabilities of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.errors import ConfigError
from sluicegate.runtime.layers import Stack, rectified, weights_of
from sluicegate.runtime.model import WEIGHTS, Model

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
        _require_causal(self.shape, settings, str(saved.folder))
        roles = settings["columns"]
        self.channels = tuple(roles["channels"])
        series = roles.get("series")
        self.told_apart_by: tuple[str, ...] = (
            () if series is None else (series,) if isinstance(series, str) else tuple(series)
        )
        self.time: str | None = roles.get("time")
        self.classes = tuple(settings["classes"])
        self._mean, self._deviation = arrays["mean"], arrays["deviation"]
        self._balance, self._temperature, self._strength = (
            float(settings[name]) for name in ("balance", "temperature", "strength")
        )
        self._prior = arrays["prior"]
        features = (2 * self.shape.channels,)
        if self._mean.shape != features or self._deviation.shape != features or len(self._prior) != len(self.classes):
            raise ValueError("the arrays are not those of the networks")
        self.reader = _reader(self.shape, saved.tensors(WEIGHTS), threads)

    def features(self, values: ndarray, before: ndarray | None) -> ndarray:
        """Steps `[time channels]` on the scale of training, with the step before them."""
        return standardised(values, self._mean, self._deviation, before)

    def probabilities(self, logits: ndarray) -> ndarray:
        """The calibrated probability of each class, `[rows classes]`."""
        scaled = (logits + self._balance * np.log(self._prior)) / self._temperature
        raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        found: ndarray = raised / raised.sum(axis=1, keepdims=True)
        return found

    def answer(self, probabilities: ndarray) -> dict[str, Any]:
        """What is said of a step, given the probabilities of the classes."""
        decided = int((probabilities / self._prior**self._strength).argmax())
        found = {"label": self.classes[decided], "probability": float(probabilities[decided])}
        return found | {
            f"probability_{name}": float(value) for name, value in zip(self.classes, probabilities, strict=True)
        }


def _require_causal(shape: Shape, settings: Mapping[str, Any], folder: str) -> None:
    if not shape.causal:
        raise ConfigError(
            f"the networks of the model '{folder}' read recordings both ways, which the runtime does not stream: train "
            "it with `causal=True`, or use `sluicegate.load`"
        )
    if settings["blend"] is not None:
        raise ConfigError(
            f"in the model '{folder}' the method {settings['blend']['name']} is mixed in, which the runtime does not "
            "have: train it with `blend=False`, or use `sluicegate.load`"
        )


def _reader(shape: Shape, arrays: Mapping[str, ndarray], threads: int) -> Reader:
    networks: list[tuple[Layer, Layer]] = []
    for member in range(shape.members):
        own = f"members.{member}."
        front = rectified(arrays[f"{own}front.weight"], arrays[f"{own}front.bias"], threads=threads)
        weights = weights_of(arrays, f"{own}recurrent.", shape.layers)
        networks.append((front, Stack(shape.cell, weights, threads=threads)))
        if (front.inputs, front.hidden) != ((2 * shape.stride + 1) * 2 * shape.channels, shape.hidden):
            raise ValueError("the front layers are not those that config.json asks for")
    weight, bias = (
        np.stack([arrays[f"members.{member}.output.{name}"] for member in range(shape.members)]).astype(np.float64)
        for name in ("weight", "bias")
    )
    if weight.shape[1:] != (shape.classes, 3 * shape.hidden):
        raise ValueError("the output layers are not those that config.json asks for")
    return Reader(shape, networks, weight, bias)

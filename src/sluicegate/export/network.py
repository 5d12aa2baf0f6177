"""What is exported of a model: its scale, its layers and its head, as arrays of NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.errors import ConfigError
from sluicegate.nn.stack import Stack
from sluicegate.ops.quantized_reference import Layer
from sluicegate.runtime.forecast.forecaster import Forecaster
from sluicegate.runtime.layers import weights_of
from sluicegate.runtime.model import WEIGHTS
from sluicegate.runtime.recordings.classifier import SeriesClassifier
from sluicegate.runtime.recordings.shape import Shape

from .forecast import Forecast, of_series
from .layers import inputs_of, layers_of, multiply_adds_of, saved_layers, units_of


@dataclass(frozen=True)
class Member:
    """One of the networks whose outputs are averaged.

    Args:
        layers: recurrent layers, the first of which reads what the front makes.
        front: a map with relu before them, or None.
        weight: of the head, 32-bit floats `[outputs units]`; None where the last layer is the output.
        bias: of the head.
    """

    layers: tuple[Layer, ...]
    front: Layer | None = None
    weight: ndarray | None = None
    bias: ndarray | None = None


@dataclass(frozen=True)
class Network:
    """A model that takes a step at a time.

    Args:
        members: the networks.
        mean: what is taken from each input, doubles; None where inputs are read as they are.
        unit: what they are divided by then.
        shape: of a classifier of recordings, whose networks see channels and their changes, some steps at a time; None
            of layers that read each step as it comes.
        prior: of a classifier, what is added to the logits, doubles `[classes]`.
        temperature: what they are divided by.
        forecast: of a forecaster, beside its only member; None of others.
        held_back: what the probabilities of frequent classes are divided by in decisions.
        inputs: the names of the inputs.
        outputs: the names of the outputs.
        fingerprint: of the saved model, or nothing.
    """

    members: tuple[Member, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    mean: ndarray | None = None
    unit: ndarray | None = None
    shape: Shape | None = None
    prior: ndarray | None = None
    temperature: float = 1.0
    held_back: ndarray | None = None
    forecast: Forecast | None = None
    fingerprint: str = ""
    folder: Path | None = field(default=None, compare=False)

    @property
    def multiply_adds(self) -> int:
        """Of a step that computes the layers."""
        if self.forecast is not None:
            (member,) = self.members
            assert member.front is not None, "it embeds segments"
            assert member.weight is not None, "it has a head"
            layers = sum(map(multiply_adds_of, member.layers))
            return self.forecast.multiply_adds(multiply_adds_of(member.front), layers, member.weight.size)
        found = 0
        for member in self.members:
            found += sum(multiply_adds_of(layer) for layer in member.layers)
            found += 0 if member.front is None else multiply_adds_of(member.front)
            found += 0 if member.weight is None else member.weight.size
        return found

    def with_layers(self, layers: Sequence[Sequence[Layer]]) -> Network:
        """The same with other recurrent layers, such as quantised ones."""
        members = [replace(member, layers=tuple(own)) for member, own in zip(self.members, layers, strict=True)]
        return replace(self, members=tuple(members))


def of_folder(folder: str | Path, *, series: Any = None) -> Network:
    """The network of a saved model.

    Args:
        folder: where it is.
        series: of a forecaster of several series, what names the one that is exported.

    Raises:
        BundleError: the folder holds no model that is whole.
        ConfigError: models of its task cannot be exported.
    """
    saved = bundle.read(folder)
    config = saved.json(bundle.CONFIG)
    task = config.get("task") if isinstance(config, dict) else None
    if task == Forecaster.task:
        return _of_forecaster(Forecaster(saved), saved, series)
    if task != SeriesClassifier.task:
        raise ConfigError(
            f"the model '{saved.folder}' is of the task {task!r}, which is not exported: models of the tasks "
            f"{SeriesClassifier.task}, trained with `causal=True`, and {Forecaster.task} are, and layers by "
            "`sluicegate.export`"
        )
    if series is not None:
        raise ConfigError(f"`series` (={series!r}) is of forecasters: leave it out for a model of the task {task}")
    if not Shape(**config["shape"]).causal:
        raise ConfigError(
            f"the networks of the model '{saved.folder}' read recordings both ways, which is not exported: train it "
            "with `causal=True`"
        )
    trained = SeriesClassifier(saved)  # which holds the arrays to one another
    shape, arrays = trained.shape, saved.tensors("arrays.safetensors")
    deviation, prior = arrays["deviation"], arrays["prior"]
    return Network(
        members=tuple(_member(shape, saved.tensors(WEIGHTS), number) for number in range(shape.members)),
        inputs=trained.channels,
        outputs=tuple(str(name) for name in trained.classes),
        mean=arrays["mean"],
        unit=np.where(deviation > 0, deviation, 1.0),
        shape=shape,
        prior=float(config["balance"]) * np.log(prior),
        temperature=float(config["temperature"]),
        held_back=prior ** float(config["strength"]),
        fingerprint=trained.fingerprint,
        folder=saved.folder,
    )


def _of_forecaster(trained: Forecaster, saved: Bundle, series: Any) -> Network:
    arrays, shape = saved.tensors(WEIGHTS), trained.shape
    embed = {"weight_ih": arrays["embed.weight"], "bias_ih": arrays["embed.bias"]}
    (front,) = layers_of("rnn", [embed], "relu")
    layers = saved_layers(shape.cell, arrays, "cell.", shape.layers)
    forecast = of_series(trained, arrays, series)
    return Network(
        members=(Member(layers, front, arrays["head.weight"], arrays["head.bias"]),),
        inputs=forecast.inputs,
        outputs=forecast.outputs,
        forecast=forecast,
        fingerprint=trained.fingerprint,
        folder=saved.folder,
    )


@runtime_checkable
class Quantized(Protocol):
    """A layer in int8, such as `sluicegate.nn.quantize` makes one."""

    bidirectional: bool
    cell: str
    suffixes: list[str]

    def layer(self, suffix: str) -> Layer:
        """Give the numbers of one layer."""


def of_layers(
    layer: Stack | Quantized,
    head: Any = None,
    *,
    mean: Any = None,
    deviation: Any = None,
) -> Network:
    """The network of a layer that reads one way, with a head behind it and a scale before it.

    Args:
        layer: a GRU, LSTM, RNN, MinGRU or LiGRU of `sluicegate.nn`, or one in int8.
        head: a `torch.nn.Linear` on the outputs of the last layer; None is none.
        mean: what is taken from each input first, `[input]`; None is nothing.
        deviation: what they are divided by then; None is nothing.

    Raises:
        ConfigError: the layer reads both ways, or has what is not exported.
    """
    layers = _quantized(layer) if isinstance(layer, Quantized) else _of_stack(layer)
    weight, bias = (None, None) if head is None else (head.weight.detach().numpy().copy(), _bias(head))
    outputs = units_of(layers[-1]) if weight is None else len(weight)
    scaled = mean is not None or deviation is not None
    return Network(
        members=(Member(layers, None, weight, bias),),
        inputs=tuple(f"x{i}" for i in range(inputs_of(layers[0]))),
        outputs=tuple(f"y{i}" for i in range(outputs)),
        mean=_spread(mean, 0.0, inputs_of(layers[0])) if scaled else None,
        unit=_spread(deviation, 1.0, inputs_of(layers[0])) if scaled else None,
    )


def _of_stack(layer: Stack) -> tuple[Layer, ...]:
    for name, wrong in (
        ("bidirectional=True", layer.bidirectional),
        (f"proj_size={layer.proj_size}", layer.proj_size > 0),
        ("layer_norm=True", layer.layer_norm),
        (f"reset={layer.reset!r}", layer.kind == "gru" and layer.reset == "before"),
    ):
        if wrong:
            raise ConfigError(f"`layer` has `{name}`, which is not exported: train a layer without it")
    arrays = {name: tensor.detach().numpy().copy() for name, tensor in layer.state_dict().items()}
    return layers_of(layer.kind, weights_of(arrays, "", layer.num_layers), layer.nonlinear())


def _quantized(layer: Quantized) -> tuple[Layer, ...]:
    for name, wrong in (
        ("bidirectional=True", layer.bidirectional),
        ("reset='before'", layer.cell == "gru_reset_before"),
    ):
        if wrong:
            raise ConfigError(f"`layer` has `{name}`, which is not exported: train a layer without it")
    return tuple(layer.layer(suffix) for suffix in layer.suffixes)


def _bias(head: Any) -> ndarray:
    found: ndarray = np.zeros(len(head.weight), np.float32) if head.bias is None else head.bias.detach().numpy().copy()
    return found


def _spread(numbers: Any, otherwise: float, inputs: int) -> ndarray:
    found: ndarray = np.broadcast_to(
        np.asarray(otherwise if numbers is None else numbers, np.float64), (inputs,)
    ).copy()
    return found


def _member(shape: Shape, arrays: dict[str, ndarray], number: int) -> Member:
    own = f"members.{number}."
    front = {"weight_ih": arrays[f"{own}front.weight"], "bias_ih": arrays[f"{own}front.bias"]}
    (mapped,) = layers_of("rnn", [front], "relu")
    layers = saved_layers(shape.cell, arrays, f"{own}recurrent.", shape.layers)
    return Member(layers, mapped, arrays[f"{own}output.weight"], arrays[f"{own}output.bias"])

"""From a layer to what its streams share: which layers can be streamed, and one model for all streams of a layer."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.nn.layers import LAYERS
from sluicegate.nn.layerwise import Layerwise
from sluicegate.nn.quantized import Quantized
from sluicegate.nn.stack import Stack
from sluicegate.ops import native
from sluicegate.ops.cells import CELLS
from sluicegate.ops.reference import Form, Weights

from .models import ByEquations, ByKernels, Model, Sizes
from .quantized import ByLayers
from .snapshots import fingerprint

_COMPUTED = {cls.forward for cls in LAYERS.values()}
_TYPES = (torch.float32, torch.float64)


class _Opened(NamedTuple):
    seen: tuple[Any, ...]
    """What the model was made of: it is found again only while the layer is still that."""
    model: Model


# Without a lock, which a forked process might never get: two threads that open the first stream of a layer at once
# make a model each, and both are right.
_opened: WeakKeyDictionary[Module, _Opened] = WeakKeyDictionary()


def model_of(layer: Module) -> Model:
    """Find what the streams of a layer share, or make it.

    Args:
        layer: A GRU, LSTM, RNN, MinGRU or LiGRU of `sluicegate.nn`, or what `sluicegate.accelerate` has made one, on
            the CPU.

    Returns:
        The model of its weights as they are now, which is kept for the next stream as long as the layer lives.

    Raises:
        ConfigError: It is something else, or cannot be read step by step.
    """
    if isinstance(layer, Layerwise):
        return _of_layers(layer)
    stack = _require_streamable(layer)
    form = Form(stack.reset, stack.nonlinear(), stack.precision)
    weights = _weights(stack)
    settings = {
        "cell": stack.kind, "inputs": stack.input_size, "hidden": stack.hidden_size, "layers": stack.num_layers,
        "projection": stack.proj_size, "layer_norm": stack.layer_norm, **form._asdict(),
    }  # fmt: skip
    seen = (json.dumps(settings), native.isa(), *_sums(weights))
    known = _opened.get(layer)
    if known is not None and known.seen == seen:
        return known.model
    # Of a copy, so that the fingerprint is that of the model even if another thread trains the layer meanwhile.
    own = [{name: weight.clone() for name, weight in of_layer.items()} for of_layer in weights]
    model = _make(stack, form, settings, own)
    _opened[layer] = _Opened((*seen[:2], *_sums(own)), model)
    return model


def _of_layers(layer: Layerwise) -> Model:
    """Find or make the model of a layer in int8, or of one that is watched to become one, which is not kept."""
    _require_one_way(layer)
    known = _opened.get(layer)
    seen = (native.isa(),)
    if known is not None and known.seen == seen:
        return known.model
    named = {name: buffer.numpy() for name, buffer in layer.named_buffers()}
    settings = {
        "cell": layer.cell, "activation": layer.activation, "inputs": layer.input_size, "hidden": layer.hidden_size,
        "layers": layer.num_layers, "precision": "int8",
    }  # fmt: skip
    model = ByLayers(layer, fingerprint(settings, named))
    if isinstance(layer, Quantized):
        _opened[layer] = _Opened(seen, model)
    return model


def _require_one_way(layer: Stack | Layerwise) -> None:
    if layer.bidirectional:
        raise ConfigError(
            "`layer` has `bidirectional=True`, and to read backwards it would need the end of the stream: use a layer "
            "that reads one way"
        )


def _require_streamable(layer: Module) -> Stack:
    name = type(layer).__name__
    if not isinstance(layer, Stack):
        remedy = "`sluicegate.accelerate(layer)` makes PyTorch's GRU, LSTM and RNN such layers"
        raise ConfigError(f"`layer` (a {name}) must be a GRU, LSTM, RNN, MinGRU or LiGRU of `sluicegate.nn`: {remedy}")
    _require_one_way(layer)
    if type(layer).forward not in _COMPUTED or layer._forward_hooks or layer._forward_pre_hooks:
        raise ConfigError(
            f"`layer` (a {name}) has a `forward` or hooks of its own, which a stream would not run: open the stream "
            "from a layer without them"
        )
    return layer


def _weights(layer: Stack) -> list[dict[str, Tensor]]:
    """Find the weights of each layer under the names of `Weights`, in line, and refuse what a stream cannot take."""
    listed = dict(zip(layer._flat_weights_names, layer.weights(), strict=True))
    found: list[dict[str, Tensor]] = []
    for depth in range(layer.num_layers):
        full = {name: f"{name}_l{depth}" for name in Weights._fields}
        listed |= layer.normalised(depth, None)
        own = {name: listed[key] if key in listed else getattr(layer, key, None) for name, key in full.items()}
        if layer.normalization is not None:  # it is in the weights by now
            del own["gain_ih"]
        found.append({name: weight for name, weight in own.items() if weight is not None})
        _require_shapes(layer, depth, found[-1])
    every = [weight for own in found for weight in own.values()]
    if unknown := native.unknown(every):
        raise ConfigError(f"`layer` has {unknown}, which a stream cannot read: make it a plain parameter")
    for weight in every:
        if weight.device.type != "cpu" or weight.dtype not in _TYPES or weight.dtype != every[0].dtype:
            raise ConfigError(
                f"`layer` has weights of {weight.dtype} on the device {weight.device.type!r}, and streams compute with "
                "32-bit or 64-bit floats on the CPU: use `layer.to('cpu', torch.float32)`"
            )
    return [{name: weight.detach().resolve_neg().contiguous() for name, weight in own.items()} for own in found]


def _require_shapes(layer: Stack, depth: int, weights: dict[str, Any]) -> None:
    """Hold the weights to the sizes of the layer: the kernels, which get bare addresses, would read on behind them."""
    gates, shown = native.GATES[layer.kind] * layer.hidden_size, layer.proj_size or layer.hidden_size
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, shown if depth else layer.input_size)}
    recurrent = CELLS[layer.kind].recurrent
    if recurrent:
        shapes["weight_hh"] = (gates, shown)
    if layer.biased():
        shapes |= {"bias_ih": (gates,), **({"bias_hh": (gates,)} if recurrent else {})}
    if layer.proj_size:
        shapes["weight_hr"] = (shown, layer.hidden_size)
    if layer.layer_norm:
        shapes |= {"gain_ih": (gates,), "gain_hh": (gates,)}
        if layer.kind == "lstm":
            shapes |= {"gain_c": (layer.hidden_size,), "bias_c": (layer.hidden_size,)}
    for name in sorted(shapes.keys() | weights.keys()):
        expected, found = shapes.get(name), tuple(weights[name].shape) if name in weights else None
        if found != expected:
            raise ConfigError(
                f"`layer` has sizes that ask for {name}_l{depth} of the shape {expected}, and it is of the shape "
                f"{found}: make the layer anew"
            )


def _sums(weights: list[dict[str, Tensor]]) -> list[Any]:
    """Sum up the weights, of which as many 32-bit numbers are looked at as there are."""
    return [
        (name, tuple(w.shape), w.dtype, _core.fingerprint([(w.data_ptr(), w.nbytes // 4)]))
        for own in weights
        for name, w in own.items()
    ]


def _make(layer: Stack, form: Form, settings: dict[str, Any], weights: list[dict[str, Tensor]]) -> Model:
    named = {f"{name}_l{depth}": w.numpy() for depth, own in enumerate(weights) for name, w in own.items()}
    dtype: np.dtype[Any] = np.dtype(str(weights[0]["weight_ih"].dtype).removeprefix("torch."))
    widths = (layer.proj_size or layer.hidden_size, *((layer.hidden_size,) if layer.kind == "lstm" else ()))
    sizes = Sizes(layer.kind, layer.input_size, layer.num_layers, widths, dtype)
    by_kernels = dtype == np.float32 and not layer.proj_size and not layer.layer_norm
    if by_kernels:
        return ByKernels(sizes, fingerprint(settings, named), form, [list(own.values()) for own in weights])
    return ByEquations(sizes, fingerprint(settings, named), form, weights)

"""From a model to the same model in int8."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, TypeVar, cast

import torch
from torch import nn

from sluicegate.errors import ConfigError

from .quantized import Observed, Quantized, is_bounded, of_arrays
from .stack import Stack

Model = TypeVar("Model", bound=nn.Module)


def quantize(model: Model, data: Iterable[Any] | None = None) -> nn.Module:
    """Make a copy of a model whose recurrent layers are computed in int8, for inference on the CPU.

    Weights become whole numbers with one scale a row, the state is rounded to a 127th where it meets the recurrent
    weights, and gates, state and all else stay in 32-bit floats: see `sluicegate.ops.quantized_reference`. What a
    layer reads is rounded by the largest value of each feature, which `data` shows; a first input of few features
    stays in floats, and so does one that was never seen.

    Layers that are left as they are: those with a projection, layer norm or a type other than 32-bit floats, and of
    those with a ReLU all without `data`, since nothing else bounds their state.

    Args:
        model: A layer, or a model that has some, of `sluicegate.nn` or made so by `sluicegate.accelerate`. It is not
            changed.
        data: What the model reads, a few hundred rows as they will come: each is passed to it, a tuple as its
            arguments.

    Returns:
        The copy, in evaluation. It has no gradient; `state_dict` holds the whole numbers.

    Raises:
        ConfigError: There is no layer that can be computed in int8.

    Example:
        >>> from sluicegate.nn import GRU
        >>> layer, x = GRU(16, 32), torch.randn(100, 4, 16)
        >>> small = quantize(layer, [x])
        >>> bool((small(x)[0] - layer(x)[0]).abs().max() < 0.05)
        True
        >>> small.weight_hh_l0.dtype
        torch.int8
    """
    observed = observe(model)
    if data is not None:
        with torch.no_grad():
            for one in data:
                observed(*one) if isinstance(one, tuple) else observed(one)
    return from_observed(observed)


def observe(model: nn.Module) -> nn.Module:
    """Make a copy of a model, in evaluation, that computes the same and notes what its recurrent layers read.

    Raises:
        ConfigError: There is no layer that can be computed in int8.
    """
    copied = deepcopy(model).eval()
    observed = _each(copied, Stack, lambda layer: Observed(layer) if _can(layer) else layer)
    if not any(isinstance(module, Observed) for module in observed.modules()):
        raise ConfigError(
            "`model` has no layer that can be computed in int8: give one with a GRU, LSTM, RNN, MinGRU or LiGRU of "
            "`sluicegate.nn` in 32-bit floats on the CPU, without projection and layer norm"
        )
    return observed


def from_observed(model: nn.Module) -> nn.Module:
    """Make the layers of what `observe` gave int8; it is changed."""

    def small(layer: Observed) -> nn.Module:
        if not layer.seen and not is_bounded(layer.stack) and layer.kind != "mingru":
            return layer.stack
        return layer.quantized()

    found = _each(model, Observed, small)
    if not is_quantized(found):
        raise ConfigError(
            "`model` has layers with a ReLU alone, whose state nothing bounds: give `data` to see how large it is"
        )
    return found


def as_saved(model: Model, names: Iterable[str]) -> Model:
    """Make ready to take the arrays of a saved model in int8: layers whose names are those of int8 become such."""
    saved, made = set(names), cast(nn.Module, model)
    for path, layer in [(p, m) for p, m in model.named_modules() if isinstance(m, Stack)]:
        before = f"{path}." if path else ""
        own = {name.removeprefix(before) for name in saved if name.startswith(before)}
        if "bias_l0" in own:
            made = _put(made, path, of_arrays(layer, own))
    return cast(Model, made)  # a layer alone is a `Quantized` then


def is_quantized(model: nn.Module) -> bool:
    """Tell whether any layer is in int8."""
    return any(isinstance(module, Quantized) for module in model.modules())


def _can(layer: Stack) -> bool:
    weights = list(layer.parameters())
    plain = all(w.dtype == torch.float32 and w.device.type == "cpu" for w in weights)
    return plain and not layer.layer_norm and not layer.proj_size


def _each(model: nn.Module, kind: type[nn.Module], new: Callable[[Any], nn.Module]) -> nn.Module:
    for path, layer in [(p, m) for p, m in model.named_modules() if isinstance(m, kind)]:
        model = _put(model, path, new(layer))
    return model


def _put(model: nn.Module, path: str, new: nn.Module) -> nn.Module:
    if not path:
        return new
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, new)
    return model

"""What the layers and the cells take beyond `torch.nn`, kept and checked in one place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter

from sluicegate.errors import ConfigError
from sluicegate.ops import native, reference
from sluicegate.types import Activation, Cell, Normalization, Precision, Reset

from .initial import Initial
from .weights import of_attributes

NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class Options(torch.nn.Module):
    """The part that every layer and cell of `sluicegate.nn` has beside its part from `torch.nn`.

    The defaults are attributes of the class: they make the module what PyTorch's is.
    """

    kind: ClassVar[Cell]
    in_torch: ClassVar[bool] = True
    """Whether PyTorch has such a module."""
    reset: Reset = "after"
    activation: Activation = "tanh"
    recurrent_dropout: float = 0.0
    layer_norm: bool = False
    normalization: Normalization | None = None
    precision: Precision = "fp32"
    checkpoint_every: int | None = None
    _initial: Initial = Initial()  # under one name, for a subclass of PyTorch's layers may have a `memory` of its own

    def configure(self, suffixes: Iterable[str], **options: Any) -> None:
        """Check and keep the options, and add the parameters of layer norm to the weights with these suffixes.

        Raises:
            ConfigError: An option has a value that it cannot have.
        """
        for name, allowed in (("reset", Reset), ("activation", Activation), ("precision", Precision)):
            if name in options:
                check_choice(name, options[name], get_args(allowed))
        check_rate("recurrent_dropout", options.get("recurrent_dropout", 0.0))
        if not isinstance(options.get("layer_norm", False), bool):
            raise ConfigError(f"`layer_norm` (={options['layer_norm']!r}) must be True or False")
        check_count("checkpoint_every", options.get("checkpoint_every"))
        initial = Initial(**{name: options.pop(name) for name in Initial._fields if name in options})
        for name, value in options.items():
            setattr(self, name, value)
        self._begin(initial)
        if self.layer_norm:
            for suffix in suffixes:
                self._add_gains(suffix)

    def _begin(self, initial: Initial) -> None:
        """Keep how the weights begin, and let them: PyTorch has drawn them before."""
        initial.check(self.kind, bias=bool(vars(self)["bias"]), activation=self.nonlinear())
        if initial == Initial():
            return
        if initial.memory is not None:
            shortest, longest = initial.memory
            initial = initial._replace(memory=(shortest, longest))
        self._initial = initial
        initial.fill(self.kind, dict(self.named_parameters(recurse=False)))

    def _add_gains(self, suffix: str) -> None:
        weight: Tensor = getattr(self, f"weight_hh{suffix}")
        gates = len(weight)
        sizes = {"gain_ih": gates, "gain_hh": gates}
        if self.kind == "lstm":
            sizes |= {"gain_c": gates // 4, "bias_c": gates // 4}
        for name, size in sizes.items():
            fill = weight.new_zeros if name == "bias_c" else weight.new_ones
            self.register_parameter(f"{name}{suffix}", Parameter(fill(size)))

    def reset_parameters(self) -> None:
        """Draw the weights anew as PyTorch does or as was asked for, and set layer norm back to gain 1 and bias 0."""
        super().reset_parameters()  # type: ignore[misc]  # of the torch.nn module beside this one
        self._initial.fill(self.kind, dict(self.named_parameters(recurse=False)))
        for name, parameter in self.named_parameters(recurse=False):
            if name.startswith(("gain_", "bias_c")):
                torch.nn.init.constant_(parameter, 0.0 if name.startswith("bias_c") else 1.0)

    def beyond_kernels(self) -> str | None:
        """Name the first option in force that the fused kernels do not know, if there is one."""
        if projection := vars(self).get("proj_size"):  # of a cell, to look for it by `getattr` takes a microsecond
            return f"proj_size={projection}"
        # ONNX's nodes do not round what they multiply.
        rounded = self.precision != "fp32" and native.becomes_onnx()
        return self._in_force("layer_norm", *(("precision",) if rounded else ()))

    def beyond_torch(self) -> str | None:
        """Name the first option in force that PyTorch's kernels do not know, if there is one."""
        return self._in_force("reset", "activation", "layer_norm", "precision")

    def is_torchs(self) -> bool:
        """Tell whether PyTorch's module of the same name computes the same."""
        return self.in_torch and self.beyond_torch() is None

    def product_precision(self) -> Precision:
        """Name what the kernels round the operands of products to: what was asked for, or what autocast asks for."""
        if self.precision == "fp32" and torch.is_autocast_enabled("cpu"):
            return "bf16" if torch.get_autocast_dtype("cpu") == torch.bfloat16 else "fp32"
        return self.precision

    def _in_force(self, *names: str) -> str | None:
        if self.recurrent_dropout and self.training:
            return f"recurrent_dropout={self.recurrent_dropout} in training"
        for name in names:
            value = getattr(self, name)
            if value != getattr(Options, name):
                return f"{name}={value!r}"
        return None

    def recurrent_mask(self, h: Float[Tensor, "*batch hidden"]) -> Float[Tensor, "*batch hidden"] | None:
        """Draw the recurrent dropout mask of a sequence (Gal & Ghahramani 2016).

        The mask stays the same for every step, and multiplies the state wherever a recurrent product reads it.

        Args:
            h: A state, for its shape; each row gets a mask of its own.

        Returns:
            0 with probability `recurrent_dropout`, else 1 / (1 - `recurrent_dropout`); None when there is nothing
            to drop, as in evaluation.
        """
        if not (self.training and self.recurrent_dropout):
            return None
        return F.dropout(torch.ones_like(h), self.recurrent_dropout)

    def equations(
        self, suffix: str, mask: Tensor | None, instead: Mapping[str, Tensor] = NOTHING
    ) -> reference.Recurrence:
        """Put together, for `ops.reference`, what the weights with this suffix compute, or what is there instead."""
        # A cell has no list; in a graph, the attributes are what a list is made of.
        names = () if torch.compiler.is_dynamo_compiling() else vars(self).get("_flat_weights_names", ())
        listed = dict(zip(names, self.weights(), strict=False)) if names else {}
        listed |= instead
        weights: dict[str, Any] = {}
        for name in reference.Weights._fields:
            full = f"{name}{suffix}"
            weights[name] = listed[full] if full in listed else getattr(self, full, None)
        form = reference.Form(self.reset, self.nonlinear(), self.precision)
        return reference.EQUATIONS[self.kind](reference.Weights(**weights), form, mask)

    def nonlinear(self) -> Activation:
        """Name the activation of the candidate, for which PyTorch's RNN and its cell have words of their own."""
        return self.activation

    def paired(self, hx: Any) -> Any:
        """Take the state of an LSTM in a list as well, as PyTorch does."""
        return tuple(hx) if isinstance(hx, list) and self.kind == "lstm" else hx

    def takes(self, hx: Any) -> bool:
        """Tell whether a state has the form of this kind: a tensor, or the pair of an LSTM."""
        if self.kind == "lstm":
            return isinstance(hx, tuple) and len(hx) == 2 and isinstance(hx[0], Tensor) and isinstance(hx[1], Tensor)
        return isinstance(hx, Tensor)

    def require_state(self, hx: Any) -> None:
        """Refuse a state of another form.

        Raises:
            ConfigError: It has another.
        """
        if not self.takes(hx):
            expected = "a pair of tensors, (h, c)" if self.kind == "lstm" else "one tensor, h"
            raise ConfigError(f"`hx` (a {type(hx).__name__}) must be {expected}: pass what the step before returned")

    def weights(self) -> list[Any]:
        """Find the weights and biases that PyTorch's module would compute with, in the order of its parameters."""
        raise NotImplementedError

    def tensors(self, names: Sequence[str]) -> list[Any]:
        """Find weights by name: the parameters, or what stands in their place."""
        return of_attributes(self, names)

    def extra_repr(self) -> str:
        """Describe the module as PyTorch does, with the options that differ from PyTorch's."""
        names = (
            "reset",
            "activation",
            "normalization",
            "recurrent_dropout",
            "layer_norm",
            "precision",
            "checkpoint_every",
        )
        changed = (f"{n}={getattr(self, n)!r}" for n in names if getattr(self, n) != getattr(type(self), n))
        begun = (f"{n}={v!r}" for n, v in self._initial._asdict().items() if v != Initial._field_defaults[n])
        return ", ".join((super().extra_repr(), *changed, *begun))


def check_choice(name: str, value: object, allowed: Collection[str | None]) -> None:
    """Refuse a value that is none of those allowed.

    Raises:
        ConfigError: It is none of them.
    """
    if value not in allowed:
        choices = " or ".join("None" if choice is None else f'"{choice}"' for choice in allowed)
        raise ConfigError(f"`{name}` (={value!r}) must be {choices}")


def check_rate(name: str, value: object) -> None:
    """Refuse a dropout rate outside [0, 1).

    Raises:
        ConfigError: It is no number, or out of that range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"`{name}` (={value!r}) must be a number from 0 up to but not including 1")


def check_count(name: str, value: object) -> None:
    """Refuse what is neither None nor a whole number from 1 up.

    Raises:
        ConfigError: It is neither.
    """
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(f"`{name}` (={value!r}) must be a whole number from 1 up, or None")

"""The affine maps inside a cell, with what can be asked of them: normalised, rounded, or with dropped inputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from sluicegate.types import Precision

Map: TypeAlias = Callable[[Tensor], Tensor]
"""From `[... in]` to `[... out]`."""


def affine(
    weight: Float[Tensor, "out in"],
    bias: Float[Tensor, " out"] | None = None,
    gain: Float[Tensor, " out"] | None = None,
    *,
    parts: list[int] | None = None,
    precision: Precision = "fp32",
    mask: Float[Tensor, "*batch in"] | None = None,
) -> Map:
    """Make the map `v -> W v + b`, or with a gain its normalised form `LN(W v) * gain + b`.

    `LN(a) = (a - mean(a)) / sqrt(var(a) + 1e-5)`, over the outputs of a row (Ba et al. 2016).

    Args:
        weight: `W`.
        bias: `b`.
        gain: Turns the normalisation on.
        parts: The sizes of the groups of outputs that are normalised together; all of them when not given.
        precision: `"bf16"` rounds `v` and `W` to bfloat16 (8 bits of mantissa) before they are multiplied.
        mask: The recurrent dropout mask, which `v` is multiplied by first.

    Returns:
        The map.

    Example:
        >>> affine(torch.tensor([[1.0, 2.0]]), torch.tensor([0.5]))(torch.tensor([3.0, 4.0]))
        tensor([11.5000])
    """
    return partial(_apply, _round(weight, precision), bias, gain, parts, precision, mask)


def _apply(
    weight: Tensor,
    bias: Tensor | None,
    gain: Tensor | None,
    parts: list[int] | None,
    precision: Precision,
    mask: Tensor | None,
    v: Tensor,
) -> Tensor:
    v = _round(v if mask is None else v * mask, precision)
    if gain is None:
        return F.linear(v, weight, bias)
    groups = torch.split(F.linear(v, weight), parts or [weight.shape[0]], dim=-1)
    a = torch.cat([F.layer_norm(group, group.shape[-1:]) for group in groups], dim=-1) * gain
    return a if bias is None else a + bias


def _round(v: Tensor, precision: Precision) -> Tensor:
    # The difference to the rounded value is exact, so the sum is the rounded value; the gradient passes unrounded.
    return v if precision == "fp32" else v + (v.to(torch.bfloat16).to(v.dtype) - v).detach()

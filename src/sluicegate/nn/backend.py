"""Who computes a layer: PyTorch's own kernels wherever they can, and the equations in plain torch elsewhere.

PyTorch has one form of each cell: the reset gate after the product, tanh, no layer norm, no recurrent dropout, one
precision. Anything else is computed by `sluicegate.ops.reference`, which is slower and never silent: each kind of
layer says once, for each reason, on the logger `sluicegate`, who computes it and why.
"""

from __future__ import annotations

import logging
from functools import cache

from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sluicegate.types import Backend

from .options import Options

_logger = logging.getLogger("sluicegate")


def backend_of(module: Options, x: Float[Tensor, ...] | PackedSequence) -> Backend:
    """Tell who computes `module(x)`.

    Args:
        module: A layer or a cell of `sluicegate.nn`.
        x: An input of it, in any of the layouts that it takes.

    Returns:
        `"torch"` or `"reference"`.

    Example:
        >>> import torch, sluicegate.nn
        >>> x = torch.zeros(7, 2, 3)
        >>> backend_of(sluicegate.nn.GRU(3, 5), x), backend_of(sluicegate.nn.GRU(3, 5, reset="before"), x)
        ('torch', 'reference')
    """
    return _decide(module, x)[0]


def choose(module: Options, x: Float[Tensor, ...] | PackedSequence, obstacle: str | None = None) -> Backend:
    """Decide who computes `module(x)`, and log it when it is news; an obstacle is what else rules PyTorch out."""
    backend, reason = _decide(module, x, obstacle)
    _announce(type(module).__name__, backend, reason)
    return backend


def _decide(module: Options, x: Tensor | PackedSequence, obstacle: str | None = None) -> tuple[Backend, str]:
    obstacle = module.beyond_torch() or obstacle
    if obstacle is not None:
        return "reference", f"{obstacle} is beyond PyTorch's kernels"
    return "torch", "PyTorch takes CUDA tensors to cuDNN" if x.is_cuda else "PyTorch's kernels compute it"


@cache  # remembers what was said, so that each is said once
def _announce(kind: str, backend: Backend, reason: str) -> None:
    level = logging.INFO if backend == "reference" else logging.DEBUG
    _logger.log(level, "%s runs on the %s backend: %s", kind, backend, reason)

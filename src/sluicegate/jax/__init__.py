"""The layers for programs in JAX: the same kernels as in `sluicegate.nn`, as functions that JAX differentiates.

Every function computes one layer and takes what it needs as arrays: `gru(x, h, weights)`. They can be compiled
(`jax.jit`), differentiated once in reverse (`jax.grad`) and mapped (`jax.vmap`), on the CPU and in float32.
"""

from __future__ import annotations

from . import extra as extra
from .layers import gru as gru
from .layers import ligru as ligru
from .layers import lstm as lstm
from .layers import mingru as mingru
from .layers import rnn as rnn
from .masks import held as held
from .weights import Weights as Weights

__all__ = ["Weights", "gru", "held", "ligru", "lstm", "mingru", "rnn"]

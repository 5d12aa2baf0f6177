"""Shapes of the arrays that cross a public boundary, named once.

Tests check every one of them at run time; a user pays nothing for them.
`...` stands for a batch axis that may be absent.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Cell: TypeAlias = Literal["gru", "lstm", "rnn", "mingru", "ligru"]
"""The kinds of recurrent layers and cells; every task can be built from each."""

Reset: TypeAlias = Literal["after", "before"]
"""Where the reset gate of a GRU acts: after the recurrent product (cuDNN) or before it (Cho et al. 2014)."""

Activation: TypeAlias = Literal["tanh", "relu"]
"""What squashes the candidate of a cell."""

RecurrentInit: TypeAlias = Literal["uniform", "orthogonal", "identity"]
"""How recurrent weights begin: as PyTorch draws them, as an orthogonal matrix a gate, or as the identity.

The layers' argument is called `recurrent_init`: what Keras calls `recurrent_initializer`, in PyTorch's word for it.
"""

Span: TypeAlias = tuple[float | int, float | int]
"""From the shortest to the longest, in steps."""

Fill: TypeAlias = Literal["forward", "linear", "zero"]
"""How missing values and missing rows are filled in: the last value before, a straight line, or 0."""

Normalization: TypeAlias = Literal["batch"]
"""How the input's share of a LiGRU's gates is normalised."""

Precision: TypeAlias = Literal["fp32", "bf16"]
"""What the operands of a layer's matrix products are rounded to; sums are kept in the layer's own type."""

InferencePrecision: TypeAlias = Literal["fp32", "bf16", "int8"]
"""In which precision a trained model computes its recurrent layers; in int8 their weights are whole numbers."""

Isa: TypeAlias = Literal["avx512_bf16", "avx512", "avx2", "neon", "scalar"]
"""The instruction sets that the kernels are compiled for; the first is AVX-512 with products of bfloat16."""

Backend: TypeAlias = Literal["avx512_bf16", "avx512", "avx2", "neon", "scalar", "torch", "reference"]
"""Who computes a layer: the fused kernels for an instruction set, PyTorch, or the equations of `ops.reference`."""

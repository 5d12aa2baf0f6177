"""Which steps are part of which row: by `lengths`, or by the batch sizes of a PackedSequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sluicegate.errors import ConfigError
from sluicegate.ops import native

Inputs: TypeAlias = Float[Tensor, "..."] | PackedSequence
"""`[time batch input]`, `[batch time input]` with `batch_first`, `[time input]`, or packed."""

Lengths: TypeAlias = Int[Tensor, " batch"] | Sequence[int]
"""How many steps of each row are part of it."""


def checked(x: Inputs, lengths: Lengths, *, batch_first: bool) -> Tensor:
    """Refuse lengths that are not those of the rows of an input.

    Raises:
        ConfigError: They are not.
    """
    if isinstance(x, PackedSequence):
        raise ConfigError("`lengths` cannot go with a PackedSequence, which has its own: leave one of them out")
    if x.dim() != 3:
        raise ConfigError(
            f"`lengths` needs a batch of rows, an `input` of 3 axes, but that has {x.dim()}: "
            "cut a single row to its length instead"
        )
    batch, time = x.shape[:2] if batch_first else (x.shape[1], x.shape[0])
    rows = torch.as_tensor(lengths, device="cpu")
    if not isinstance(lengths, Tensor) and rows.numel() == 0:
        rows = rows.long()  # an empty list became floats
    if rows.is_floating_point() or rows.dtype == torch.bool or rows.shape != (batch,):
        raise ConfigError(
            f"`lengths` must be {batch} whole numbers, one for each row of `input`, but it is "
            f"{rows.dtype} of shape {tuple(rows.shape)}: check that `batch_first` (={batch_first}) is meant"
        )
    if isinstance(lengths, Tensor) and torch.compiler.is_exporting():
        return rows.long()  # what they are is not known yet
    for row, length in enumerate(rows.tolist() if isinstance(lengths, Tensor) else lengths):
        if not 0 <= length <= time:
            raise ConfigError(
                f"`lengths[{row}]` (={length}) must be from 0 to {time}, the time axis of `input`: "
                "pad `input` to the longest row"
            )
    return rows.long()


def falls(x: PackedSequence) -> bool:
    """Tell whether the batch sizes are such as packing makes: from one step to the next no more, of all the rows."""
    given: Any = x.batch_sizes
    if not isinstance(given, Tensor) or given.dtype is not torch.int64 or given.dim() != 1 or not given.is_cpu:
        return False
    sizes, rows = given.numpy(), len(x.data)
    # Of more or larger ones, the sum may be less than they are, or take as long as they are many.
    if not (0 < len(sizes) <= rows and 0 < sizes[-1] <= sizes[0] <= rows):
        return False
    return bool((sizes[1:] <= sizes[:-1]).all() and sizes.sum() == rows)


def longest_first(rows: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """The lengths as the kernels take them, and of which row each is."""
    if rows is None or native.becomes_onnx():  # which takes rows in any order
        return rows, None
    if torch.compiler.is_exporting():  # a program may go on to ONNX, for which PyTorch has no stable sort
        lengths, order = rows.sort(descending=True)
    else:
        lengths, order = rows.sort(descending=True, stable=True)
    return lengths, order


def can_be_packed(rows: Tensor | None) -> bool:
    """Tell whether there are lengths, known and from 1 up, as packing takes them."""
    if torch.compiler.is_exporting():  # how long the rows are is not known yet
        return False
    return rows is not None and bool((rows > 0).all())


def steps_read(x: Tensor, rows: tuple[Tensor | None, Tensor | None, Tensor | None], batch_first: bool) -> Tensor:
    """Give the steps that are part of a row, one after the other.

    Args:
        x: What the kernels read.
        rows: As `native.layer` takes them.
        batch_first: Whether the batch comes first in `x`.

    Returns:
        `[steps input]`.
    """
    lengths, order, offsets = rows
    if lengths is None or offsets is not None:
        return x.flatten(0, -2)
    if order is not None:
        lengths = torch.empty_like(lengths).scatter(0, order, lengths)
    x = x if batch_first else x.transpose(0, 1)
    return x[torch.arange(x.shape[1]) < lengths.unsqueeze(1)]


def valid_steps(x: Tensor, valid: Tensor | None) -> Tensor:
    """Do the same with what the equations read, `[time batch input]`, and the mark of each step."""
    return x.flatten(0, 1) if valid is None else x[valid]

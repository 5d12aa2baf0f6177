"""The logits of many rows, in batches of about the same length, several at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import nn

from sluicegate.training import Workers

Batch = TypeVar("Batch")
Rows = Int64[np.ndarray, " _"]


def logits_in_batches(
    model: nn.Module, batch_of: Callable[[Rows], Batch], rows: Rows, lengths: Rows, most: int
) -> Float32[np.ndarray, "rows classes"]:
    """The logits of rows, in their order.

    Args:
        model: takes a batch.
        batch_of: makes one of some rows.
        rows: by number.
        lengths: how long each is.
        most: of the steps of a batch, unless a single row has more.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, begin = [], 0
    while begin < len(order):
        size = max(1, most // int(lengths[order[begin]]))
        batches.append(rows[order[begin : begin + size]])
        begin += size

    @torch.inference_mode()
    def logits_of(some: Rows) -> Float32[np.ndarray, "some classes"]:
        return np.asarray(model(batch_of(some)))

    with Workers(len(batches)) as workers:
        logits = np.concatenate(workers.map(logits_of, batches))
    back: Float32[np.ndarray, "rows classes"] = np.empty_like(logits)
    back[order] = logits
    return back

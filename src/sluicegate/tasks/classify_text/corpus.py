"""Texts ready for the network, in PyTorch's numbers.

A fit cuts them once, and comes back in every step for a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sluicegate.runtime.texts import corpus
from sluicegate.runtime.texts.corpus import LONGEST as LONGEST


class Batch(NamedTuple):
    """Parts of texts; see `sluicegate.runtime.texts.corpus`."""

    tokens: Tensor
    lengths: Tensor
    grams: Tensor
    bounds: Tensor
    capitals: Tensor | None


class Corpus(corpus.Corpus):
    """Texts in parts of `LONGEST` tokens at most."""

    def batch(self, parts: Int64[np.ndarray, " rows"]) -> Batch:
        """Some of the parts, ready for the network."""
        *numbers, capitals = self.rows(parts)
        tokens, lengths, grams, bounds = map(torch.from_numpy, numbers)
        return Batch(tokens, lengths, grams, bounds, None if capitals is None else torch.from_numpy(capitals))

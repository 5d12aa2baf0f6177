"""How probable sub-words are after each of some hypotheses, and the best of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

_FEW = 1024  # sub-words that are not put into blocks
_BLOCKS = 96


class Best(NamedTuple):
    """The best that may follow, `[rows candidates]` each, in order."""

    worth: Float[np.ndarray, "rows candidates"]
    """The logarithm of the probability of all sub-words of a hypothesis with this one."""
    parents: Int64[np.ndarray, "rows candidates"]
    """Which hypothesis of its row each goes on with."""
    tokens: Int64[np.ndarray, "rows candidates"]
    chances: Float[np.ndarray, "rows candidates"]
    """The logarithm of the probability of the sub-word."""


class Scores(NamedTuple):
    """The logarithms of the probabilities of all sub-words, but for a number that a hypothesis has in common."""

    logits: Float[Tensor, "rows beam tokens"]
    less: Float[Tensor, "rows beam"]
    """What is to be taken from each logit of a hypothesis."""

    def best(self, total: Float[Tensor, "rows beam"], count: int) -> Best:
        """The best continuations of the hypotheses of each row.

        With many sub-words only those are looked at one by one that are in one of the `count` best of some blocks:
        there all of the best are.

        Args:
            total: the logarithm of the probability of each hypothesis.
            count: how many are asked for, at most.
        """
        rows, beam, tokens = self.logits.shape
        if tokens <= _FEW or count > _BLOCKS:
            places = torch.arange(beam * tokens).expand(rows, -1)
        else:
            places = self._in_best_blocks(total, count)
        parents = places // tokens
        chances = self.logits.flatten(1).gather(1, places) - self.less.gather(1, parents)
        worth = total.gather(1, parents) + chances
        worth, order = worth.topk(min(count, worth.shape[1]), 1)
        parents, places, chances = (one.gather(1, order) for one in (parents, places, chances))
        return Best(worth.numpy(), parents.numpy(), (places - parents * tokens).numpy(), chances.numpy())

    def _in_best_blocks(self, total: Tensor, count: int) -> Int64[Tensor, "rows candidates"]:
        """Where the sub-words are of the blocks whose best are best: a block is what is left over by a division.

        Places are numbered across the hypotheses. A sub-word of the last, incomplete row of blocks may stand in for
        one that there is not; then it is one of the worst of its row, `PAD`, which never follows.
        """
        tokens = self.logits.shape[2]
        whole = tokens // _BLOCKS * _BLOCKS
        shape = (*self.logits.shape[:2], -1, _BLOCKS)
        largest = self.logits[..., :whole].reshape(shape).amax(2)
        rest = largest[..., : tokens - whole]
        torch.maximum(rest, self.logits[..., whole:], out=rest)
        worth = total[..., None] + (largest - self.less[..., None])
        blocks = worth.flatten(1).topk(count, 1, sorted=False).indices
        parents, numbers = blocks // _BLOCKS, blocks % _BLOCKS
        within = numbers[..., None] + torch.arange(0, tokens, _BLOCKS)
        within = torch.where(within < tokens, within, 0)
        found: Tensor = (parents[..., None] * tokens + within).flatten(1)
        return found

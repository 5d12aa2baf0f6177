"""How probable sub-words are after each of some hypotheses, and the best of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from torch import Tensor

_FEW = 1024  # sub-words that are not put into blocks
_BLOCKS = 192


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

    def best(self, total: Float[np.ndarray, "rows beam"], count: int) -> Best:
        """The best continuations of the hypotheses of each row.

        With many sub-words only those are looked at one by one that are in one of the `count` best of some blocks:
        there all of the best are.

        Args:
            total: the logarithm of the probability of each hypothesis.
            count: how many are asked for, at most.
        """
        # In NumPy, which takes a third of PyTorch's time for so few numbers.
        rows, beam, tokens = self.logits.shape
        logits, less = self.logits.numpy(), self.less.numpy()
        if tokens <= _FEW or count > _BLOCKS:
            parents, numbers = np.divmod(np.arange(beam * tokens)[None].repeat(rows, 0), tokens)
        else:
            parents, numbers = self._in_best_blocks(total, count)
        row = np.arange(rows)[:, None]
        chances = logits[row, parents, numbers] - less[row, parents]
        worth = total[row, parents] + chances
        order = _largest(worth, count)
        order = order[row, np.argsort(-worth[row, order], axis=1, kind="stable")]
        return Best(worth[row, order], parents[row, order], numbers[row, order], chances[row, order])

    def _in_best_blocks(self, total: Float[np.ndarray, "rows beam"], count: int) -> tuple[np.ndarray, np.ndarray]:
        """The sub-words of the blocks whose best are best: a block has what leaves the same over in a division.

        A sub-word of the last, incomplete row of blocks may stand in for one that there is not; then it is `PAD`, which
        never follows.

        Returns:
            Which hypothesis of its row each goes on with, and its number.
        """
        tokens = self.logits.shape[2]
        whole = tokens // _BLOCKS * _BLOCKS
        shape = (*self.logits.shape[:2], -1, _BLOCKS)
        largest = self.logits[..., :whole].reshape(shape).amax(2).numpy()
        rest = largest[..., : tokens - whole]
        np.maximum(rest, self.logits[..., whole:].numpy(), out=rest)
        worth = total[..., None] + (largest - self.less.numpy()[..., None])
        parents, first = np.divmod(_largest(worth.reshape(len(worth), -1), count), _BLOCKS)
        numbers = first[..., None] + np.arange(0, tokens, _BLOCKS)
        numbers[numbers >= tokens] = 0
        numbers = numbers.reshape(len(numbers), -1)
        return parents.repeat(numbers.shape[1] // count, 1), numbers


def _largest(x: np.ndarray, count: int) -> np.ndarray:
    """Where the largest numbers of each row are, in any order."""
    if x.shape[1] <= count:
        return np.arange(x.shape[1])[None].repeat(len(x), 0)
    return np.argpartition(x, x.shape[1] - count, axis=1)[:, -count:]

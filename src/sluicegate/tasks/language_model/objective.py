"""What a language model is trained on: the next token of streams that run side by side, piece by piece.

The state is carried from piece to piece, and the gradient stops between them (truncated back-propagation). It begins
anew with each epoch and after each validation check, where checkpoints are written: so the state of training is the
step's number and the weights, and a run that was killed and resumed ends with the very same bits.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.generation.subwords import BEGIN
from sluicegate.training import Part
from sluicegate.training.tbptt import detached

from .network import Network, States

_LANES, _PIECE = 16, 128  # in which texts that validate are read side by side, and steps that are read at once


class Objective:
    """Draws pieces of streams, and measures the losses.

    Args:
        network: what is trained.
        training: the streams of the texts to train on, each with its beginning.
        validation: those of the texts to validate on.
        words: of the validation part, with the ends of lines: its loss is that of a word.
        seed: of the order of the texts.
        member: the number of the network among those that are trained beside it: each has an order of its own.
        batch: streams side by side, as far as there are tokens for them.
        piece: steps of a piece.
    """

    def __init__(
        self,
        network: Network,
        training: Ragged,
        validation: Ragged,
        *,
        words: int,
        seed: int,
        member: int,
        batch: int,
        piece: int,
    ) -> None:
        self._network, self._training, self._words = network, training, words
        self._seed, self._member = seed, member
        total = len(training.values)
        self._rows = max(1, min(batch, total // (2 * piece)))
        self._each = total // self._rows
        self._piece = max(1, min(piece, self._each - 1))
        self._lanes = _lanes(validation.values)
        self.every = self.steps
        """Steps between two validation checks."""
        self._epoch: tuple[int, Tensor] | None = None
        self._states: States | None = None

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return max(1, (self._each - 1) // self._piece)

    def part(self) -> Part:
        """What is trained."""
        return Part(self._network, self._loss, self._validate)

    def _loss(self, step: int, chance: torch.Generator) -> Tensor:
        epoch, number = divmod(step, self.steps)
        if number == 0 or step % self.every == 0:
            self._states = None
        begin = number * self._piece
        piece = self._streams(epoch)[:, begin : begin + self._piece + 1]
        total, count, states = _total(self._network, piece, self._states, chance)
        self._states = detached(states)
        return total / count

    def _streams(self, epoch: int) -> Int64[Tensor, "rows steps"]:
        """The texts in the order of an epoch, cut into streams side by side."""
        if self._epoch is None or self._epoch[0] != epoch:
            generator = np.random.default_rng((self._seed, epoch, self._member))
            order = generator.permutation(len(self._training))
            values = self._training.take(order).values if len(order) > 1 else self._training.values
            # Each epoch cuts the text at other places.
            values = np.roll(values, -int(generator.integers(len(values))))[: self._rows * self._each]
            self._epoch = epoch, torch.from_numpy(values.reshape(self._rows, -1).astype(np.int64))
        return self._epoch[1]

    def _validate(self) -> float:
        """The mean over the words of the validation part, in nats."""
        total, states = 0.0, None
        with torch.no_grad():
            for begin in range(0, self._lanes.shape[1] - 1, _PIECE):
                loss, _, states = _total(self._network, self._lanes[:, begin : begin + _PIECE + 1], states, None)
                total += float(loss)
        return total / self._words


def _total(
    network: Network, piece: Int64[Tensor, "rows steps"], states: States | None, chance: torch.Generator | None
) -> tuple[Tensor, int, States]:
    """The sum of the losses of a piece, how many tokens it is of, and the states after; a beginning is not foretold."""
    features, states = network.read(piece[:, :-1], states, chance)
    targets = piece[:, 1:].flatten()
    real = targets != BEGIN
    found = network.output().log_likelihood(features.flatten(0, 1), targets)
    return -(found * real).sum(), max(1, int(real.sum())), states


def _lanes(values: Int64[np.ndarray, " tokens"] | np.ndarray) -> Int64[Tensor, "lanes steps"]:
    """A stream cut into some that are read side by side; each begins with the last token of the one before.

    To read it in one would take many times as long, and what the lanes do not know at their beginnings is little.
    """
    lanes = max(1, min(_LANES, (len(values) - 1) // _PIECE))
    each = -(-(len(values) - 1) // lanes)
    padded = np.full(lanes * each + 1, BEGIN, dtype=np.int64)
    padded[: len(values)] = values
    places = np.arange(lanes)[:, None] * each + np.arange(each + 1)
    return torch.from_numpy(padded[places])

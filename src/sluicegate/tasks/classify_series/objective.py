"""What the networks are trained on, step by step, and what validates them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sluicegate.tasks.classification import objective
from sluicegate.tasks.classification.loss import Loss

from .causal import PREFIXES, CausalMember
from .model import Ensemble
from .trained import logits_of
from .windows import Batch, Windowed

Rows = Int64[np.ndarray, " _"]


class Objective(objective.Objective):
    """Draws windows for every network, and measures the losses.

    Args:
        model: the networks.
        windowed: the recordings.
        truth: the number of each one's class.
        number: of the network that each recording validates, -1 where it validates none.
        other: the recordings that validate, and `validation_rows` which of them validate each network.
        validation_rows: these.
        validation_truth: the number of the class of each.
        loss: what is minimised.
        seed: the source of all chance.
        batch: windows in a step.
    """

    def __init__(
        self,
        model: Ensemble,
        windowed: Windowed,
        truth: Rows,
        number: Rows,
        other: Windowed,
        validation_rows: Sequence[Rows],
        validation_truth: Rows,
        loss: Loss,
        *,
        seed: int,
        batch: int,
    ) -> None:
        super().__init__(model, validation_truth, loss)
        self._windowed, self._other, self._validation_rows, self._seed, self._batch = (
            windowed,
            other,
            validation_rows,
            seed,
            batch,
        )
        self._truth = torch.from_numpy(truth)
        self._trained = [np.flatnonzero(number != k) for k in range(len(model.members))]

    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's batch in a step."""
        draw = np.random.default_rng([self._seed, step, network])
        chosen = self._chosen(self._trained[network], step, network)
        batch: Batch = self._windowed.drawn(np.tile(chosen, self._losses.readings), draw)
        member, truth = self._model.members[network], self._truth[chosen]
        if not isinstance(member, CausalMember):
            return self._losses.training(member(batch, generator), truth)
        # An answer early in a recording is to be of use as well.
        losses = [self._losses.training(logits, truth) for logits in member.prefixes(batch, PREFIXES, generator)]
        return torch.stack(losses).mean()

    def early(self, share: float) -> Objective:
        """The same on the first part of each recording that validates, this share of its steps."""
        other = copy(self)
        other._other = self._other.first(share)
        return other

    def _chosen(self, trained: Rows, step: int, network: int) -> Rows:
        """The next recordings in an order that goes through all of them before one comes again."""
        size = self._batch
        places = np.arange(step * size, (step + 1) * size)
        epochs, at = np.divmod(places, len(trained))
        orders = {
            epoch: np.random.default_rng([self._seed, epoch, network, 1]).permutation(trained)
            for epoch in np.unique(epochs).tolist()
        }
        return np.array([orders[epoch][i] for epoch, i in zip(epochs.tolist(), at.tolist(), strict=True)])

    def _validation_logits(self, network: int) -> tuple[np.ndarray, Rows]:
        rows = self._validation_rows[network]
        return logits_of(self._model.members[network], self._other, rows), rows

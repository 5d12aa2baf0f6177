"""What the networks are trained on, step by step, and what validates them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sluicegate.tasks.classification import objective
from sluicegate.tasks.classification.loss import Loss

from .clips import Alterations, Rows
from .model import PREFIXES, CausalMember, Ensemble
from .prepared import Prepared
from .trained import logits_of


class Objective(objective.Objective):
    """Draws altered clips for every network, and measures the losses.

    Args:
        model: the networks.
        prepared: the clips.
        truth: the number of each one's action.
        number: of the network that each clip validates, -1 where it validates none.
        other: the clips that validate.
        validation_rows: which of them validate each network.
        validation_truth: the number of the action of each.
        loss: what is minimised.
        how: how clips are altered.
        seed: the source of all chance.
        batch: clips in a step.
    """

    def __init__(
        self,
        model: Ensemble,
        prepared: Prepared,
        truth: Rows,
        number: Rows,
        other: Prepared,
        validation_rows: Sequence[Rows],
        validation_truth: Rows,
        loss: Loss,
        how: Alterations,
        *,
        seed: int,
        batch: int,
    ) -> None:
        super().__init__(model, validation_truth, loss)
        self._prepared, self._other, self._validation_rows = prepared, other, validation_rows
        self._how, self._seed, self._batch = how, seed, batch
        self._truth = torch.from_numpy(truth)
        self._trained = [np.flatnonzero(number != k) for k in range(len(model.members))]

    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's batch in a step."""
        draw = np.random.default_rng([self._seed, step, network])
        chosen = self._chosen(self._trained[network], step, network)
        batch = self._prepared.drawn(np.tile(chosen, self._losses.readings), self._how, draw)
        member, truth = self._model.members[network], self._truth[chosen]
        if not isinstance(member, CausalMember):
            return self._losses.training(member(batch, generator), truth)
        losses = [self._losses.training(logits, truth) for logits in member.prefixes(batch, PREFIXES, generator)]
        return torch.stack(losses).mean()

    def _chosen(self, trained: Rows, step: int, network: int) -> Rows:
        """The next clips in an order that goes through all of them before one comes again."""
        places = np.arange(step * self._batch, (step + 1) * self._batch)
        epochs, at = np.divmod(places, len(trained))
        orders = {
            epoch: np.random.default_rng([self._seed, epoch, network, 1]).permutation(trained)
            for epoch in np.unique(epochs).tolist()
        }
        return np.array([orders[epoch][i] for epoch, i in zip(epochs.tolist(), at.tolist(), strict=True)])

    def _validation_logits(self, network: int) -> tuple[np.ndarray, Rows]:
        rows = self._validation_rows[network]
        return logits_of(self._model.members[network], self._other, rows), rows

"""What the networks are trained on, step by step, and what validates them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sluicegate.tasks.classification import objective
from sluicegate.tasks.classification.calibration import log_loss, probabilities, temperature
from sluicegate.tasks.classification.loss import Loss

from .clips import Alterations, Rows
from .model import PREFIXES, Batch, CausalMember, Ensemble
from .prepared import Prepared
from .shared import Shared
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
        whole: how many of the networks, the last ones, train on all clips.
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
        whole: int = 0,
    ) -> None:
        super().__init__(model, validation_truth, loss, whole=whole)
        self._prepared, self._other, self._validation_rows = prepared, other, validation_rows
        self._number, self._how, self._seed, self._batch = number, how, seed, batch
        self._truth = truth
        self._shared = Shared(len(model.members), self._drawn)

    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's clips of the batch in a step: all but those that validate it."""
        batch, rows = self._shared.of(step)
        chosen = np.flatnonzero(self._number[rows] != network)
        truth = torch.from_numpy(self._truth[rows[chosen]])
        kept = torch.from_numpy(np.concatenate([chosen + k * len(rows) for k in range(self._losses.readings)]))
        own = Batch(batch.values[kept], batch.lengths[kept])
        member = self._model.members[network]
        if not isinstance(member, CausalMember):
            return self._losses.training(member(own, generator), truth)
        losses = [self._losses.training(logits, truth) for logits in member.prefixes(own, PREFIXES, generator)]
        return torch.stack(losses).mean()

    def _drawn(self, step: int) -> tuple[Batch, Rows]:
        """The altered clips of a step, which are those of all networks, and which they are."""
        places = np.arange(step * self._batch, (step + 1) * self._batch)
        epochs, at = np.divmod(places, len(self._truth))
        orders = {
            epoch: np.random.default_rng([self._seed, epoch, 1]).permutation(len(self._truth))
            for epoch in np.unique(epochs).tolist()
        }
        rows = np.array([orders[epoch][i] for epoch, i in zip(epochs.tolist(), at.tolist(), strict=True)])
        draw = np.random.default_rng([self._seed, step])
        return self._prepared.drawn(np.tile(rows, self._losses.readings), self._how, draw), rows

    def _validate(self, network: int) -> float:
        """The mean loss of a network on the clips that validate it, at the temperature that suits it best.

        The temperature is settled after training; without it, networks that are right and too sure would be left
        behind early.
        """
        logits, rows = self._validation_logits(network)
        truth = self._validation_truth[rows]
        return log_loss(probabilities(logits, temperature(logits, truth)), truth)

    def _validation_logits(self, network: int) -> tuple[np.ndarray, Rows]:
        rows = self._validation_rows[network]
        return logits_of(self._model.members[network], self._other, rows), rows

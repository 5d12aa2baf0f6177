"""What the networks are trained on, step by step, and what validates them."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from sluicegate.tasks.classification.decision import Decision
from sluicegate.tasks.classification.loss import Loss
from sluicegate.training import Part

from .causal import PREFIXES, CausalMember
from .config import SeriesClassifierConfig
from .model import Ensemble
from .trained import logits_of
from .windows import Batch, Windowed

Rows = Int64[np.ndarray, " _"]


class Objective:
    """Draws windows for every network, and measures the losses.

    Args:
        model: the networks.
        windowed: the recordings.
        truth: the number of each one's class.
        number: of the network that each recording validates, -1 where it validates none.
        decision: how far the classes are evened out.
        config: the knobs.
        consistency: how much two readings of a recording are to agree; 0 reads once.
    """

    def __init__(
        self,
        model: Ensemble,
        windowed: Windowed,
        truth: Rows,
        number: Rows,
        decision: Decision,
        config: SeriesClassifierConfig,
        consistency: float,
    ) -> None:
        self._model, self._windowed, self._config = model, windowed, config
        self._truth = torch.from_numpy(truth)
        adjustment = torch.from_numpy(decision.balance * np.log(decision.prior)).float()
        self._losses = Loss(adjustment, config.smoothing, config.robust, consistency)
        self._trained = [np.flatnonzero(number != k) for k in range(len(model.members))]

    def parts(self, windowed: Windowed, truth: Rows, looked: list[Rows]) -> list[Part]:
        """What is trained: each network, which its own recordings of `looked` validate."""
        return [
            Part(member, partial(self._loss, k), partial(self._validate, k, windowed, truth, looked[k]))
            for k, member in enumerate(self._model.members)
        ]

    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's batch in a step."""
        draw = np.random.default_rng([self._config.seed, step, network])
        chosen = self._chosen(self._trained[network], step, network)
        batch: Batch = self._windowed.drawn(np.tile(chosen, self._losses.readings), draw)
        member, truth = self._model.members[network], self._truth[chosen]
        if not isinstance(member, CausalMember):
            return self._losses.training(member(batch, generator), truth)
        # An answer early in a recording is to be of use as well.
        losses = [self._losses.training(logits, truth) for logits in member.prefixes(batch, PREFIXES, generator)]
        return torch.stack(losses).mean()

    def _chosen(self, trained: Rows, step: int, network: int) -> Rows:
        """The next recordings in an order that goes through all of them before one comes again."""
        size = self._config.batch
        places = np.arange(step * size, (step + 1) * size)
        epochs, at = np.divmod(places, len(trained))
        orders = {
            epoch: np.random.default_rng([self._config.seed, epoch, network, 1]).permutation(trained)
            for epoch in np.unique(epochs).tolist()
        }
        return np.array([orders[epoch][i] for epoch, i in zip(epochs.tolist(), at.tolist(), strict=True)])

    def _validate(self, network: int, windowed: Windowed, truth: Rows, rows: Rows) -> float:
        """The mean loss of a network on the recordings that it is validated on."""
        said = torch.from_numpy(logits_of(self._model.members[network], windowed, rows)).float()
        return self._losses.validation(said, torch.from_numpy(truth[rows]))

    def unseen(self, windowed: Windowed, looked: list[Rows], classes: int) -> Float64[np.ndarray, "rows classes"]:
        """The mean logits of recordings by the networks that did not train on them; NaN where all did."""
        total, times = np.zeros((len(windowed.values), classes)), np.zeros(len(windowed.values))
        for member, rows in zip(self._model.members, looked, strict=True):
            total[rows] += logits_of(member, windowed, rows)
            times[rows] += 1
        with np.errstate(invalid="ignore"):
            mean: Float64[np.ndarray, "rows classes"] = total / times[:, None]
        return mean

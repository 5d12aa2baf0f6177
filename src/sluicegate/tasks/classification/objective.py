"""What the networks of a classifier are trained on, step by step, and what validates them.

A fit comes here for the loss, for what all objectives have, and for the parts that are trained, between the task's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from sluicegate.training import Part

from .decision import Decision, Probabilities
from .examples import Rows
from .loss import Loss
from .networks import Ensemble

_CONSISTENCY = 1.0  # that is asked for where there are few rows


class Objective(ABC):
    """Draws batches for every network, and measures the losses.

    Args:
        model: the networks.
        truth: the number of the class of each row that validates.
        loss: what is minimised.
        whole: how many of the networks, the last ones, no rows validate: they train on all.
    """

    def __init__(self, model: Ensemble, truth: Rows, loss: Loss, *, whole: int = 0) -> None:
        self._model, self._validation_truth, self._losses = model, truth, loss
        self._validated = len(model.members) - whole

    def parts(self) -> list[Part]:
        """What is trained: each network, which its own rows validate, if any do."""
        return [
            Part(member, partial(self._loss, k), partial(self._validate, k) if k < self._validated else None)
            for k, member in enumerate(self._model.members)
        ]

    @abstractmethod
    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's batch in a step."""

    @abstractmethod
    def _validation_logits(self, network: int) -> tuple[np.ndarray, Rows]:
        """A network's logits of what validates it, and the row that each is of; a row may be read in parts."""

    def _validate(self, network: int) -> float:
        """The mean loss of a network on the rows that it is validated on."""
        logits, rows = self._validation_logits(network)
        return self._losses.validation(torch.from_numpy(logits).float(), torch.from_numpy(self._validation_truth[rows]))

    def unseen(self, classes: int) -> tuple[Float64[np.ndarray, "seen classes"], Rows]:
        """The mean logits of rows by the networks that did not train on them, and which rows these are."""
        total, times = np.zeros((len(self._validation_truth), classes)), np.zeros(len(self._validation_truth))
        for network in range(self._validated):
            logits, rows = self._validation_logits(network)
            np.add.at(total, rows, logits)
            np.add.at(times, rows, 1.0)
        seen = np.flatnonzero(times)
        mean: Probabilities = total[seen] / times[seen, None]
        return mean, seen


def loss_for(decision: Decision, config: Any, *, few: bool) -> Loss:
    """The loss, with the classes evened out; of few rows two readings are to agree, unless set."""
    adjustment = torch.from_numpy(decision.balance * np.log(decision.prior)).float()
    consistency = config.consistency if config.consistency is not None else _CONSISTENCY if few else 0.0
    return Loss(adjustment, config.smoothing, config.robust, consistency)

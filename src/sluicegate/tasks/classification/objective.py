"""What the networks of a classifier are trained on, step by step, and what validates them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from sluicegate.training import Part

from .decision import Decision, Said
from .examples import Rows
from .loss import Loss
from .networks import Ensemble


class Objective(ABC):
    """Draws batches for every network, and measures the losses.

    Args:
        model: the networks.
        truth: the number of the class of each row that validates.
        loss: what is minimised.
    """

    def __init__(self, model: Ensemble, truth: Rows, loss: Loss) -> None:
        self._model, self._shown, self._losses = model, truth, loss

    def parts(self) -> list[Part]:
        """What is trained: each network, which its own rows validate."""
        return [
            Part(member, partial(self._loss, k), partial(self._validate, k))
            for k, member in enumerate(self._model.members)
        ]

    @abstractmethod
    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's batch in a step."""

    @abstractmethod
    def _said(self, network: int) -> tuple[np.ndarray, Rows]:
        """A network's logits of what validates it, and the row that each is of; a row may be read in parts."""

    def _validate(self, network: int) -> float:
        """The mean loss of a network on the rows that it is validated on."""
        logits, rows = self._said(network)
        return self._losses.validation(torch.from_numpy(logits).float(), torch.from_numpy(self._shown[rows]))

    def unseen(self, classes: int) -> tuple[Float64[np.ndarray, "seen classes"], Rows]:
        """The mean logits of rows by the networks that did not train on them, and which rows these are."""
        total, times = np.zeros((len(self._shown), classes)), np.zeros(len(self._shown))
        for network in range(len(self._model.members)):
            logits, rows = self._said(network)
            np.add.at(total, rows, logits)
            np.add.at(times, rows, 1.0)
        seen = np.flatnonzero(times)
        mean: Said = total[seen] / times[seen, None]
        return mean, seen


def loss_for(decision: Decision, smoothing: float, robust: float, consistency: float) -> Loss:
    """The loss, with the classes evened out as the decision says."""
    adjustment = torch.from_numpy(decision.balance * np.log(decision.prior)).float()
    return Loss(adjustment, smoothing, robust, consistency)

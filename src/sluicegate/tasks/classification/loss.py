"""What a classifier is trained on: cross entropy, with what holds up against wrong labels and unequal classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

MIN_DELTA = 1e-5
"""How far a validation loss must fall to be better: where classes are easily told apart it falls for ever."""


def loss_of(
    logits: Float[Tensor, "rows classes"],
    truth: Int64[Tensor, " rows"],
    adjustment: Float[Tensor, " classes"],
    smoothing: float,
    robust: float,
) -> Tensor:
    """The mean loss.

    Args:
        logits: of each class.
        truth: the number of each row's class.
        adjustment: added to the logits, the logarithms of how frequent classes are (Menon et al. 2021).
        smoothing: the share of a label that is spread over all classes.
        robust: the exponent q of the generalised cross entropy, (1 - p^q) / q; 0 is the cross entropy.
    """
    logits = logits + adjustment
    if robust == 0.0:
        return F.cross_entropy(logits, truth, label_smoothing=smoothing)
    log_p = F.log_softmax(logits, 1)
    chosen = log_p.gather(1, truth[:, None]).squeeze(1)
    main = -torch.expm1(robust * chosen) / robust
    return ((1 - smoothing) * main - smoothing * log_p.mean(1)).mean()


def disagreement(logits: Float[Tensor, "2 rows classes"]) -> Tensor:
    """How far two readings of the same rows are apart.

    Returns:
        The mean over the rows of the Kullback-Leibler divergences of each from the other, halved.
    """
    one, other = F.log_softmax(logits, 2)
    apart: Tensor = 0.5 * ((one.exp() - other.exp()) * (one - other)).sum(1).mean()
    return apart


@dataclass(frozen=True)
class Loss:
    """The losses of a classifier.

    Args:
        adjustment: as in `loss_of`.
        smoothing: likewise; in training alone.
        robust: likewise.
        consistency: the weight of the disagreement of two readings of each row, each with its dropout mask (R-Drop,
            Wu et al. 2021); 0 reads once.
    """

    adjustment: Float[Tensor, " classes"]
    smoothing: float
    robust: float
    consistency: float

    @property
    def readings(self) -> int:
        """How often a batch in training is to hold its rows, one time after the other."""
        return 2 if self.consistency > 0 else 1

    def training(self, logits: Float[Tensor, "readings classes"], truth: Int64[Tensor, " rows"]) -> Tensor:
        """Of a batch that holds its rows `readings` times."""
        repeated = truth.repeat(self.readings)
        loss = loss_of(logits, repeated, self.adjustment, self.smoothing, self.robust)
        if self.consistency > 0:
            loss = loss + self.consistency * disagreement((logits + self.adjustment).reshape(2, len(truth), -1))
        return loss

    def validation(self, logits: Float[Tensor, "rows classes"], truth: Int64[Tensor, " rows"]) -> float:
        """Of rows that were not trained on."""
        return float(loss_of(logits, truth, self.adjustment, 0.0, self.robust))

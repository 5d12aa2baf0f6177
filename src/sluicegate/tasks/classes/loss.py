"""What a classifier is trained on: cross entropy, with what holds up against wrong labels and unequal classes."""

from __future__ import annotations

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
    """How far two readings of the same rows are apart, other units left out in each (R-Drop, Wu et al. 2021).

    Returns:
        The mean over the rows of the Kullback-Leibler divergences of each from the other, halved.
    """
    one, other = F.log_softmax(logits, 2)
    apart: Tensor = 0.5 * ((one.exp() - other.exp()) * (one - other)).sum(1).mean()
    return apart

"""What several networks say together: the mean of their probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def together(several: Sequence[Float[Tensor, "*places"]]) -> Float[Tensor, "*places"]:
    """The logarithm of the mean of probabilities, from the logarithms of each network's; those of one as they are."""
    if len(several) == 1:
        return several[0]
    return torch.stack(list(several)).logsumexp(0) - math.log(len(several))

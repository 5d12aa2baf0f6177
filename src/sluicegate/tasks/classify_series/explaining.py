"""What each stretch of a recording contributed to the decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from .trained import Trained
from .windows import Windowed

_STRETCHES = 20  # that a recording is told of in


@dataclass(frozen=True)
class Explanation:
    """The stretches of a recording and their shares in the decision for a class."""

    edges: Int64[np.ndarray, " edges"]  # where each stretch begins, in steps, and the end
    # Of each stretch and channel: above 0 it spoke for the class, below 0 against it; their sizes sum to 1.
    shares: Float64[np.ndarray, "stretches channels"]


def explain(trained: Trained, windowed: Windowed, row: int, label: int) -> Explanation:
    """Share out the lead of a class over the mean of the others.

    By the gradient of the lead times the standardised values and changes (Simonyan et al. 2014), summed over the
    networks and the windows of the recording.
    """
    classes = len(trained.labels.classes)
    lead = torch.full((classes,), -1.0 / (classes - 1))
    lead[label] = 1.0
    length = len(windowed.values[row])
    shares = np.zeros((length, len(trained.columns.channels)))
    for window in np.flatnonzero(windowed.owner == row).tolist():
        batch = windowed.batch(np.array([window]))
        with torch.enable_grad():
            values = batch.values.clone().requires_grad_()
            (gradient,) = torch.autograd.grad((trained.model(batch._replace(values=values))[0] * lead).sum(), values)
        begin = int(windowed.begins[window])
        part = (gradient * batch.values)[0].double().numpy()
        # A channel's share is that of its values and of their changes.
        shares[begin : begin + len(part)] += part.reshape(len(part), 2, -1).sum(1)
    edges = np.unique(np.linspace(0, length, min(_STRETCHES, length) + 1).astype(np.int64))
    summed = np.add.reduceat(shares, edges[:-1], axis=0)
    size = float(np.abs(summed).sum())
    return Explanation(edges, summed / size if size > 0 else summed)

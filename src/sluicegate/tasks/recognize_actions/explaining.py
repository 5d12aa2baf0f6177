"""Which joints spoke for an action, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from .model import Batch
from .prepared import Prepared
from .trained import Trained

_STRETCHES = 8  # that a clip is told of in


@dataclass(frozen=True)
class Explanation:
    """The stretches of a clip and the shares of joints in the decision for an action."""

    edges: Float64[np.ndarray, " edges"]  # where each stretch begins, as shares of the clip, and the end
    # Of each stretch and joint: above 0 it spoke for the action, below 0 against it; their sizes sum to 1.
    shares: Float64[np.ndarray, "stretches joints"]


def explain(trained: Trained, prepared: Prepared, row: int, label: int) -> Explanation:
    """Share out the lead of an action over the mean of the others.

    By the gradient of the lead times the standardised features (Simonyan et al. 2014), a distance's or a bone's half to
    each of its joints.
    """
    classes = len(trained.labels.classes)
    lead = torch.full((classes,), -1.0 / (classes - 1))
    lead[label] = 1.0
    if trained.shape.causal:
        features = torch.from_numpy(prepared.onwards(row))[None]
        batch = Batch(features, torch.tensor([features.shape[1]]))
    else:
        batch = prepared.batch(np.array([row]))
    with torch.enable_grad():
        values = batch.values.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((trained.model(batch._replace(values=values))[0] * lead).sum(), values)
    parts = (gradient * batch.values)[0].double().numpy() @ _to_joints(trained)
    count = len(parts)
    edges: Int64[np.ndarray, " edges"] = np.unique(np.linspace(0, count, min(_STRETCHES, count) + 1).astype(np.int64))
    summed = np.add.reduceat(parts, edges[:-1], axis=0)
    size = float(np.abs(summed).sum())
    return Explanation(edges / count, summed / size if size > 0 else summed)


def _to_joints(trained: Trained) -> Float64[np.ndarray, "features joints"]:
    """The share of each joint in each feature."""
    joints_of = trained.reader.features.joints_of
    shares = np.zeros((len(joints_of), trained.shape.joints))
    for feature, joints in enumerate(joints_of):
        shares[feature, list(joints)] = 1.0 / len(joints)
    return shares

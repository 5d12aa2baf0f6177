"""Pooling of a network that reads one way: the mean and the maximum up to each frame, which do not remember for ever.

    m_j = m_(j-1) + (h_j - m_(j-1)) / min(j, n)      the running mean, which from n on forgets
    u_j = max(h_j, v_j)                              the running maximum, which from n on sinks towards the mean:
    v_j = u_(j-1) + [j > n] (m_j - u_(j-1)) / n

j counts from 1, and n is how many frames a window of training has. Training computes it with PyTorch; answers are
computed place by place in doubles, so that no bit hangs on how a sequence is cut, nor on what is read beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy import ndarray
from torch import Tensor, nn

from sluicegate.nn import RNN
from sluicegate.streaming.models import Model
from sluicegate.streaming.opening import model_of

_AT_ONCE = 2**20  # products of the output layer


def pool(
    states: Float[Tensor, "rows frames hidden"], memory: int
) -> tuple[Float[Tensor, "rows frames hidden"], Float[Tensor, "rows frames hidden"]]:
    """The running mean and the running maximum after each frame; `memory` is n."""
    early = states[:, :memory]
    mean = early.cumsum(1) / torch.arange(1, early.shape[1] + 1)[:, None]
    largest = early.cummax(1).values
    means, maxima = [mean], [largest]
    for j in range(memory, states.shape[1]):
        now = states[:, j : j + 1]
        last, highest = means[-1][:, -1:], maxima[-1][:, -1:]
        means.append(last + (now - last) / memory)
        maxima.append(torch.maximum(now, highest + (means[-1] - highest) / memory))
    return torch.cat(means, 1), torch.cat(maxima, 1)


def pooled_onwards(
    hidden: Float64[ndarray, "frames members rows hidden"],
    mean: Float64[ndarray, "members rows hidden"],
    largest: Float64[ndarray, "members rows hidden"],
    before: int,
    memory: int,
) -> tuple[
    Float64[ndarray, "frames rows members pooled"],
    Float64[ndarray, "members rows hidden"],
    Float64[ndarray, "members rows hidden"],
]:
    """The same from where it was left: each frame's states, mean and maximum, and the last mean and maximum.

    Args:
        hidden: the states of each network.
        mean: after the last frame before these.
        largest: likewise.
        before: how many frames there were.
        memory: n.
    """
    pooled = np.empty((*hidden.shape[:-1], 3 * hidden.shape[-1]))
    for j, (now, place) in enumerate(zip(hidden, pooled, strict=True), before + 1):
        mean = mean + (now - mean) / min(j, memory)
        sunk = largest + (mean - largest) / memory if j > memory else largest
        largest = np.maximum(now, sunk) if j > 1 else now.copy()
        np.concatenate([now, mean, largest], axis=-1, out=place)
    return pooled.swapaxes(1, 2), mean, largest


class Outputs:
    """The output layers of several networks, whose logits are averaged.

    Args:
        layers: one of each network.
    """

    def __init__(self, layers: Iterable[nn.Linear]) -> None:
        layers = list(layers)
        self._weight = torch.stack([layer.weight.detach() for layer in layers]).double().numpy()
        self._bias = torch.stack([layer.bias.detach() for layer in layers]).double().numpy()

    def logits(self, pooled: Float64[ndarray, "places members pooled"]) -> Float64[ndarray, "places classes"]:
        """The mean of the networks' logits, summed in an order that hangs on nothing else."""
        size = max(1, _AT_ONCE // self._weight.size)
        logits = np.empty((len(pooled), *self._bias.shape))
        for begin in range(0, len(pooled), size):
            part = slice(begin, begin + size)
            logits[part] = (pooled[part, :, None, :] * self._weight).sum(-1) + self._bias
        total = logits[:, 0]
        for k in range(1, logits.shape[1]):
            total = total + logits[:, k]
        mean: Float64[ndarray, "places classes"] = total / logits.shape[1]
        return mean


def dense(layer: nn.Linear) -> Model:
    """A linear map with relu as the kernels compute it: to them an RNN whose recurrent weights are 0."""
    weight, bias = layer.weight.detach(), layer.bias.detach()
    hidden, inputs = weight.shape
    same = RNN(inputs, hidden, nonlinearity="relu")
    zeros = torch.zeros(hidden, hidden)
    same.load_state_dict({"weight_ih_l0": weight, "weight_hh_l0": zeros, "bias_ih_l0": bias, "bias_hh_l0": zeros[0]})
    return model_of(same)

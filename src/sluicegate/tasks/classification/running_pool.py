"""Networks that read one way, as PyTorch trains them, laid out to be read on and on without it.

They are pooled by the running mean and the running maximum, which `sluicegate.runtime.pooling` has as equations.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Float64
from numpy import ndarray
from torch import Tensor, nn

from sluicegate.nn import RNN
from sluicegate.runtime.pooling import mean_logits
from sluicegate.streaming.models import Model
from sluicegate.streaming.opening import model_of


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


class Outputs:
    """The output layers of several networks, whose logits are averaged.

    Args:
        layers: one of each network.
    """

    def __init__(self, layers: Iterable[nn.Linear]) -> None:
        layers = list(layers)
        self.weight = torch.stack([layer.weight.detach() for layer in layers]).double().numpy()
        self.bias = torch.stack([layer.bias.detach() for layer in layers]).double().numpy()

    def logits(self, pooled: Float64[ndarray, "places members pooled"]) -> Float64[ndarray, "places classes"]:
        """The mean of the networks' logits, summed in an order that hangs on nothing else."""
        return mean_logits(pooled, self.weight, self.bias)


def dense(layer: nn.Linear) -> Model:
    """A linear map with relu as the kernels compute it: to them an RNN whose recurrent weights are 0."""
    weight, bias = layer.weight.detach(), layer.bias.detach()
    hidden, inputs = weight.shape
    same = RNN(inputs, hidden, nonlinearity="relu")
    zeros = torch.zeros(hidden, hidden)
    same.load_state_dict({"weight_ih_l0": weight, "weight_hh_l0": zeros, "bias_ih_l0": bias, "bias_hh_l0": zeros[0]})
    return model_of(same)

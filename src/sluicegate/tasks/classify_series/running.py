"""Causal networks read on and on, with the weights that they have now: see `sluicegate.runtime.recordings.reading`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from numpy import ndarray

from sluicegate.nn import RNN
from sluicegate.runtime.recordings.reading import Reader
from sluicegate.streaming.models import Model, State
from sluicegate.streaming.opening import model_of

from .causal import CausalMember


def reader_of(members: Sequence[CausalMember]) -> Reader:
    """Networks of one shape, laid out to read on and on."""
    weight, bias = (torch.stack([getattr(m.output, name).detach() for m in members]) for name in ("weight", "bias"))
    networks = [(_Layer(_front(member)), _Layer(model_of(member.recurrent))) for member in members]
    return Reader(members[0].shape, networks, weight.double().numpy(), bias.double().numpy())


@dataclass(frozen=True)
class _Layer:
    """A layer as a `Reader` takes it."""

    model: Model

    def begin(self, rows: int) -> State:
        return self.model.sizes.zeros(rows)

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        return self.model.run(x, state)


def _front(member: CausalMember) -> Model:
    """The front layer as the kernels compute it: a map with relu is to them an RNN whose recurrent weights are 0."""
    weight, bias = member.front.weight.detach(), member.front.bias.detach()
    hidden, inputs = weight.shape
    layer = RNN(inputs, hidden, nonlinearity="relu")
    zeros = torch.zeros(hidden, hidden)
    layer.load_state_dict({"weight_ih_l0": weight, "weight_hh_l0": zeros, "bias_ih_l0": bias, "bias_hh_l0": zeros[0]})
    return model_of(layer)

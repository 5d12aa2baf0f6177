"""Causal networks read on and on, with the weights that they have now: see `sluicegate.runtime.recordings.reading`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy import ndarray

from sluicegate.runtime.recordings.reading import Reader
from sluicegate.streaming.models import Model, State
from sluicegate.streaming.opening import model_of
from sluicegate.tasks.classification.running_pool import Outputs, dense

from .causal import CausalMember


def reader_of(members: Sequence[CausalMember]) -> Reader:
    """Networks of one shape, laid out to read on and on."""
    outputs = Outputs(member.output for member in members)
    networks = [(_Layer(dense(member.front)), _Layer(model_of(member.recurrent))) for member in members]
    return Reader(members[0].shape, networks, outputs.weight, outputs.bias)


@dataclass(frozen=True)
class _Layer:
    """A layer as a `Reader` takes it."""

    model: Model

    def begin(self, rows: int) -> State:
        return self.model.sizes.zeros(rows)

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        return self.model.run(x, state)

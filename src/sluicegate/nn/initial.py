"""How weights begin where PyTorch's way, all of them drawn within 1/√hidden, is not the one asked for.

A gate that keeps its state with a weight of 1 - 1/T forgets it in about T steps. PyTorch's biases open all gates half
way, T = 2, from where it takes training long to find out about what lies a thousand steps back.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor

from sluicegate.errors import ConfigError
from sluicegate.ops.cells import CELLS, GATES
from sluicegate.types import Cell, RecurrentInit, Span

KEEPING: dict[Cell, tuple[tuple[str, int], ...]] = {
    "gru": (("z", 1),),
    "lstm": (("f", 1), ("i", -1)),
    "mingru": (("z", -1),),
    "ligru": (("z", 1),),
}
"""The gates that keep, with the sign of their bias when they do: z; f, and i against it; and the z that writes."""


class Initial(NamedTuple):
    """What is asked for. The defaults are PyTorch's way."""

    memory: Span | None = None
    """The time scales of the units, from the shortest to the longest: the chrono initialisation of Tallec and Ollivier
    (2018)."""
    forget_bias: float | None = None
    """The bias of the forget gates of an LSTM (Jozefowicz et al. 2015)."""
    recurrent_init: RecurrentInit = "uniform"
    """How the recurrent weights begin, those of each gate apart."""

    def check(self, kind: Cell, *, bias: bool, activation: str) -> None:
        """Refuse what cannot be done.

        Raises:
            ConfigError: A value is out of its range, or goes with no such layer.
        """
        self._check_memory(kind, bias=bias)
        self._check_forget_bias(bias=bias)
        if self.recurrent_init not in get_args(RecurrentInit):
            choices = " or ".join(f'"{choice}"' for choice in get_args(RecurrentInit))
            raise ConfigError(f"`recurrent_init` (={self.recurrent_init!r}) must be {choices}")
        if self.recurrent_init == "identity" and (kind, activation) != ("rnn", "relu"):
            raise ConfigError(
                "`recurrent_init` (='identity') is for an RNN with `nonlinearity=\"relu\"`, which then sums up what it "
                'reads: choose "orthogonal" here'
            )

    def _check_memory(self, kind: Cell, *, bias: bool) -> None:
        memory: Any = self.memory
        if memory is None:
            return
        if kind == "rnn":
            raise ConfigError(
                f"`memory` (={memory!r}) needs gates, which an RNN has not: take a GRU, an LSTM or a MinGRU for it"
            )
        pair = isinstance(memory, tuple | list) and len(memory) == 2 and all(map(_is_number, memory))
        if not (pair and 1 <= memory[0] <= memory[1] and memory[1] >= 2):
            raise ConfigError(
                f"`memory` (={memory!r}) must be two numbers of steps, (shortest, longest), from 1 up, the longest at "
                "least 2 and no less than the shortest"
            )
        if not bias:
            raise ConfigError(f"`memory` (={memory!r}) is set by the biases: it cannot go with `bias=False`")

    def _check_forget_bias(self, *, bias: bool) -> None:
        value: Any = self.forget_bias
        if value is None:
            return
        if not _is_number(value):
            raise ConfigError(f"`forget_bias` (={value!r}) must be a number, or None")
        if not bias:
            raise ConfigError(f"`forget_bias` (={value!r}) cannot go with `bias=False`")
        if self.memory is not None:
            raise ConfigError(
                f"`forget_bias` (={value!r}) cannot go with `memory` (={self.memory!r}), which sets the same biases: "
                "leave one of them out"
            )

    def fill(self, kind: Cell, parameters: dict[str, Tensor]) -> None:
        """Write into the parameters of a layer or a cell that PyTorch has drawn."""
        if self == Initial():
            return
        with torch.no_grad():
            for name, parameter in parameters.items():
                if name.startswith("weight_hh"):
                    self._fill_recurrent(kind, parameter)
                elif name.startswith(("bias_ih", "bias_hh")):
                    self._fill_bias(kind, parameter, of_input=name.startswith("bias_ih"))

    def _fill_recurrent(self, kind: Cell, weight: Tensor) -> None:
        for gate in weight.chunk(GATES[kind]):
            if self.recurrent_init == "orthogonal":  # of which PyTorch knows no way in half precision
                exact = torch.empty_like(gate, dtype=torch.promote_types(gate.dtype, torch.float32))
                gate.copy_(torch.nn.init.orthogonal_(exact))
            elif self.recurrent_init == "identity":
                torch.nn.init.eye_(gate)

    def _fill_bias(self, kind: Cell, bias: Tensor, *, of_input: bool) -> None:
        """Write into one of the two biases: as their sum counts, that of the recurrent product becomes zero."""
        gates = bias.view(GATES[kind], -1)
        if self.memory is not None:
            shortest, longest = self.memory
            kept = torch.zeros_like(gates[0])
            if of_input:  # a unit keeps with 1 - 1/T, T being uniform; not below T = 2, a gate that is half open
                kept.uniform_(max(shortest, 2) - 1, longest - 1).log_()
            for gate, sign in KEEPING[kind]:
                gates[CELLS[kind].gates.index(gate)] = sign * kept
        elif self.forget_bias is not None:
            gates[CELLS[kind].gates.index("f")] = self.forget_bias if of_input else 0
        elif self.recurrent_init == "identity":
            bias.zero_()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

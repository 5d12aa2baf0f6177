"""What the cells share: who computes one step, from which weights and which state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch._C import _is_any_autocast_enabled

from sluicegate.errors import ConfigError
from sluicegate.ops import native
from sluicegate.ops.cells import CELLS
from sluicegate.ops.reference import State

from .autocast import as_pytorchs
from .backend import choose, choose_within
from .graphs import outside_graphs
from .options import Options
from .weights import have_gates, of_attributes

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Step(Options):
    """The part of a cell that is the same for all of them; it stands before the `torch.nn` module."""

    input_size: int
    hidden_size: int

    # torch.compile cannot look into what decides who computes it.
    @outside_graphs("_run_within")
    def _run(
        self, by_torch: Callable[..., Any], x: Float[Tensor, ...], hx: Any, mask: Float[Tensor, ...] | None
    ) -> Any:
        if isinstance(hx, list):
            hx = self.paired(hx)
        if self.recurrent_dropout and self.training and mask is None:
            raise ConfigError(
                f"`mask` is missing: a cell with recurrent_dropout={self.recurrent_dropout} takes the same one at "
                "every step of a sequence in training, so draw it before the first step with `recurrent_mask(h)`"
            )
        weights = self.weights()
        backend = choose(self, x, weights, None if mask is None else "a mask of recurrent dropout")
        if backend == "reference":
            return self.by_reference(x, hx, mask)
        if backend == "torch" or not self._fit(x, hx):
            # PyTorch says in its own words what does not fit, but knows less: it would compute without the options.
            return by_torch(x, hx) if backend == "torch" or self.is_torchs() else self.by_reference(x, hx)
        try:
            found = self._by_kernels(x, hx, weights)
            return found if not _is_any_autocast_enabled() else as_pytorchs(found, self.kind, x, hx)
        except native.Unfit:
            if not self.is_torchs() or not have_gates(_WEIGHTS, weights, native.GATES[self.kind]):
                raise
            return by_torch(x, hx)

    def _run_within(
        self, by_torch: Callable[..., Any], x: Float[Tensor, ...], hx: Any, mask: Float[Tensor, ...] | None
    ) -> Any:
        """Do the same in a graph: the operator of the kernels where they can, else PyTorch's operators."""
        names = _WEIGHTS if CELLS[self.kind].recurrent else _WEIGHTS[::2]
        hx, weights = self.paired(hx), [getattr(self, name) for name in names]
        backend = choose_within(self, x, weights, None if mask is None else "a mask of recurrent dropout")
        if backend == "reference":
            return self.by_reference(x, hx, mask)
        if backend == "torch" or not self._fit(x, hx):
            return by_torch(x, hx) if backend == "torch" or self.is_torchs() else self.by_reference(x, hx)
        return as_pytorchs(self._by_kernels(x, hx, weights), self.kind, x, hx)

    def weights(self) -> list[Any]:
        """Find the weights and biases that PyTorch's cell would compute with."""
        return of_attributes(self, _WEIGHTS if CELLS[self.kind].recurrent else _WEIGHTS[::2])

    def _fit(self, x: Tensor, hx: Any) -> bool:
        if x.dim() not in (1, 2) or x.shape[-1] != self.input_size:
            return False
        if hx is None:
            return True
        state: State = hx if isinstance(hx, tuple) else (hx,)
        shape = (*x.shape[:-1], self.hidden_size)
        if not self.takes(hx):
            return False
        if x.dim() == 1 and self.kind in ("gru", "lstm") and any(h.shape == (1, 1) for h in state):
            raise native.Unfit(
                "`hx` has 2 axes, and `input` 1, with which PyTorch's cell reads beyond it: give both one"
            )
        return all(h.shape == shape for h in state)

    def _by_kernels(self, x: Float[Tensor, ...], hx: Any, weights: list[Any]) -> Any:
        single = x.dim() == 1
        h0, c0 = hx if isinstance(hx, tuple) else (hx, None)
        if single:
            x = x.unsqueeze(0)
            h0, c0 = (None if s is None else s.unsqueeze(0) for s in (h0, c0))
        biased = weights[-1] is not None and weights[-2] is not None
        if not biased:
            weights = [weight for weight in weights if weight is not None]
        if weights[0].shape[0] != self.hidden_size * native.GATES[self.kind]:
            raise native.Unfit("the weights of this cell are not those of its size: make them anew")
        cell = "gru_reset_before" if self.kind == "gru" and self.reset == "before" else self.kind
        options = (cell, self.nonlinear(), biased, False, 0, self.product_precision())
        h, c = native.step(x, h0, c0, weights, options)
        if single:
            h, c = h.squeeze(0), c if c is None else c.squeeze(0)
        return (h, c) if self.kind == "lstm" else h

    def by_reference(
        self, x: Float[Tensor, "*batch input"], hx: Any = None, mask: Float[Tensor, "*batch hidden"] | None = None
    ) -> Any:
        """Compute the step by the equations of `ops.reference`, whatever else could.

        Args:
            x: What `forward` takes as `input`.
            hx: What it takes as `hx`.
            mask: What it takes as `mask`.

        Returns:
            What `forward` returns.

        Example:
            >>> import torch
            >>> from sluicegate.nn import GRUCell
            >>> cell, x = GRUCell(3, 5), torch.randn(2, 3)
            >>> torch.allclose(cell(x), cell.by_reference(x), atol=1e-6)
            True
        """
        if hx is None:
            h = x.new_zeros((*x.shape[:-1], self.hidden_size))
            hx = (h, h) if self.kind == "lstm" else h
        hx = self.paired(hx)
        self.require_state(hx)
        state: State = hx if isinstance(hx, tuple) else (hx,)
        self._check("input", x, (*x.shape[:-1], self.input_size))
        for h in state:
            self._check("hx", h, (*x.shape[:-1], self.hidden_size))
        cell = self.equations("", mask)
        state = cell.step(cell.project(x), state)
        return state if self.kind == "lstm" else state[0]

    @staticmethod
    def _check(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
        if value.shape != shape or len(shape) > 2:
            raise ConfigError(f"`{name}` has shape {tuple(value.shape)}, but this cell needs {shape} with this `input`")

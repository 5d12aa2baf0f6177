"""The cells: one step of a GRU, LSTM or RNN, for loops of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch._C import _is_any_autocast_enabled

from sluicegate.errors import ConfigError
from sluicegate.ops import native
from sluicegate.ops.cells import CELLS
from sluicegate.ops.reference import State
from sluicegate.types import Activation, Cell, Precision, RecurrentInit, Reset, Span

from .autocast import as_pytorchs
from .backend import choose, choose_within
from .graphs import outside_graphs
from .options import Options, check_choice
from .weights import of_attributes

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

Pair: TypeAlias = tuple[Float[Tensor, "*batch hidden"], Float[Tensor, "*batch hidden"]]
"""The state of the LSTM, `(h, c)`."""


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
        if backend == "torch" or not self._fit(x, hx):  # PyTorch says in its own words what does not fit
            return by_torch(x, hx)
        try:
            found = self._by_kernels(x, hx, weights)
            return found if not _is_any_autocast_enabled() else as_pytorchs(found, self.kind, x, hx)
        except native.Unfit:
            if not self.in_torch or self.beyond_torch():
                raise
            return by_torch(x, hx)

    def _run_within(
        self, by_torch: Callable[..., Any], x: Float[Tensor, ...], hx: Any, mask: Float[Tensor, ...] | None
    ) -> Any:
        """Do the same in a graph: the operator of the kernels where they can, else PyTorch's operators."""
        names = _WEIGHTS if self.kind != "mingru" else _WEIGHTS[::2]
        hx, weights = self.paired(hx), [getattr(self, name) for name in names]
        backend = choose_within(self, x, weights, None if mask is None else "a mask of recurrent dropout")
        if backend == "reference":
            return self.by_reference(x, hx, mask)
        if backend == "torch" or not self._fit(x, hx):
            return by_torch(x, hx)
        return as_pytorchs(self._by_kernels(x, hx, weights), self.kind, x, hx)

    def weights(self) -> list[Any]:
        """Find the weights and biases that PyTorch's cell would compute with."""
        return of_attributes(self, _WEIGHTS if CELLS[self.kind].recurrent else _WEIGHTS[::2])

    def _fit(self, x: Tensor, hx: Any) -> bool:
        if hx is not None and not self.takes(hx):
            return False
        state: State = () if hx is None else hx if isinstance(hx, tuple) else (hx,)
        shape = (*x.shape[:-1], self.hidden_size)
        return x.dim() in (1, 2) and x.shape[-1] == self.input_size and all(h.shape == shape for h in state)

    def _by_kernels(self, x: Float[Tensor, ...], hx: Any, weights: list[Any]) -> Any:
        single = x.dim() == 1
        h0, c0 = hx if isinstance(hx, tuple) else (hx, None)
        if single:
            x = x.unsqueeze(0)
            h0, c0 = (None if s is None else s.unsqueeze(0) for s in (h0, c0))
        biased = weights[-1] is not None and weights[-2] is not None
        if not biased:
            weights = [weight for weight in weights if weight is not None]
        if len(weights[0]) != self.hidden_size * native.GATES[self.kind]:
            raise native.Unfit("the weights of this cell are not those of its size: make them anew")
        cell = "gru_reset_before" if self.kind == "gru" and self.reset == "before" else self.kind
        options = (cell, self.nonlinear(), biased, False, 0)
        _, *after = native.layer(x, h0, c0, weights, (None, None, None), options)
        if single:
            after = [None if t is None else t.squeeze(0) for t in after]
        return tuple(after) if self.kind == "lstm" else after[0]

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
            >>> cell, x = GRUCell(3, 5), torch.randn(2, 3)
            >>> torch.allclose(cell(x), cell.by_reference(x), atol=1e-6)
            True
        """
        if hx is None:
            h = x.new_zeros((*x.shape[:-1], self.hidden_size))
            hx = (h, h) if self.kind == "lstm" else h
        hx = self.paired(hx)
        if not self.takes(hx):
            expected = "a pair of tensors, (h, c)" if self.kind == "lstm" else "one tensor, h"
            raise ConfigError(f"`hx` (a {type(hx).__name__}) must be {expected}: pass what the step before returned")
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


class GRUCell(Step, torch.nn.GRUCell):
    """A step of the GRU: `torch.nn.GRUCell` with the same parameters, and more to choose from.

        r, z = sigmoid(W_i x + b_i + W_h h + b_h)     each with its own rows of W and b
        n = φ(W_in x + b_in + r * (W_hn h + b_hn))    reset="after"
        n = φ(W_in x + b_in + W_hn (r * h) + b_hn)    reset="before"
        h' = (1 - z) * n + z * h

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i` and `b_h`.
        device: Where the parameters are.
        dtype: Of what type they are.
        reset: `"after"` or `"before"`, as in `GRU`.
        activation: φ, `"tanh"` or `"relu"`.
        recurrent_dropout: The rate at which units of the state are dropped in training; see `mask` of `forward`.
        layer_norm: Whether to normalise the products, as in `GRU`.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014),
            which neither swells nor shrinks what it passes on; `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> cell = GRUCell(3, 5, recurrent_dropout=0.2)
        >>> h = torch.zeros(2, 5)
        >>> mask = cell.recurrent_mask(h)
        >>> for x in torch.zeros(7, 2, 3):
        ...     h = cell(x, h, mask=mask)
        >>> h.shape
        torch.Size([2, 5])

    Paper: Cho et al. 2014, as for `GRU`.
    """

    kind: ClassVar[Cell] = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        reset: Reset = "after",
        activation: Activation = "tanh",
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device=device, dtype=dtype)
        self.configure(
            [""],
            reset=reset,
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            memory=memory,
            recurrent_init=recurrent_init,
        )

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Float[Tensor, "*batch hidden"] | None = None,
        *,
        mask: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Float[Tensor, "*batch hidden"]:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state; zeros when not given.
            mask: With recurrent dropout, the dropout mask of the sequence, from `recurrent_mask`.

        Returns:
            The new state.

        Raises:
            ConfigError: `mask` is missing in training with recurrent dropout.
        """
        h: Tensor = self._run(super().forward, input, hx, mask)
        return h


class LSTMCell(Step, torch.nn.LSTMCell):
    """A step of the LSTM: `torch.nn.LSTMCell` with the same parameters, and more to choose from.

        i, f, o = sigmoid(W_i x + b_i + W_h h + b_h)    each with its own rows of W and b
        g = φ(W_ig x + b_ig + W_hg h + b_hg)
        c' = f * c + i * g
        h' = o * φ(c')

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i` and `b_h`.
        device: Where the parameters are.
        dtype: Of what type they are.
        activation: φ, `"tanh"` or `"relu"`.
        recurrent_dropout: The rate at which units of the state are dropped in training; see `mask` of `forward`.
        layer_norm: Whether to normalise the products, as in `LSTM`, and the cell state.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.
        forget_bias: What the biases of the forget gates begin at; 1 is common (Jozefowicz et al. 2015).
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014),
            which neither swells nor shrinks what it passes on; `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> cell = LSTMCell(3, 5)
        >>> h, c = cell(torch.zeros(2, 3))
        >>> h, c = cell(torch.zeros(2, 3), (h, c))
        >>> h.shape, c.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))

    Paper: Hochreiter & Schmidhuber 1997, as for `LSTM`.
    """

    kind: ClassVar[Cell] = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        activation: Activation = "tanh",
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        memory: Span | None = None,
        forget_bias: float | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device=device, dtype=dtype)
        self.configure(
            [""],
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            memory=memory,
            forget_bias=forget_bias,
            recurrent_init=recurrent_init,
        )

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Pair | list[Tensor] | None = None,
        *,
        mask: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Pair:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state `(h, c)`; zeros when not given.
            mask: With recurrent dropout, the dropout mask of the sequence, from `recurrent_mask`.

        Returns:
            The new state `(h, c)`.

        Raises:
            ConfigError: `mask` is missing in training with recurrent dropout.
        """
        h, c = self._run(super().forward, input, hx, mask)
        return h, c


class RNNCell(Step, torch.nn.RNNCell):
    """A step of the RNN: `torch.nn.RNNCell` with the same parameters, and more to choose from.

        h' = φ(W_i x + b_i + W_h h + b_h)

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i` and `b_h`.
        nonlinearity: φ, `"tanh"` or `"relu"`.
        device: Where the parameters are.
        dtype: Of what type they are.
        recurrent_dropout: The rate at which units of the state are dropped in training; see `mask` of `forward`.
        layer_norm: Whether to normalise the products, as in `RNN`.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        memory: None: there are no gates to keep one.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix (Saxe et al. 2014), which neither
            swells nor shrinks what it passes on; `"identity"`, of a ReLU RNN, with the identity and no biases, so that
            it sums up what it reads (Le et al. 2015); `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> cell = RNNCell(3, 5, nonlinearity="relu")
        >>> cell(torch.zeros(2, 3)).shape
        torch.Size([2, 5])

    Paper: Elman 1990, as for `RNN`.
    """

    kind: ClassVar[Cell] = "rnn"

    def nonlinear(self) -> Activation:
        """Name the activation, which has a word of its own here."""
        return self.nonlinearity  # type: ignore[return-value]  # the kernels refuse another

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Activation = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        check_choice("nonlinearity", nonlinearity, get_args(Activation))
        super().__init__(input_size, hidden_size, bias, nonlinearity, device=device, dtype=dtype)
        self.configure(
            [""],
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            memory=memory,
            recurrent_init=recurrent_init,
        )

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Float[Tensor, "*batch hidden"] | None = None,
        *,
        mask: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Float[Tensor, "*batch hidden"]:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state; zeros when not given.
            mask: With recurrent dropout, the dropout mask of the sequence, from `recurrent_mask`.

        Returns:
            The new state.

        Raises:
            ConfigError: `mask` is missing in training with recurrent dropout.
        """
        h: Tensor = self._run(super().forward, input, hx, mask)
        return h

"""Training on a stream without end: truncated back-propagation through time, with the state carried over."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import torch
from jaxtyping import Num
from torch import Tensor, nn

from sluicegate.errors import ConfigError, DataError


class Piece(NamedTuple):
    """What one step of training on a stream leaves behind."""

    loss: float
    """The loss over the piece, before the weights moved."""
    state: Any
    """The state after the piece, cut off from what came before: a stream goes on from it."""
    steps: int
    """Steps of the stream that the piece had; the last one of a stream may have fewer than the others."""


Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From a piece's outputs and targets to one number."""


def train_on_stream(
    model: nn.Module,
    stream: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    *,
    tbptt: int,
    clip: float | None = 1.0,
    state: Any = None,
) -> Iterator[Piece]:
    """Train a model on a stream, piece by piece, while the result is iterated over.

    The stream is cut into pieces of `tbptt` steps, however long the chunks are in which it comes. Each piece begins
    with the state that the one before has ended with, and the gradient stops there: memory and the time for a piece do
    not depend on how long the stream is, and what lies further back than a piece reaches the outputs through the state,
    but teaches nothing. A stream no longer than `tbptt` is trained on by full back-propagation.

    Args:
        model: Called as `model(inputs, state)`, it returns outputs and the new state, as the layers do. It is trained
            in place, in the mode that it is in.
        stream: Chunks of inputs and targets, `[time batch ...]` each, with as many steps in one as in the other. The
            batch stays the same: its rows are streams side by side.
        loss: From a piece's outputs and targets to a number, such as `torch.nn.functional.mse_loss`.
        optimiser: Of the model's weights; it takes a step after each piece.
        tbptt: Steps in a piece, from 1 up.
        clip: The largest norm of the gradient; None lets it be as it is.
        state: The state to begin with; None for the model's own beginning.

    Yields:
        The loss, the state and the number of steps of each piece.

    Raises:
        ConfigError: `tbptt` or `clip` is out of its range.
        DataError: A chunk has not as many inputs as targets, or the loss is no longer a number.

    Example:
        >>> layer = nn.GRU(1, 1)
        >>> x = torch.rand(50, 1, 1)
        >>> optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        >>> pieces = list(train_on_stream(layer, [(x, x)], nn.functional.mse_loss, optimizer, tbptt=20))
        >>> [piece.steps for piece in pieces], pieces[-1].state.shape
        ([20, 20, 10], torch.Size([1, 1, 1]))

    Paper: Williams & Peng 1990, "An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories".
    """
    if isinstance(tbptt, bool) or not isinstance(tbptt, int) or tbptt < 1:
        raise ConfigError(f"`tbptt` (={tbptt!r}) must be a whole number of steps from 1 up")
    if clip is not None and not (math.isfinite(clip) and clip > 0):
        raise ConfigError(f"`clip` (={clip!r}) must be a number above 0, or None")
    return _train(model, cut(stream, tbptt), loss, optimiser, clip, detached(state))


def _train(
    model: nn.Module,
    pieces: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    clip: float | None,
    state: Any,
) -> Iterator[Piece]:
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    done = 0
    for inputs, targets in pieces:
        optimiser.zero_grad()
        outputs, state = model(inputs, state)
        value = loss(outputs, targets)
        found = float(value.detach())
        if not math.isfinite(found):
            raise DataError(f"training lost its way after {done} steps of the stream (loss {found}): lower the rate")
        value.backward()  # type: ignore[no-untyped-call]
        if clip is not None:
            nn.utils.clip_grad_norm_(weights, clip, foreach=True)
        optimiser.step()
        state = detached(state)
        done += len(inputs)
        del outputs, value  # the graph: while the caller has the piece, nothing else is kept
        yield Piece(found, state, len(inputs))


def cut(
    stream: Iterable[tuple[Tensor, Tensor]], steps: int
) -> Iterator[tuple[Num[Tensor, "time batch *inputs"], Num[Tensor, "time batch *targets"]]]:
    """Cut a stream of chunks of any lengths into pieces of the same length; the last may be shorter.

    Raises:
        DataError: A chunk has not as many inputs as targets.
    """
    held: list[tuple[Tensor, Tensor]] = []
    missing = steps
    for inputs, targets in stream:
        if len(inputs) != len(targets):
            raise DataError(f"a chunk has {len(inputs)} steps of inputs, but {len(targets)} of targets: give as many")
        begin = 0
        while len(inputs) - begin >= missing:
            held.append((inputs[begin : begin + missing], targets[begin : begin + missing]))
            yield _joined(held)
            begin += missing
            held, missing = [], steps
        if begin < len(inputs):
            held.append((inputs[begin:], targets[begin:]))
            missing -= len(inputs) - begin
    if held:
        yield _joined(held)


def _joined(held: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    if len(held) == 1:
        return held[0]
    inputs, targets = zip(*held, strict=True)
    return torch.cat(inputs), torch.cat(targets)


def detached(state: Any) -> Any:
    """The same state, of tensors in tuples, lists and dictionaries of any depth, without what it was computed from."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, dict):
        return {name: detached(part) for name, part in state.items()}
    if isinstance(state, tuple | list):
        parts = [detached(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    return state

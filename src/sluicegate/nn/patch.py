"""Every recurrent layer that runs, computed by ours, without changing a layer.

Within a block, the `forward` of PyTorch's six classes hands over to a twin: an object of our class that has the very
`__dict__` of the layer, and so its parameters, its mode and whatever is set on it later. The layer itself keeps its
class, hence it prints, copies and pickles as ever, and nothing needs to be put back when the block ends.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import update_wrapper
from itertools import count
from pathlib import Path
from threading import Lock
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch.nn import Module

from .bound import Rebound
from .graphs import outside_graphs
from .made_classes import OURS, base_of, mixed
from .others import watch
from .swap import Swap, obstacle, tell

_LISTED = 5  # layers that are left are told up to here; the rest is counted


class Summary:
    """What became of the layers that ran within a block of `accelerated`, in the order of their first run."""

    def __init__(self) -> None:
        self._swaps: dict[int, Swap] = {}
        self._numbers: WeakKeyDictionary[Module, int] = WeakKeyDictionary()
        self._unused = count()
        self._made: dict[str, bool] = {}

    @property
    def swapped(self) -> list[Swap]:
        """The layers that ours computed."""
        return [swap for swap in list(self._swaps.values()) if swap.reason is None]

    @property
    def left(self) -> list[Swap]:
        """The layers that were left to PyTorch, each with the reason."""
        return [swap for swap in list(self._swaps.values()) if swap.reason is not None]

    @property
    def others(self) -> list[str]:
        """The classes of recurrent layers that were made within the block and are none of `torch.nn`'s."""
        return [name for name, recurrent in list(self._made.items()) if recurrent]

    def watch(self) -> AbstractContextManager[None]:
        """Look out for these while the block lasts."""
        return watch(tuple(OURS), self._made)

    def record(self, layer: Module, reason: str | None) -> Swap | None:
        """Note what became of a layer, and return it if that is news."""
        number = self._numbers.setdefault(layer, next(self._unused))
        known = self._swaps.get(number)
        if known is not None and known.reason == reason:
            return None
        name = known.name if known is not None else _name_of(layer)
        self._swaps[number] = Swap(name, base_of(layer).__name__, reason)
        return self._swaps[number]

    def __str__(self) -> str:
        swapped, left, others = self.swapped, self.left, _listed(self.others, ", ")
        others = f"; recurrent but not PyTorch's own: {others}" if others else ""
        if not swapped and not left:
            return f"no GRU, LSTM or RNN layer of PyTorch's ran{others}"
        kinds = Counter(swap.kind for swap in swapped)
        words = f"{len(swapped) or 'no'} layer{'s' if len(swapped) != 1 else ''} swapped"
        if swapped:
            words += f" ({', '.join(f'{count} {kind}' for kind, count in kinds.items())})"
        if left:
            alike = [f"{swap}{f' (x{n})' if n > 1 else ''}" for swap, n in Counter(map(str, left)).items()]
            words += f"; {len(left)} left: {_listed(alike, '; ')}"
        return words + others


def _listed(words: list[str], between: str) -> str:
    more = [f"and {len(words) - _LISTED} more"] if len(words) > _LISTED else []
    return between.join([*words[:_LISTED], *more])


@contextmanager
def accelerated(*, log: bool = True) -> Iterator[Summary]:
    """Compute every `torch.nn.GRU`, `LSTM`, `RNN` and cell that runs within the block as Sluicegate does.

    It does not matter when a layer was made, or by whom. No layer is changed: each has the class, the `state_dict`
    and the pickle that it has without the block, so that what is saved within it is read without Sluicegate. The
    block holds for the whole process, in all threads and in processes that are forked within it, until the last of
    the open blocks ends. Layers that are traced, scripted, exported or compiled within it are PyTorch's.

    What cannot be taken is left to PyTorch, for the reasons that `accelerate` names.

    Args:
        log: Whether to tell of each layer on the logger `sluicegate`, as `accelerate` does.

    Returns:
        For `as`: the summary of the layers that ran, to be read in the block or after it.

    Example:
        >>> import torch, sluicegate
        >>> layers = torch.nn.GRU(3, 5), torch.nn.LSTM(3, 5, dtype=torch.float64)
        >>> with sluicegate.accelerated(log=False) as summary:
        ...     for layer in layers:
        ...         _ = layer(torch.zeros(7, 2, 3, dtype=layer.weight_ih_l0.dtype))
        >>> [swap.kind for swap in summary.swapped], [swap.reason for swap in summary.left]
        (['GRU'], ['float64'])
    """
    summary = Summary()
    _blocks.open(summary, log)
    try:
        with summary.watch():
            yield summary
    finally:
        _blocks.close(summary)


class _Blocks:
    """The open blocks of the process, and the twins of the layers that have run since the last one opened."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: dict[Summary, bool] = {}
        self._before: dict[type, tuple[Any, Any]] = {}
        self._twins: WeakKeyDictionary[Module, tuple[Any, Module | None]] = WeakKeyDictionary()
        self._rebound = Rebound()

    def open(self, summary: Summary, log: bool) -> None:
        with self._lock:
            self._open[summary] = log
            self._twins = WeakKeyDictionary()  # so that each layer is judged, and told to this summary
            if len(self._open) == 1:
                torchs: Any
                self._rebound.find([vars(torchs)["forward"] for torchs in OURS])
                for torchs in OURS:
                    before = torchs.forward
                    torchs.forward = handing_over(before, torchs, self.twin)
                    self._before[torchs] = before, torchs.forward
                self._rebound.exchange(dict(self._before.values()))

    def close(self, summary: Summary) -> None:
        with self._lock:
            del self._open[summary]
            if not self._open:
                self._twins = WeakKeyDictionary()
                torchs: Any
                for torchs, (before, ours) in self._before.items():
                    if torchs.forward is ours:  # else someone put theirs on top, which may go on to call ours
                        torchs.forward = before
                self._rebound.exchange({ours: before for before, ours in self._before.values()})
                self._rebound.forget()
                self._before.clear()

    def twin(self, layer: Module) -> Module | None:
        """The layer as ours, or None if PyTorch must compute it."""
        first = next(iter(layer._parameters.values()), None)
        # The number of attributes tells of one that was set since, such as a step of `forward`.
        state = type(layer), getattr(first, "dtype", None), getattr(first, "device", None), len(vars(layer))
        known = self._twins.get(layer)
        if known is None or known[0] != state:
            known = self._twins[layer] = state, self._judge(layer)
        return known[1]

    @outside_graphs("_judge_within")
    def _judge(self, layer: Module) -> Module | None:
        # Without the lock, which a process forked at this moment would never get; at worst something is told twice.
        summaries = list(self._open.items())
        if not summaries:
            return None
        reason = obstacle(layer)
        for summary, log in summaries:
            news = summary.record(layer, reason)
            if news is not None and log:
                tell(news)
        if reason is not None:
            return None
        twin: Module = object.__new__(mixed(type(layer), OURS[base_of(layer)]))
        twin.__dict__ = layer.__dict__
        return twin

    def _judge_within(self, layer: Module) -> None:
        """A graph is PyTorch's."""


_blocks = _Blocks()


def handing_over(before: Any, torchs: Any, twin_of: Callable[[Module], Module | None]) -> Any:
    """A `forward` for a class of PyTorch's that hands over to ours.

    Args:
        before: The `forward` that it stands for.
        torchs: The class.
        twin_of: Finds the layer as ours, or None if it must be left alone.

    Returns:
        A function with the name, the signature, the source and the globals of `before`: TorchScript compiles these.
    """
    is_compiling: Any = torch.compiler.is_compiling
    is_tracing: Any = torch.jit.is_tracing  # type: ignore[attr-defined]
    ours: Any = OURS[torchs]
    our_forward: Any = ours.forward

    def compute(layer: Any, x: Any, hx: Any) -> Any:
        # Ours comes here too, from its `super().forward`; and so may any object, by the name of the class.
        if isinstance(layer, ours) or not isinstance(layer, torchs) or is_compiling() or is_tracing():
            return before(layer, x, hx)
        twin = twin_of(layer)
        return before(layer, x, hx) if twin is None else our_forward(twin, x, hx)

    shell: Any = lambda self, input, hx=None: compute(self, input, hx)  # noqa: A006, E731 - only its code is taken
    made = FunctionType(shell.__code__, before.__globals__, before.__name__, (None,), shell.__closure__)
    return update_wrapper(made, before)


def _name_of(layer: Module) -> str:
    """The qualified name of a layer within the outermost module that is at work, or else the line that calls it."""
    name = line = ""
    frame = sys._getframe(1)
    while (back := frame.f_back) is not None:
        frame = back
        owner = frame.f_locals.get(frame.f_code.co_varnames[0]) if frame.f_code.co_argcount else None
        if owner is layer:
            line = ""  # whoever calls it is further out
        elif not line and not frame.f_globals.get("__name__", "").startswith("torch."):
            line = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        if isinstance(owner, Module) and owner is not layer:
            name = next((path for path, module in owner.named_modules() if module is layer), name)
    return name or line

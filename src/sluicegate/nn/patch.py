"""Every recurrent layer that runs, computed by ours, without changing a layer.

Within a block, the `forward` of PyTorch's six classes hands over to a twin: an object of our class that has the very
`__dict__` of the layer, and so its parameters, its mode and whatever is set on it later. The layer itself keeps its
class, hence it prints, copies and pickles as ever, and nothing needs to be put back when the block ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, update_wrapper
from pathlib import Path
from threading import Lock
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch.nn import Module

from sluicegate.swaps import Summary, tell

from .bound import Rebound
from .graphs import outside_graphs
from .made_classes import OURS, base_of, mixed
from .others import watch
from .swap import obstacle


@contextmanager
def accelerated(summary: Summary, *, log: bool = True) -> Iterator[None]:
    """Compute every `torch.nn.GRU`, `LSTM`, `RNN` and cell that runs within the block: see `sluicegate.accelerated`.

    Args:
        summary: Where it is noted what became of the layers.
        log: Whether to tell of each layer on the logger `sluicegate`.
    """
    summary.frameworks.append("PyTorch's")
    _blocks.open(summary, log)
    try:
        with watch(tuple(OURS), summary.made):
            yield
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
            news = summary.record(layer, base_of(layer).__name__, reason, partial(name_of, layer))
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


def name_of(layer: Module) -> str:
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

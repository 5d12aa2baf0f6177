"""Every recurrent layer of Keras' that runs, computed by ours, without changing a layer.

Within a block, the `inner_loop` of Keras' classes hands over to ours. What a layer is, and what it was made of, stays
Keras': its weights, its file, its class. Nothing needs to be put back when the block ends but the methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any

import keras

from sluicegate.swaps import Summary, tell

from . import loop

CLASSES = tuple(
    cls
    for cls in (keras.layers.RNN, keras.layers.GRU, keras.layers.LSTM, keras.layers.SimpleRNN)
    if "inner_loop" in vars(cls)
)
"""Those of Keras' classes that have a loop of their own."""


@contextmanager
def accelerated(summary: Summary, *, log: bool = True) -> Iterator[None]:
    """Compute every recurrent layer of Keras' that runs within the block, as `sluicegate.accelerated` says.

    Args:
        summary: Where it is noted what became of the layers.
        log: Whether to tell of each layer on the logger `sluicegate`.
    """
    summary.frameworks.append("Keras'")
    _blocks.open(summary, log)
    try:
        yield
    finally:
        _blocks.close(summary)


class _Blocks:
    """The open blocks of the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: dict[Summary, bool] = {}
        self._before: dict[type, tuple[Any, Any]] = {}

    def open(self, summary: Summary, log: bool) -> None:
        with self._lock:
            self._open[summary] = log
            if len(self._open) == 1:
                for cls in CLASSES:
                    before = vars(cls)["inner_loop"]
                    ours: Any = handing_over(before, self.tell)
                    cls.inner_loop = ours
                    self._before[cls] = before, ours

    def close(self, summary: Summary) -> None:
        with self._lock:
            del self._open[summary]
            if not self._open:
                cls: Any
                for cls, (before, ours) in self._before.items():
                    if cls.inner_loop is ours:  # else someone put theirs on top, which may go on to call ours
                        cls.inner_loop = before
                self._before.clear()

    def tell(self, layer: Any, reason: str | None) -> None:
        """Note what became of a layer in every open block."""
        for summary, log in list(self._open.items()):
            news = summary.record(layer, kind_of(layer), reason, lambda: str(layer.name))
            if news is not None and log:
                tell(news, "Keras")


_blocks = _Blocks()


def handing_over(before: Any, told: Any = None) -> Any:
    """An `inner_loop` that hands over to ours what ours can compute.

    Args:
        before: The one that it stands for.
        told: What is told of a layer and the reason why it is left, or None.

    Returns:
        A function with the name and the signature of `before`.
    """

    @wraps(before)
    def inner_loop(self: Any, sequences: Any, initial_state: Any, mask: Any, training: Any = False) -> Any:
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        reason = loop.obstacle(self, sequences, initial_state, mask, training=bool(training))
        if told is not None and reason != "":
            told(self, reason)
        if reason is not None:
            return before(self, sequences, initial_state, mask, training=training)
        return loop.run(self, sequences, initial_state, mask, training=bool(training))

    return inner_loop


def kind_of(layer: Any) -> str:
    """The class of Keras that a layer is at bottom."""
    return next(cls.__name__ for cls in type(layer).__mro__ if cls.__module__.startswith("keras."))

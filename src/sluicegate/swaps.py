"""What became of the recurrent layers of a program: which ours computes, and which are left, and why.

Nothing here imports a framework: what is told of a program that uses none takes no time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

_LISTED = 5  # layers that are left are told up to here; the rest is counted

_logger = logging.getLogger("sluicegate")


@dataclass(frozen=True)
class Swap:
    """What becomes of one recurrent layer.

    Args:
        name: Its qualified name, as `named_modules` has it: empty for the model itself. A layer that ran within
            `accelerated` and belongs to no module goes by the file and line that called it, one of Keras by its name.
        kind: The class of `torch.nn` or of Keras that it is at bottom, such as `"GRU"` or `"LSTMCell"`; else its own.
        reason: Why it is left to PyTorch or to Keras; None if it is swapped.
    """

    name: str
    kind: str
    reason: str | None = None

    def __str__(self) -> str:
        reason = "" if self.reason is None else f", {self.reason}"
        return f"{self.name or 'the model itself'} ({self.kind}){reason}"


def tell(swap: Swap, whose: str = "PyTorch") -> None:
    """Log what became of a layer: that one is left is a warning, for someone wants it faster."""
    if swap.reason is None:
        _logger.info("swapped: %s", swap)
    else:
        _logger.warning("left to %s: %s", whose, swap)


class Summary:
    """What became of the layers that ran within a block of `accelerated`, in the order of their first run."""

    def __init__(self) -> None:
        self.frameworks: list[str] = []
        """Whose layers are looked out for, `"PyTorch's"` or `"Keras'"`: those that the program has imported."""
        self.made: dict[str, bool] = {}
        """The classes of modules that were made within the block, and whether they are such layers."""
        self._swaps: dict[int, Swap] = {}
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._unused = count()

    @property
    def swapped(self) -> list[Swap]:
        """The layers that ours computed."""
        return [swap for swap in list(self._swaps.values()) if swap.reason is None]

    @property
    def left(self) -> list[Swap]:
        """The layers that were left to PyTorch or to Keras, each with the reason."""
        return [swap for swap in list(self._swaps.values()) if swap.reason is not None]

    @property
    def others(self) -> list[str]:
        """The classes of recurrent layers that were made within the block and are none of `torch.nn`'s or Keras'."""
        return [name for name, recurrent in list(self.made.items()) if recurrent]

    def record(self, layer: object, kind: str, reason: str | None, name_of: Callable[[], str]) -> Swap | None:
        """Note what became of a layer, and return it if that is news.

        Args:
            layer: Any that can be referred to weakly.
            kind: The class that it is at bottom.
            reason: Why it is left; None if it is swapped.
            name_of: Finds its name, when it is seen for the first time.

        Returns:
            What became of it; None if it was known.
        """
        number = self._numbers.setdefault(layer, next(self._unused))
        known = self._swaps.get(number)
        if known is not None and known.reason == reason:
            return None
        name = known.name if known is not None else name_of()
        self._swaps[number] = Swap(name, kind, reason)
        return self._swaps[number]

    def __str__(self) -> str:
        swapped, left, others = self.swapped, self.left, _listed(self.others, ", ")
        whose = " or ".join(self.frameworks) or "PyTorch's"
        others = f"; recurrent but not {whose} own: {others}" if others else ""
        if not swapped and not left:
            return f"no GRU, LSTM or RNN layer of {whose} ran{others}"
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

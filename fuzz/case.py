"""A call, what it may raise, and what is looked at after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from hostile import describe
from torch import Tensor

TOLERANCE = 2e-5  # of the largest number that is compared
LARGE = 1 << 20  # numbers, such as a tensor has that is expanded


class Find(Exception):  # noqa: N818 - reads as what it is
    """What must not be."""


@dataclass
class Case:
    """One call."""

    told: list[str]
    arguments: list[Any]
    call: Callable[..., Any]
    reference: Callable[[Case, Any], list[tuple[Any, Any]]] | None
    """Pairs the results with those of the equations, as far as it can."""
    refusals: tuple[type[Exception], ...]
    """What the call may raise."""

    def run(self, *, compare: bool) -> str:
        """Make the call, and tell whether it was accepted, compared or refused.

        Raises:
            Find: It raised something else, wrote into what it was given, or gave other numbers than the equations.
        """
        before = [(x, _bytes(x)) for x in _all(self.arguments) if _is_dense(x)]
        try:
            results = self.call(*self.arguments)
        except self.refusals as error:
            outcome = f"refused: {type(error).__name__}"
        except MemoryError:
            outcome = "refused: MemoryError"
        except Exception as error:
            raise Find(f"raised {type(error).__name__}: {str(error)[:300]}") from error
        else:
            outcome = "accepted"
        for x, known in before:
            if not torch.equal(_bytes(x), known):
                raise Find(f"wrote into {describe(x)}, which it was given")
        if outcome == "accepted" and compare and self.reference is not None and _can_be_compared(self.arguments):
            self._compare(results)
            return "compared"
        return outcome

    def _compare(self, results: Any) -> None:
        for mine, right in self.reference(self, results):
            if not isinstance(mine, Tensor) or mine.shape != right.shape:
                raise Find(f"gave {describe(mine)} in the place of {describe(right)}")
            scale = max(1.0, right.abs().max().item()) if right.numel() else 1.0
            if mine.numel() and not (mine.detach() - right.detach()).abs().max().item() <= TOLERANCE * scale:
                raise Find(f"differs by {(mine - right).abs().max().item():.2g} of {scale:.2g} from the equations")

    def __str__(self) -> str:
        return "; ".join(self.told) + "\n" + "\n".join(f"  {i}: {describe(a)}" for i, a in enumerate(self.arguments))


def _all(values: Any) -> Iterator[Tensor]:
    """All tensors among arguments."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):  # a PackedSequence is one
        for value in values:
            yield from _all(value)


def _is_dense(x: Tensor) -> bool:
    if x.layout is not torch.strided or x.device.type != "cpu" or x.is_quantized:
        return False
    return bool(x.data_ptr() or not x.numel())  # else its memory was freed


def _can_be_compared(values: Any) -> bool:
    return all(_is_dense(x) and x.numel() < LARGE and bool(x.isfinite().all()) for x in _all(values))


def _bytes(x: Tensor) -> Tensor:
    """All that the tensor's memory holds, also beside the tensor."""
    return torch.empty(0, dtype=torch.uint8).set_(x.detach().untyped_storage()).clone()  # type: ignore[call-overload]

"""Tensors that are not what was asked for, each in one of the ways in which a tensor can be that."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor

HUGE = (2**31 - 1, 2**31, 2**31 + 1, 2**32 + 3, 2**40, 2**61)
TYPES = (
    torch.float64,
    torch.bfloat16,
    torch.float16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
    torch.complex64,
)
NUMBERS = (-(2**63), -(2**31), -2, -1, 0, 1, 2, 3, 7, 2**31, 2**32 + 1, 2**62, 2**63 - 1)

Random = random.Random


class Stranger(Tensor):
    """A subclass of tensors that has no operators of its own."""


def _sizes(rng: Random, x: Tensor) -> Tensor:
    sizes = list(x.shape) or [1]
    sizes[rng.randrange(len(sizes))] = rng.choice((0, 1, 2, 3, 5, 8, 9, 17))
    return torch.rand(sizes).to(x.dtype)


def _axes(rng: Random, x: Tensor) -> Tensor:
    if x.dim() and rng.random() < 0.5:
        return x.flatten() if rng.random() < 0.5 else x.sum(rng.randrange(x.dim()), dtype=x.dtype)
    return x.unsqueeze(rng.randrange(x.dim() + 1))


def _turned(rng: Random, x: Tensor) -> Tensor:
    if x.dim() < 2:
        return x
    a, b = rng.sample(range(x.dim()), 2)
    return x.transpose(a, b).contiguous().transpose(a, b) if rng.random() < 0.7 else x.transpose(a, b)


def _strided(rng: Random, x: Tensor) -> Tensor:
    if not x.dim():
        return x
    axis, step = rng.randrange(x.dim()), rng.choice((2, 3))
    sizes = [size * step if i == axis else size for i, size in enumerate(x.shape)]
    view = torch.zeros(sizes, dtype=x.dtype)[(slice(None),) * axis + (slice(rng.randrange(step), None, step),)]
    return view.copy_(x)


def _moved(rng: Random, x: Tensor) -> Tensor:
    before = rng.randrange(1, 9)
    return torch.cat([torch.zeros(before, dtype=x.dtype), x.flatten()])[before:].view(x.shape)


def _unaligned(_: Random, x: Tensor) -> Tensor:
    if not x.numel():
        return x
    memory = bytearray(b"\0" + x.numpy(force=True).tobytes())
    return torch.frombuffer(memory, dtype=x.dtype, offset=1).view(x.shape)


def _expanded(rng: Random, x: Tensor) -> Tensor:
    if not x.dim() or not x.numel():
        return x
    return x.narrow(rng.randrange(x.dim()), 0, 1).expand(x.shape)


def _overlapping(rng: Random, x: Tensor) -> Tensor:
    room = max(1, sum((size - 1) * 2 for size in x.shape if size) + 1)
    return torch.rand(room).to(x.dtype).as_strided(x.shape, [rng.choice((0, 1, 2)) for _ in x.shape])


def _typed(rng: Random, x: Tensor) -> Tensor:
    return x.to(rng.choice(TYPES))


def _huge(rng: Random, x: Tensor) -> Tensor:
    sizes = list(x.shape) or [1]
    sizes[rng.randrange(len(sizes))] = rng.choice(HUGE)
    return torch.ones(1, dtype=x.dtype).expand(sizes)


def _empty(rng: Random, x: Tensor) -> Tensor:
    return x.narrow(rng.randrange(x.dim()), 0, 0) if x.dim() else x.new_empty(0)


def _elsewhere(rng: Random, x: Tensor) -> Tensor:
    ways: list[Callable[[], Tensor]] = [lambda: x.to("meta"), x.to_sparse]
    if x.dim() == 2:
        ways.append(x.to_sparse_csr)
    if x.dtype == torch.float32:
        ways += [x.to_mkldnn, lambda: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)]
    return rng.choice(ways)()


def _freed(_: Random, x: Tensor) -> Tensor:
    x = x.clone()
    x.untyped_storage().resize_(0)
    return x


def _numbers(rng: Random, x: Tensor) -> Tensor:
    if x.dtype == torch.int64:
        return _integers(rng, x)
    x = x.clone()
    if x.numel():
        x.view(-1)[rng.randrange(x.numel())] = rng.choice((float("nan"), float("inf"), -float("inf"), 3e38, 1e-42))
    return x


def _integers(rng: Random, x: Tensor) -> Tensor:
    values = x.flatten().tolist()
    for _ in range(rng.choice((1, 1, 2))):
        if values:
            i = rng.randrange(len(values))
            values[i] = rng.choice((values[i] - 1, values[i] + 1, len(values), *NUMBERS))
    if rng.random() < 0.2:
        rng.shuffle(values)
    values = [min(max(v, NUMBERS[0]), NUMBERS[-1]) for v in values]
    return torch.tensor(values, dtype=torch.int64).view(x.shape)


def _learned(_: Random, x: Tensor) -> Tensor:
    return x.detach().requires_grad_() if x.is_floating_point() else x


FORMS: dict[str, Callable[[Random, Tensor], Any]] = {
    "sizes": _sizes,
    "axes": _axes,
    "turned": _turned,
    "strided": _strided,
    "moved": _moved,
    "unaligned": _unaligned,
    "expanded": _expanded,
    "overlapping": _overlapping,
    "typed": _typed,
    "huge": _huge,
    "huge elsewhere": lambda rng, x: torch.empty(_huge(rng, x).shape, dtype=x.dtype, device="meta"),
    "empty": _empty,
    "elsewhere": _elsewhere,
    "freed": _freed,
    "numbers": _numbers,
    "learned": _learned,
    "negated": lambda _, x: torch._neg_view(x) if x.is_floating_point() else x,
    "stranger": lambda _, x: x.as_subclass(Stranger),
    "none": lambda *_: None,
    "no tensor": lambda rng, x: rng.choice((1, 2.5, "x", [1, 2], x.numpy(force=True), object())),
}
"""How a tensor may be spoilt, by name. Some forms are still right, and must give what a plain tensor gives."""


def spoil(rng: Random, x: Any, told: list[str], name: str, *, but: Collection[str] = ()) -> Any:
    """Spoil one argument, and note how; what is no tensor becomes one, or stays as it is."""
    if not isinstance(x, Tensor):
        if x is None and rng.random() < 0.5:
            told.append(f"{name}: given")
            return torch.rand([rng.choice((0, 1, 2, 3, 5)) for _ in range(rng.choice((1, 2, 3)))])
        return x
    if x.device.type == "cpu" and x.layout is torch.strided and x.numel() and not x.data_ptr():
        return x  # freed: whatever PyTorch is asked to do with it would read it
    form = (
        "numbers"
        if x.dtype == torch.int64 and rng.random() < 0.6
        else rng.choice([name for name in FORMS if name not in but])
    )
    try:
        found = FORMS[form](rng, x)
    except (RuntimeError, TypeError, MemoryError):  # not of a tensor that is spoilt already
        return x
    told.append(f"{name}: {form}")
    return found


def plain(x: Any) -> Any:
    """Copy a tensor, whatever its form, into a dense one of its own; none of what has no numbers."""
    if not isinstance(x, Tensor):
        return x
    return torch.empty(x.shape, dtype=x.dtype).copy_(x.detach().as_subclass(Tensor))


def describe(x: Any) -> str:
    """Tell a tensor in a few words."""
    if isinstance(x, list | tuple):
        return f"[{', '.join(map(describe, x))}]"
    if not isinstance(x, Tensor):
        return repr(x)[:60]
    words = f"{type(x).__name__}{tuple(x.shape)} {x.dtype} {x.device.type} {x.layout}".replace("torch.", "")
    if x.layout is torch.strided:
        words += f" strides {x.stride()} from {x.storage_offset()}"
        if x.dtype == torch.int64 and x.device.type == "cpu" and x.numel() < 12 and x.data_ptr():
            words += f" = {x.tolist()}"
    return words + (" learned" if x.requires_grad else "")

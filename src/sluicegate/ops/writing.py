"""What networks that write ask the kernels for beside their layers, a word after the other.

A row has the same bits alone and among any others, with one thread or several. A library of products promises that
not: MKL sums in another order where rows are few, and which are few hangs on the processor.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sluicegate import _core

from .compiled import require_same
from .packing import in_large_pages


class Product:
    """`torch.nn.functional.linear` with weights that stay as they are now, laid out once.

    Args:
        weight: 32-bit floats on the CPU.
        bias: added to each row; None for none.

    >>> weight, bias, x = torch.randn(300, 64), torch.randn(300), torch.randn(40, 64)
    >>> multiplied = Product(weight, bias)
    >>> torch.allclose(multiplied(x), torch.nn.functional.linear(x, weight, bias), atol=1e-4)
    True
    >>> torch.equal(multiplied(x[:1]), multiplied(x)[:1])
    True
    """

    def __init__(self, weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None = None) -> None:
        weight = _plain(weight)
        self.outputs, self.inputs = weight.shape
        self._isa = _core.isa()
        self._panels = torch.empty(_core.product_floats(self.inputs, self.outputs))
        in_large_pages(self._panels)
        held = None if bias is None else _plain(bias)
        address = 0 if held is None else held.data_ptr()
        _core.pack_product(weight.data_ptr(), address, self.inputs, self.outputs, self._panels.data_ptr())

    def __call__(self, x: Float[Tensor, "rows in"]) -> Float[Tensor, "rows out"]:
        """The product of each row.

        Raises:
            ConfigError: the kernels of another instruction set are in use now.
        """
        require_same(self._isa)
        x = _plain(x)
        rows, found = len(x), x.new_empty(len(x), self.outputs)
        sizes, places = (rows, self.inputs, self.outputs), (self._panels.data_ptr(), (found.data_ptr(), self.outputs))
        _core.product(sizes, (x.data_ptr(), self.inputs), *places, torch.get_num_threads())
        return found


def attend(
    query: Float[Tensor, "rows queries hidden"],
    keys: Float[Tensor, "sources steps hidden"],
    states: Float[Tensor, "sources steps memory"],
    score: Float[Tensor, " hidden"],
    sources: Int64[Tensor, " rows"],
    lengths: Int64[Tensor, " sources"],
) -> tuple[Float[Tensor, "rows queries memory"], Float[Tensor, "rows queries steps"]]:
    """Answer queries by additive attention, as `nn.AdditiveAttention` does.

    Args:
        query: several of each row.
        keys: of the sources.
        states: of the sources.
        score: weighs the units of what is seen.
        sources: which one each row asks.
        lengths: of the sources, from 1 up: steps beyond them are not read.

    Returns:
        The contexts, and the weights of the steps, which are 0 beyond a source's length.
    """
    query, keys, states, score, sources, lengths = map(_plain, (query, keys, states, score, sources, lengths))
    rows, queries, hidden = query.shape
    _, steps, memory = states.shape
    context, weights = query.new_empty(rows, queries, memory), query.new_empty(rows, queries, steps)
    given = tuple(one.data_ptr() for one in (sources, lengths, query, keys, states, score))
    found = (weights.data_ptr(), context.data_ptr())
    _core.attend((rows, queries, steps, hidden, memory), given, found, torch.get_num_threads())
    return context, weights


def means(
    states: Float[Tensor, "sources steps memory"], lengths: Int64[Tensor, " sources"]
) -> Float[Tensor, "sources memory"]:
    """The mean of each source's steps, which is what an attention finds that prefers none.

    PyTorch's sum over the steps has other bits with other padding.

    Args:
        states: of the sources.
        lengths: of the sources, from 1 up: steps beyond them are not read.
    """
    rows, steps, _ = states.shape
    alike = states.new_zeros(rows, steps, 1)
    context, _ = attend(alike[:, :1], alike, states, states.new_zeros(1), torch.arange(rows), lengths)
    return context[:, 0]


def tanh(x: Float[Tensor, "*numbers"]) -> Float[Tensor, "*numbers"]:
    """`torch.tanh`, without PyTorch's threads: MKL wakes them for a thousand numbers, and they are late.

    With two threads and others at work on the processor, 1,280 numbers took 7 ms.
    """
    x = _plain(x)
    found = torch.empty_like(x)
    _core.activate("tanh", x.data_ptr(), found.data_ptr(), x.numel())
    return found


def log_sums(x: Float[Tensor, "*rows numbers"]) -> Float[Tensor, "*rows"]:
    """`torch.logsumexp` over the last axis, of numbers that are finite."""
    x = _plain(x)
    found = x.new_empty(x.shape[:-1])
    count = x.shape[-1]
    _core.log_sums(x.data_ptr(), found.numel(), count, count, found.data_ptr(), torch.get_num_threads())
    return found


def computed(*tensors: Tensor | None) -> bool:
    """Tell whether these are such as the kernels take."""
    return all(one is None or (one.dtype == torch.float32 and one.device.type == "cpu") for one in tensors)


def _plain(x: Tensor) -> Tensor:
    """Numbers one after the other."""
    return x.detach().contiguous()

"""The compiled part of Sluicegate."""

from collections.abc import Sequence
from typing import Annotated, Any, overload

import numpy
from numpy.typing import NDArray


class CpuInfo:
    """What the processor can do."""

    @property
    def architecture(self) -> str:
        """x86_64, aarch64 or unknown"""

    @property
    def brand(self) -> str:
        """what the processor calls itself, or an empty string"""

    @property
    def features(self) -> list[str]:
        """instruction sets that both processor and operating system allow"""

    @property
    def best_isa(self) -> str:
        """scalar, avx2, avx512, avx512_bf16 or neon"""

def cpu_info() -> CpuInfo:
    """Describe the processor; it is probed once."""

def isa() -> str:
    """
    Name the instruction set of the kernels in use: the best there is, or that of the variable SLUICEGATE_ISA.
    """

def use_isa(name: str) -> None:
    """
    Use the kernels of another instruction set from now on: for tests and comparisons.
    """

def fma_rate() -> float:
    """
    Measure what one thread can do at most, in GFLOP/s: multiply-adds that never leave the registers.
    """

def panel_floats(backward: bool, shape: Sequence[int]) -> int:
    """Count the floats that `pack` writes."""

def pack(backward: bool, shape: Sequence[int], weights: Sequence[int], panels: int) -> None:
    """Lay out weights for the forward or the backward pass."""

def fingerprint(arrays: Sequence[Sequence[int]]) -> int:
    """
    Compute a number that differs when the floats do, of arrays given by address and count.
    """

def forward(shape: Sequence[int], sequences: Sequence[int], input: Sequence[int], directions: Sequence[Sequence[int]], every: int, threads: int) -> None:
    """Compute a layer."""

def backward(shape: Sequence[int], sequences: Sequence[int], input: Sequence[int], directions: Sequence[Sequence[int]], every: int, threads: int) -> None:
    """Compute the gradients of a layer."""

def prefer_large_pages(begin: int, bytes: int) -> None:
    """Tell the system that fresh memory is better had in large pages."""

def activate(function: str, input: int, output: int, count: int) -> None:
    """Apply the kernels' sigmoid or tanh to so many numbers."""

def take_step(kind: tuple[int, int], x: Any, h0: Any, c0: Any, weights: Any, h: Any, c: Any, saved: Any, units: int, threads: int) -> bool:
    """
    Compute a step of a cell into `h`, `c` and what training keeps; False, and nothing is written, where a tensor is not plain.
    """

def take_step_back(kind: tuple[int, int], x: Any, h0: Any, c0: Any, weights: Any, saved: Any, h_gradient: Any, c_gradient: Any, d_x: Any, d_h0: Any, d_c0: Any, d_weights: Any, units: int, threads: int) -> bool:
    """Compute the gradients of a step of a cell, likewise."""

class QuantizedLayer:
    """A layer in int8, with its weights laid out."""

    def __init__(self, cell: str, activation: str, input: int, hidden: int, *, input_weight: Annotated[NDArray[numpy.int8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, input_floats: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, input_scale: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, input_factor: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, bias: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], hidden_weight: Annotated[NDArray[numpy.int8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, hidden_scale: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, hidden_factor: float, hidden_bias: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, isa: str = '') -> None:
        """Lay out weights, which are copied."""

    def forward(self, x: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], h0: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, c0: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, output: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')] | None, h_n: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')], c_n: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')] | None, lengths: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, threads: int) -> None:
        """Compute the layer, into arrays that are there."""

    @property
    def isa(self) -> str:
        """The instruction set of its kernels."""

    @property
    def nbytes(self) -> int:
        """The memory of its weights, in bytes."""

def quantized_isas() -> list[str]:
    """
    Name the instruction sets that layers in int8 can be laid out for here.
    """

class Layers:
    """The layers of a stack, prepared for steps of its streams."""

    @overload
    def __init__(self, layers: Sequence[tuple[Sequence[int], Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)]]], threads: object, kinds: Sequence[tuple[object, object]]) -> None:
        """
        Take shapes and panels, what counts the threads, and types with what makes outputs of them.
        """

    @overload
    def __init__(self, layers: Sequence[object], threads: object, kinds: Sequence[tuple[object, object]]) -> None:
        """Take layers in int8, and the same beside them."""

class Step:
    """A stream of these layers, which takes a step in one call."""

    def __init__(self, layers: Layers, state: Sequence[Annotated[NDArray[numpy.float32], dict(shape=(None, 1, None), order='C', device='cpu')]]) -> None:
        """Begin from a state, which each push writes anew."""

    def push(self, x: Any) -> Any:
        """
        Take a step; None, with the state as it was, where `x` is no plain row of 32-bit floats.
        """

def product_floats(depth: int, columns: int) -> int:
    """Count the floats that `pack_product` writes."""

def pack_product(weights: int, bias: int, depth: int, columns: int, panels: int) -> None:
    """Lay out weights, `[columns depth]`, and their bias for `product`."""

def product(sizes: Sequence[int], input: Sequence[int], panels: int, output: Sequence[int], threads: int) -> None:
    """
    Multiply rows with weights: the sizes are those of rows, depth and columns, and the arrays are given by address and by the floats from a row to the next.
    """

def attend(sizes: Sequence[int], given: Sequence[int], found: Sequence[int], threads: int) -> None:
    """
    Answer queries by additive attention: the sizes are rows, queries of each, steps, hidden and memory; given are which source each row asks, lengths, queries, keys, states and what scores, and found are the weights and the contexts.
    """

def log_sums(rows: int, number: int, count: int, row: int, out: int, threads: int) -> None:
    """
    Compute the logarithm of the sum of the exponentials of each of so many rows.
    """

class CellTraits:
    """What a cell is to the kernels."""

    @property
    def name(self) -> str:
        """as the operators have it"""

    @property
    def gates(self) -> str:
        """a letter for each part of the rows of a weight, in their order"""

    @property
    def saved(self) -> str:
        """
        a letter for each number that training keeps of a unit and a step; if the last is not h, the backward pass finds h in the outputs
        """

    @property
    def state(self) -> str:
        """h, or hc"""

    @property
    def recurrent(self) -> bool:
        """whether there are recurrent weights and biases"""

    @property
    def activation(self) -> bool:
        """whether anything goes through the activation"""

def cells() -> list[CellTraits]:
    """List the cells, in the order of their numbers."""

def arguments() -> dict[str, list[str]]:
    """
    List the numbers that the kernels take, in their order: of a `shape`, of `sequences`, of a `grid`, of `weights`, and of a direction in the `forward` pass, and what it has beside these in the `backward` pass.
    """

def xla_handlers() -> dict[str, Any]:
    """
    Give the functions by which XLA computes a layer and its gradients, as capsules.
    """

def xla_numbers() -> list[str]:
    """
    List the numbers by which a call from XLA says what it is about, in their order.
    """

"""A step of a GRU in int8 beside the same in 32-bit floats, ours and others', and the bits of a long stream.

What `benchmarks/streaming.py --only int8` measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnxruntime
import torch
from peers.onnx_model import gru_model
from peers.problem import Problem

from sluicegate import _core, nn
from sluicegate.streaming import LayerStream

UNITS = (256, 512, 1024)
STEPS = 20_000
KINDS = ("GRU", "LSTM", "RNN", "MinGRU", "LiGRU")


def calls_of(units: int) -> dict[str, Callable[[], object]]:
    """A step of the same layer by each, from NumPy's array to the next output."""
    layer, x = nn.GRU(units, units).eval(), np.random.default_rng(0).standard_normal(units, np.float32)
    seen = torch.from_numpy(np.random.default_rng(1).standard_normal((256, units), np.float32))
    floats, whole = LayerStream(layer), LayerStream(nn.quantize(layer, [seen]))
    return {
        "fp32": lambda: floats.push(x),
        "int8": lambda: whole.push(x),
        "PyTorch": by_pytorch(layer, x),
        "ONNX Runtime": by_onnxruntime(layer, x),
    }


def by_pytorch(layer: torch.nn.Module, x: np.ndarray) -> Callable[[], object]:
    """A step of PyTorch's layer."""
    peer, state = torch.nn.GRU(layer.input_size, layer.hidden_size), None
    peer.load_state_dict(layer.state_dict())

    def step() -> object:
        nonlocal state
        with torch.inference_mode():
            output, state = peer(torch.from_numpy(x)[None], state)
            return output.numpy()

    return step


def by_onnxruntime(layer: torch.nn.Module, x: np.ndarray) -> Callable[[], object]:
    """A step of ONNX Runtime's GRU, with input and output bound to memory that is there."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    weights: dict[str, Any] = {name.removesuffix("_l0"): w.numpy() for name, w in layer.state_dict().items()}
    problem = Problem("gru", x[None, None], np.empty(0), **weights, right={})
    session = onnxruntime.InferenceSession(gru_model(problem), options, ["CPUExecutionProvider"])
    binding = session.io_binding()
    y = onnxruntime.OrtValue.ortvalue_from_shape_and_type([1, 1, 1, layer.hidden_size], np.float32)
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x[None, None]))
    binding.bind_ortvalue_output("y", y)
    return lambda: session.run_with_iobinding(binding)


def differing(kind: str) -> int:
    """How many outputs of a long stream differ between instruction sets, pushes and chunks."""
    layer = getattr(nn, kind)(16, 33, 2).eval()
    x = np.random.default_rng(0).standard_normal((STEPS, 16), np.float32)
    small, best = nn.quantize(layer, [torch.from_numpy(x)]), _core.isa()
    whole = small(torch.from_numpy(x))[0].numpy().view(np.int32)
    count = 0
    for isa in ("avx512", "avx2", "neon", "scalar"):
        try:
            _core.use_isa(isa)
        except ValueError:  # not of this processor
            continue
        stream = LayerStream(small)
        found = [np.stack([stream.push(row) for row in x[: STEPS // 2]]), stream.push(x[STEPS // 2 :])]
        count += int((np.concatenate(found).view(np.int32) != whole).sum())
    _core.use_isa(best)
    return count


def int8(measure: Callable[..., list[np.ndarray]], rounds: int) -> Iterator[str]:
    """The table of steps, and that of bits.

    Args:
        measure: Gives the microseconds of each call in each round, of so many repeats.
        rounds: How many.
    """
    yield "| one step, us | fp32 | int8 | PyTorch | ONNX Runtime | against fp32 | against the best other |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for units in UNITS:
        calls = calls_of(units)
        # Several in a row: a stream goes on with its own weights in the caches.
        taken = [float(np.median(times)) for times in measure(list(calls.values()), rounds, max(4, 2048 // units))]
        floats, whole, *others = taken
        cells = [f"{t:.1f}" for t in taken] + [f"**{floats / whole:.1f}x**", f"**{min(others) / whole:.1f}x**"]
        yield f"| GRU, {units} → {units} | {' | '.join(cells)} |"
    yield ""
    yield f"| {STEPS:,} steps, 16 → 33, two layers, on every instruction set | outputs that differ |"
    yield "| --- | --- |"
    for kind in KINDS:
        yield f"| {kind} | {differing(kind)} |"

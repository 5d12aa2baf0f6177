"""What the tests of the kernels share: every instruction set, and every cell with every activation."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import torch

from sluicegate import _core, nn
from sluicegate.types import Precision

VARIANTS = {
    "gru": (nn.GRU, {}),
    "gru-relu": (nn.GRU, {"activation": "relu"}),
    "gru-before": (nn.GRU, {"reset": "before"}),
    "gru-before-relu": (nn.GRU, {"reset": "before", "activation": "relu"}),
    "lstm": (nn.LSTM, {}),
    "lstm-relu": (nn.LSTM, {"activation": "relu"}),
    "rnn": (nn.RNN, {}),
    "rnn-relu": (nn.RNN, {"nonlinearity": "relu"}),
    "mingru": (nn.MinGRU, {}),
    "ligru": (nn.LiGRU, {"normalization": None}),
    "ligru-tanh": (nn.LiGRU, {"nonlinearity": "tanh", "normalization": None}),
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the tests here, leave out the cases that have no new pair of values, unless all examples are asked for.

    What goes wrong with a cell at a size does so alone or on one instruction set: three things seldom have to meet.
    """
    if os.environ.get("SLUICEGATE_EXAMPLES") == "all" or any("[" in argument for argument in config.args):
        return
    seen: dict[str, set[Any]] = {}
    left_out = [item for item in items if Path(__file__).parent in item.path.parents and not _is_new(item, seen)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _is_new(item: pytest.Item, seen: dict[str, set[Any]]) -> bool:
    """Tell whether two of a case's values have not met in its test yet."""
    values = item.callspec.params.items() if hasattr(item, "callspec") else ()
    pairs = set(itertools.combinations(sorted((name, repr(value)) for name, value in values), 2))
    known = seen.setdefault(item.nodeid.split("[")[0], set())
    new = not pairs or not pairs <= known
    known |= pairs
    return new


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """One thread: to share tensors this small between two costs a thousand times their arithmetic on a busy machine."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def unchecked(monkeypatch) -> None:
    """Turn off the run-time check of annotations, which takes longer than a small layer; others have it on."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def runs(isa: str) -> bool:
    """Tell whether this processor has an instruction set."""
    before = _core.isa()
    try:
        _core.use_isa(isa)
    except ValueError:
        return False
    _core.use_isa(before)
    return True


@pytest.fixture(params=filter(runs, ("avx512_bf16", "avx512", "avx2", "neon", "scalar")))
def isa(request) -> Iterator[str]:
    """Every instruction set that this processor has."""
    before = _core.isa()
    _core.use_isa(request.param)
    yield request.param
    _core.use_isa(before)


@pytest.fixture
def precision() -> Precision:
    """What the operands of a layer's products are rounded to, of which a module may have others."""
    return "fp32"


@pytest.fixture(params=VARIANTS)
def build(request, precision) -> Callable[..., torch.nn.RNNBase]:
    """Every cell with every activation: a function that makes the layer, always with the same weights."""
    kind, own = VARIANTS[request.param]

    def make(*sizes: int, seed: int = 0, **options: Any) -> torch.nn.RNNBase:
        if kind is nn.MinGRU and options.pop("checkpoint_every", None):
            pytest.skip("a MinGRU keeps nothing that could be left out")
        torch.manual_seed(seed)
        layer = kind(*sizes, **own, **options)
        layer.precision = precision  # which a MinGRU has no argument for, since only autocast asks it
        assert nn.backend_of(layer, torch.zeros(1, 1, sizes[0])) == _core.isa()
        return layer

    return make


@pytest.fixture
def state_for() -> Callable[..., Any]:
    """Draw a state that goes with a layer and so many rows."""

    def draw(layer: torch.nn.RNNBase, rows: int) -> Any:
        states = layer.num_layers * (2 if layer.bidirectional else 1)
        h, c = (torch.rand(states, rows, layer.hidden_size) * 2 - 1 for _ in range(2))
        return (h, c) if isinstance(layer, torch.nn.LSTM) else h

    return draw

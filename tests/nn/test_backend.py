"""Who computes a layer can be asked, and is logged once."""

import logging
import os
import subprocess
import sys

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from sluicegate import _core, nn
from sluicegate.errors import ConfigError
from sluicegate.nn.backend import _announce

X = torch.zeros(2, 1, 3)

PLAIN = [nn.GRU, nn.LSTM, nn.RNN, nn.GRUCell, nn.LSTMCell, nn.RNNCell]
BEYOND = [
    *((kind, {"layer_norm": True}) for kind in PLAIN),
    *((kind, {"recurrent_dropout": 0.5}) for kind in PLAIN),
]
VARIANTS = [
    *((kind, {}) for kind in PLAIN),
    *((kind, {"precision": "bf16"}) for kind in PLAIN),
    *((kind, {"activation": "relu"}) for kind in (nn.GRU, nn.LSTM, nn.GRUCell, nn.LSTMCell)),
    *((kind, {"reset": "before"}) for kind in (nn.GRU, nn.GRUCell)),
    (nn.RNN, {"nonlinearity": "relu"}),
]


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_the_kernels_compute_what_they_can(kind, options):
    assert nn.backend_of(kind(3, 4, **options), X) == _core.isa()


def test_torch_computes_what_the_kernels_cannot():
    assert nn.backend_of(nn.GRU(3, 4), pack_sequence([X[:, 0]])) == _core.isa()
    assert nn.backend_of(nn.LSTM(3, 4, proj_size=2), X) == "torch"
    assert nn.backend_of(nn.GRU(3, 4, dtype=torch.float64), X.double()) == "torch"


@pytest.mark.parametrize(("kind", "options"), BEYOND)
def test_the_reference_computes_the_rest(kind, options):
    assert nn.backend_of(kind(3, 4, **options), X) == "reference"


@pytest.mark.parametrize("kind", PLAIN)
def test_recurrent_dropout_is_nothing_in_evaluation(kind):
    module = kind(3, 4, recurrent_dropout=0.5)
    assert nn.backend_of(module.eval(), X) == _core.isa()
    assert nn.backend_of(module.train(), X) == "reference"


@pytest.fixture
def news():
    _announce.cache_clear()
    yield
    _announce.cache_clear()


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_says_once_for_each_reason_who_computes(caplog, news):
    caplog.set_level(logging.DEBUG, "sluicegate")
    for _ in range(3):
        nn.GRU(3, 4)(X)
        nn.LSTM(3, 4, proj_size=2)(X)
        nn.GRU(3, 4, layer_norm=True)(X)
        nn.LSTMCell(3, 4, layer_norm=True)(X[0])
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("DEBUG", f"GRU runs on the {_core.isa()} backend: the fused kernels compute it"),
        (
            "INFO",
            "LSTM runs on the torch backend: proj_size=2 is beyond the fused kernels, and PyTorch's kernels compute it",
        ),
        ("INFO", "GRU runs on the reference backend: layer_norm=True is beyond all kernels"),
        ("INFO", "LSTMCell runs on the reference backend: layer_norm=True is beyond all kernels"),
    ]


def test_asking_says_nothing(caplog, news):
    caplog.set_level(logging.DEBUG, "sluicegate")
    nn.backend_of(nn.GRU(3, 4), X)
    assert caplog.records == []


def with_variable(isa):
    program = "from sluicegate import _core; print(_core.isa())"
    environment = os.environ | {"SLUICEGATE_ISA": isa}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)


def test_the_variable_chooses_the_instruction_set(monkeypatch):
    assert with_variable("scalar").stdout == "scalar\n"
    assert with_variable("").stdout == f"{_core.cpu_info().best_isa}\n"
    refused = with_variable("sse")
    assert "SLUICEGATE_ISA is 'sse', which this processor cannot run: set it to one of" in refused.stderr

    def refuse():
        raise ValueError("the variable SLUICEGATE_ISA is 'sse'")

    monkeypatch.setattr(_core, "isa", refuse)
    with pytest.raises(ConfigError, match="SLUICEGATE_ISA is 'sse'"):
        nn.backend_of(nn.GRU(3, 4), X)

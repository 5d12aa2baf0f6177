"""Recurrent layers of other classes than PyTorch's are named."""

import sys

import pytest
import torch
from torch import nn

import sluicegate
from sluicegate.nn.others import is_recurrent
from sluicegate.nn.swap import plan


class LightUnit(nn.Module):
    """Two gates, as products of `Linear`."""

    def __init__(self, inputs=3, hidden=8):
        super().__init__()
        self.w = nn.Linear(inputs, 2 * hidden, bias=False)
        self.u = nn.Linear(hidden, 2 * hidden, bias=False)
        self.norm = nn.BatchNorm1d(2 * hidden)


class FromBase(nn.RNNBase):
    """Another `forward` on PyTorch's weights."""

    def __init__(self):
        super().__init__("LSTM", 3, 8)


class ByHand(nn.Module):
    """The cell of many tutorials."""

    def __init__(self, inputs=3, hidden=8):
        super().__init__()
        self.W = nn.Parameter(torch.zeros(inputs, 4 * hidden))
        self.U = nn.Parameter(torch.zeros(hidden, 4 * hidden))


class Kernels(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(3, 24))
        self.recurrent_kernel = nn.Parameter(torch.zeros(8, 24))


class QRNNLayer(nn.Module):
    """Gates of the input alone."""

    def __init__(self):
        super().__init__()
        self.hidden_size = 8
        self.linear = nn.Linear(3, 24)


class QLSTM(nn.Module):
    """The same with an output gate."""

    def __init__(self):
        super().__init__()
        self.hidden_size = 8
        self.linear = nn.Linear(3, 32)


RECURRENT = (LightUnit, FromBase, ByHand, Kernels, QRNNLayer)  # as many as the one line lists


class GatedMap(nn.Module):
    """Two maps to four times the units and one back, as transformers have."""

    def __init__(self):
        super().__init__()
        self.hidden_size = 8
        self.gate = nn.Linear(8, 32)
        self.up = nn.Linear(8, 32)
        self.down = nn.Linear(32, 8)


class LSTMClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden_size = 8
        self.lstm = nn.LSTM(3, 8)
        self.head = nn.Linear(8, 24)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden_size = 8
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.LazyLinear(32)
        self.second = nn.Linear(8, 8)


OTHERS = (GatedMap, LSTMClassifier, Attention, Lazy, *(nn.MultiheadAttention, nn.TransformerEncoderLayer))


@pytest.mark.parametrize("kind", [*RECURRENT, QLSTM])
def test_is_found_by_what_it_holds(kind, caplog):
    model = nn.Sequential(nn.Linear(2, 3), kind())
    assert [str(swap) for swap in plan(model)] == [f"1 ({kind.__name__}), not PyTorch's own"]
    sluicegate.accelerate(model)
    assert [r.message for r in caplog.records] == [f"left to PyTorch: 1 ({kind.__name__}), not PyTorch's own"]
    assert type(model[1]) is kind


@pytest.mark.parametrize("kind", OTHERS)
def test_is_no_recurrent_layer(kind):
    assert not is_recurrent(kind(8, 2) if kind.__module__.startswith("torch.") else kind())


def test_layers_of_ours_are_none():
    assert not is_recurrent(sluicegate.nn.MinGRU(3, 4))


def test_those_made_in_a_block_are_told(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)  # where it is there, its layers are spoken of too
    before = LightUnit()
    with sluicegate.accelerated(log=False) as summary:
        assert summary.others == []
        for _ in range(2):
            for kind in (*RECURRENT, GatedMap, LSTMClassifier, Attention):
                kind()
    assert summary.others == [f"{__name__}.{kind.__name__}" for kind in RECURRENT]
    names = ", ".join(summary.others)
    assert str(summary) == f"no GRU, LSTM or RNN layer of PyTorch's ran; recurrent but not PyTorch's own: {names}"
    with sluicegate.accelerated(log=False) as summary:
        nn.GRU(3, 4)(torch.zeros(5, 2, 3))
        LightUnit()
    after = LightUnit()
    assert str(summary) == f"1 layer swapped (1 GRU); recurrent but not PyTorch's own: {__name__}.LightUnit"
    assert is_recurrent(before)
    assert is_recurrent(after)


def test_nothing_looks_on_after_the_block():
    from torch.nn.modules import module

    hooks = module._global_parameter_registration_hooks, module._global_module_registration_hooks
    before = [dict(each) for each in hooks]
    with pytest.raises(ZeroDivisionError), sluicegate.accelerated():
        _ = 1 / 0
    assert [dict(each) for each in hooks] == before

"""`sluicegate.nn.LSTM` is `torch.nn.LSTM`."""

import math

import pytest
import torch

from sluicegate.nn import LSTM


def test_is_torchs_lstm(agree, shape, layout):
    agree(torch.nn.LSTM, LSTM, shape, layout, dtype=torch.float64)


def test_is_torchs_lstm_in_single_precision(agree, layout):
    agree(torch.nn.LSTM, LSTM, {"num_layers": 3, "bidirectional": True}, layout, dtype=torch.float32)


def test_is_torchs_lstm_with_a_projection(agree, layout):
    agree(torch.nn.LSTM, LSTM, {"num_layers": 2, "bidirectional": True, "proj_size": 2}, layout, dtype=torch.float64)


def test_takes_torchs_arguments_in_torchs_order():
    theirs, ours = (cls(3, 5, 2, False, True, 0.25, True, 2) for cls in (torch.nn.LSTM, LSTM))
    assert isinstance(ours, torch.nn.LSTM)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_relu_by_hand():
    layer = LSTM(1, 1, activation="relu", dtype=torch.float64)
    numbers = [0.3, -0.6, 0.9, 0.5], [1.2, 0.4, 0.8, -0.3], [0.1, -0.2, 0.3, 0.4], [-0.5, 0.7, 1.1, 0.2]
    for parameter, values in zip(layer.parameters(), numbers, strict=True):
        parameter.data = torch.tensor(values, dtype=torch.float64).reshape(parameter.shape)
    w_ih, w_hh, b_ih, b_hh = numbers
    h, c = 0.75, -0.25
    state = (torch.full((1, 1, 1), h, dtype=torch.float64), torch.full((1, 1, 1), c, dtype=torch.float64))
    xs = [0.5, -1.0, 2.0]
    _, (h_n, c_n) = layer(torch.tensor(xs, dtype=torch.float64).reshape(3, 1, 1), state)
    for x in xs:
        a = [w_ih[k] * x + b_ih[k] + w_hh[k] * h + b_hh[k] for k in range(4)]
        i, f, o = (1 / (1 + math.exp(-a[k])) for k in (0, 1, 3))
        c = f * c + i * max(a[2], 0.0)
        h = o * max(c, 0.0)
    assert (h_n.item(), c_n.item()) == pytest.approx((h, c), rel=1e-13)
    assert h > 0

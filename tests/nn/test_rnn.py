"""`sluicegate.nn.RNN` is `torch.nn.RNN`."""

import pytest
import torch

from sluicegate.nn import RNN


def test_is_torchs_rnn(agree, shape, layout):
    agree(torch.nn.RNN, RNN, shape, layout, dtype=torch.float64)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_is_torchs_rnn_in_single_precision(agree, layout, nonlinearity):
    shape = {"num_layers": 3, "bidirectional": True, "nonlinearity": nonlinearity}
    agree(torch.nn.RNN, RNN, shape, layout, dtype=torch.float32)


def test_takes_torchs_arguments_in_torchs_order():
    theirs, ours = (cls(3, 5, 2, "relu", False, True, 0.25, True) for cls in (torch.nn.RNN, RNN))
    assert isinstance(ours, torch.nn.RNN)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(2, 7, 3)
    ours.load_state_dict(theirs.state_dict())
    mine, yours = ours.eval()(x)[0], theirs.eval()(x)[0]
    torch.testing.assert_close(mine, yours, rtol=0, atol=2e-6 * max(1.0, yours.abs().max().item()))


def test_one_mask_for_all_steps_of_a_row():
    """With unit weights, h' = x + mask * h, so the mask can be read off every step."""
    size, batch, time, rate = 64, 5, 6, 0.25
    layer = RNN(size, size, nonlinearity="relu", bias=False, recurrent_dropout=rate, dtype=torch.float64)
    for parameter in layer.parameters():
        parameter.data = torch.eye(size, dtype=torch.float64)
    torch.manual_seed(0)
    x = torch.rand(time, batch, size, dtype=torch.float64) + 0.5

    outputs, _ = layer(x)
    masks = (outputs[1:] - x[1:]) / outputs[:-1]
    torch.testing.assert_close(masks, masks[:1].expand_as(masks))
    dropped = masks[0].abs() < 1e-9
    torch.testing.assert_close(masks[0], (~dropped).double() / (1 - rate), rtol=0, atol=1e-9)
    assert 0.15 < dropped.double().mean() < 0.35
    assert not torch.equal(masks[0, 0], masks[0, 1])  # each row has its own

    again, _ = layer(x)
    assert not torch.equal(outputs, again)  # and each call
    whole, _ = layer.eval()(x)
    torch.testing.assert_close(whole, x.cumsum(0))

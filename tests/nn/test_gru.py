"""`sluicegate.nn.GRU` is `torch.nn.GRU`, and Cho's form besides."""

import math

import pytest
import torch

from sluicegate.nn import GRU


def test_is_torchs_gru(agree, shape, layout):
    agree(torch.nn.GRU, GRU, shape, layout, dtype=torch.float64)


def test_is_torchs_gru_in_single_precision(agree, layout):
    agree(torch.nn.GRU, GRU, {"num_layers": 3, "bidirectional": True}, layout, dtype=torch.float32)


def test_takes_torchs_arguments_in_torchs_order():
    theirs, ours = (cls(3, 5, 2, False, True, 0.25, True) for cls in (torch.nn.GRU, GRU))
    assert isinstance(ours, torch.nn.GRU)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def by_hand(form: str, act, w_ih, w_hh, b_ih, b_hh, xs, h):
    """One unit, one input: the rows of the weights are r, z, n."""
    for x in xs:
        r = sigmoid(w_ih[0] * x + b_ih[0] + w_hh[0] * h + b_hh[0])
        z = sigmoid(w_ih[1] * x + b_ih[1] + w_hh[1] * h + b_hh[1])
        if form == "after":
            n = act(w_ih[2] * x + b_ih[2] + r * (w_hh[2] * h + b_hh[2]))
        else:
            n = act(w_ih[2] * x + b_ih[2] + w_hh[2] * (r * h) + b_hh[2])
        h = (1 - z) * n + z * h
    return h


@pytest.mark.parametrize(("activation", "act"), [("tanh", math.tanh), ("relu", lambda a: max(a, 0.0))])
def test_both_forms_by_hand(activation, act):
    xs, h = [0.5, -1.0, 2.0], 0.75
    numbers = [0.3, -0.6, 0.9], [1.2, 0.4, -0.8], [0.1, -0.2, 0.3], [-0.5, 0.7, 1.1]
    found = {}
    for form in ("after", "before"):
        layer = GRU(1, 1, reset=form, activation=activation, dtype=torch.float64)
        for parameter, values in zip(layer.parameters(), numbers, strict=True):
            parameter.data = torch.tensor(values, dtype=torch.float64).reshape(parameter.shape)
        x = torch.tensor(xs, dtype=torch.float64).reshape(3, 1, 1)
        _, final = layer(x, torch.full((1, 1, 1), h, dtype=torch.float64))
        found[form] = final.item()
        assert final.item() == pytest.approx(by_hand(form, act, *numbers, xs, h), rel=1e-13)
    assert abs(found["after"] - found["before"]) > 0.01

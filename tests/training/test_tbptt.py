"""Truncated back-propagation: what it computes, what it keeps, and that the state is carried."""

import itertools
import weakref
from collections import namedtuple

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sluicegate.errors import ConfigError, DataError
from sluicegate.nn import GRU, LSTM, RNN, MinGRU
from sluicegate.training import train_on_stream
from sluicegate.training.tbptt import cut, detached


class Reader(nn.Module):
    """A layer and what reads its outputs, with the state as a value."""

    def __init__(self, layer, hidden, forget=False):
        super().__init__()
        self.layer, self.head, self.forget = layer, nn.Linear(hidden, 1), forget

    def forward(self, x, state):
        outputs, state = self.layer(x, None if self.forget else state)
        return self.head(outputs), state


def sgd(model, rate=0.1):
    return torch.optim.SGD(model.parameters(), lr=rate)


@pytest.mark.parametrize("kind", [GRU, LSTM, RNN, MinGRU])
@pytest.mark.parametrize("tbptt", [30, 31, 1000])
def test_a_piece_as_long_as_the_stream_is_full_back_propagation(kind, tbptt):
    torch.manual_seed(0)
    models = [Reader(kind(2, 5), 5) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    x, y = torch.randn(30, 3, 2), torch.randn(30, 3, 1)
    optimizer = sgd(models[0])
    F.mse_loss(models[0](x, None)[0], y).backward()
    optimizer.step()
    (piece,) = train_on_stream(models[1], [(x, y)], F.mse_loss, sgd(models[1]), tbptt=tbptt, clip=None)
    assert piece.steps == 30
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_pieces_by_hand(kind):
    torch.manual_seed(1)
    models = [Reader(kind(2, 4), 4) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    x, y = torch.randn(17, 2, 2), torch.randn(17, 2, 1)
    optimizer, state, losses = sgd(models[0]), None, []
    for begin in range(0, 17, 5):
        optimizer.zero_grad()
        outputs, state = models[0](x[begin : begin + 5], state)
        loss = F.mse_loss(outputs, y[begin : begin + 5])
        loss.backward()
        nn.utils.clip_grad_norm_(models[0].parameters(), 0.01)
        optimizer.step()
        state = detached(state)
        losses.append(loss.item())
    chunks = list(zip(x.split([3, 9, 1, 4]), y.split([3, 9, 1, 4]), strict=True))
    pieces = list(train_on_stream(models[1], chunks, F.mse_loss, sgd(models[1]), tbptt=5, clip=0.01))
    assert [piece.loss for piece in pieces] == losses
    assert [piece.steps for piece in pieces] == [5, 5, 5, 2]
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_stream_goes_on_from_the_state():
    torch.manual_seed(2)
    models = [Reader(GRU(1, 4), 4) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    x, y = torch.randn(40, 2, 1), torch.randn(40, 2, 1)
    whole = list(train_on_stream(models[0], [(x, y)], F.mse_loss, sgd(models[0]), tbptt=10))
    optimizer = sgd(models[1])
    first = list(train_on_stream(models[1], [(x[:20], y[:20])], F.mse_loss, optimizer, tbptt=10))
    state = first[-1].state
    rest = list(train_on_stream(models[1], [(x[20:], y[20:])], F.mse_loss, optimizer, tbptt=10, state=state))
    assert [piece.loss for piece in whole] == [piece.loss for piece in first + rest]
    assert torch.equal(whole[-1].state, rest[-1].state)


def test_nothing_is_kept_of_what_has_passed():
    seen = []

    def endless():
        while True:
            chunk = torch.randn(10, 1, 1)
            seen.append(weakref.ref(chunk))
            yield chunk, chunk.clone()
            del chunk

    model = Reader(GRU(1, 4), 4)
    most = 0
    for _ in itertools.islice(train_on_stream(model, endless(), F.mse_loss, sgd(model), tbptt=20), 100):
        most = max(most, sum(ref() is not None for ref in seen))
    assert len(seen) >= 200
    assert most <= 4


def last_marked(chunks, draw):
    """Every eighth step brings a number, which is asked for at each step until the next one comes."""
    for _ in range(chunks):
        values = torch.rand(1, 32, 1, generator=draw).repeat(8, 1, 1)
        marks = torch.zeros(8, 32, 1)
        marks[0] = 1
        yield torch.cat([values * marks, marks], dim=-1), values


@pytest.mark.parametrize("forget", [False, True])
def test_what_was_said_in_a_piece_before_is_known(forget):
    torch.manual_seed(3)
    model = Reader(GRU(2, 16), 16, forget)
    stream = last_marked(400, torch.Generator().manual_seed(3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = [piece.loss for piece in train_on_stream(model, stream, F.mse_loss, optimizer, tbptt=4)]
    # Every second piece holds no mark: without the state, the mean is the best answer, an error of 1/12 = 0.083.
    unmarked = sum(losses[-99::2]) / 50
    assert unmarked > 0.07 if forget else unmarked < 0.004


def test_cutting():
    x = torch.arange(11).reshape(11, 1)
    chunks = [(part, -part) for part in x.split([1, 0, 6, 4])]
    pieces = list(cut(chunks, 3))
    assert [len(inputs) for inputs, _ in pieces] == [3, 3, 3, 2]
    assert torch.equal(torch.cat([inputs for inputs, _ in pieces]), x)
    assert torch.equal(torch.cat([targets for _, targets in pieces]), -x)
    assert list(cut([], 3)) == []


def test_a_state_of_any_form_is_detached():
    pair = namedtuple("pair", "h c")
    tensor = torch.ones(1, requires_grad=True) * 2
    state = detached({"a": [tensor, (tensor, None)], "b": pair(tensor, 3)})
    assert not state["a"][0].requires_grad
    assert not state["a"][1][0].requires_grad
    assert isinstance(state["b"], pair)
    assert not state["b"].h.requires_grad
    assert state["b"].c == 3


@pytest.mark.parametrize("wrong", [{"tbptt": 0}, {"tbptt": True}, {"tbptt": 5, "clip": 0.0}])
def test_what_is_out_of_range_is_refused_at_once(wrong):
    model = Reader(GRU(1, 2), 2)
    with pytest.raises(ConfigError, match=f"`{'clip' if 'clip' in wrong else 'tbptt'}`"):
        train_on_stream(model, [], F.mse_loss, sgd(model), **wrong)


def test_bad_chunks_and_losses():
    model = Reader(GRU(1, 2), 2)
    x = torch.zeros(5, 1, 1)
    with pytest.raises(DataError, match="5 steps of inputs, but 4 of targets"):
        list(train_on_stream(model, [(x, x[:4])], F.mse_loss, sgd(model), tbptt=2))
    x[2] = float("nan")
    with pytest.raises(DataError, match="after 2 steps"):
        list(train_on_stream(model, [(x, x)], F.mse_loss, sgd(model), tbptt=2))

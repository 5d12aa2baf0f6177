"""The gates as arrays by name, and their picture."""

import copy
import re

import jaxtyping
import numpy as np
import pytest
import torch

import sluicegate
from sluicegate.errors import ConfigError
from sluicegate.nn.gates import look
from sluicegate.tasks.report.gates import Gates


@pytest.fixture
def seen():
    torch.manual_seed(0)
    return sluicegate.gates(torch.nn.GRU(3, 8, 2), torch.randn(30, 2, 3))


def test_arrays_by_name(seen):
    assert list(seen) == ["reset", "update", "candidate", "state"]
    assert seen.axes == ("layer", "time", "batch", "unit")
    for name, part in seen.items():
        assert part.shape == (2, 30, 2, 8)
        assert part is getattr(seen, name)
    assert "forget" not in seen
    assert repr(seen) == "<GRU: reset, update, candidate, state; layer 2, time 30, batch 2, unit 8>"
    with pytest.raises(AttributeError, match="there is no part 'forget' to see: there are reset, update, candidate"):
        seen.forget  # noqa: B018 - to look it up is the test
    assert np.array_equal(copy.deepcopy(seen).update, seen.update)


def test_arrays_go_in_and_come_out():
    torch.manual_seed(0)
    layer, x, state = torch.nn.LSTM(3, 5), torch.randn(7, 2, 3), (torch.randn(1, 2, 5), torch.randn(1, 2, 5))
    expected = look(layer, x, state).parts
    fixed = x.numpy().copy()
    fixed.flags.writeable = False
    seen = sluicegate.gates(layer, fixed, tuple(part.numpy() for part in state))
    for name, part in expected.items():
        assert isinstance(seen[name], np.ndarray)
        assert np.array_equal(seen[name], part.numpy())
    assert sluicegate.gates(torch.nn.GRU(3, 5).bfloat16(), x.bfloat16()).update.dtype == np.float32


def labels(picture):
    return re.findall(r">([^<>\n]+)</text>", picture.svg)


@pytest.mark.parametrize(
    ("layer", "panels"),
    [
        (torch.nn.GRU(3, 8), ["reset r", "update z", "candidate n", "state h"]),
        (torch.nn.LSTM(3, 8), ["input i", "forget f", "candidate g", "output o", "cell c", "state h"]),
        (torch.nn.LSTM(3, 8, proj_size=2), ["input i", "forget f", "candidate g", "output o", "cell c"]),
        (torch.nn.RNNCell(3, 8), ["state h"]),
        (sluicegate.MinGRU(3, 8), ["update z", "candidate n", "state h"]),
        (sluicegate.LiGRU(3, 8, normalization=None), ["update z", "candidate n", "state h"]),
    ],
    ids=str,
)
def test_a_panel_for_each_part_and_a_line_for_each_unit(layer, panels):
    torch.manual_seed(0)
    picture = sluicegate.gates(layer, torch.randn(30, 3)).plot()
    written = labels(picture)
    assert [text for text in written if text in panels] == panels
    assert sum(text.startswith("unit ") for text in written) == 3
    assert all(f"{panel[-1]}: " in picture.caption for panel in panels)
    assert "<rect" in picture._repr_svg_()


def test_the_units_are_chosen_by_how_much_their_state_moves():
    moves = np.cumsum(np.outer([1, -1] * 10, [3, 1, 2, 0]), axis=0).astype(np.float32)
    gates = Gates("rnn", ("time", "unit"), {"state": moves})
    found = [text for text in labels(gates.plot()) if text.startswith("unit")]
    assert found == ["unit 0, quickest", "unit 2, middle", "unit 3, slowest"]
    one = Gates("rnn", ("time", "unit"), {"state": moves[:1, :1]})  # a step of a unit
    assert sum(text.startswith("unit 0") for text in labels(one.plot())) == 1


def test_what_is_drawn_is_what_was_asked_for(seen):
    picture = seen.plot(row=1, layer=1, units=[7, 2])
    assert [text for text in labels(picture) if text.startswith("unit")] == ["unit 7", "unit 2"]
    alone = Gates("gru", ("time", "unit"), {name: part[1, :, 1] for name, part in seen.items()})
    assert alone.plot(units=[7, 2]).svg == picture.svg


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"row": 2}, r"`row` \(=2\) must be a whole number from 0 to 1"),
        ({"layer": -1}, r"`layer` \(=-1\) must be a whole number from 0 to 1"),
        ({"units": [0, 8]}, r"`units` \(=8\) must be a whole number from 0 to 7"),
        ({"units": [True]}, r"`units` \(=True\) must be a whole number"),
        ({"units": []}, r"`units` \(=\[\]\) must name one to 6 units"),
        ({"units": range(7)}, "draw the others apart"),
    ],
    ids=str,
)
def test_refusals(seen, asked, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # to see our own
    with pytest.raises(ConfigError, match=message):
        seen.plot(**asked)

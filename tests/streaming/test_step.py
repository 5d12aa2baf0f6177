"""The compiled step of a stream: what it takes, and what it refuses to be made of."""

from functools import partial

import numpy as np
import pytest
import torch

from sluicegate import _core
from sluicegate.ops.cells import CELLS

SHAPE = (0, 0, 3, 5, 0)  # a GRU


def outputs(width, dtype=np.float32):
    return [np.empty(width, dtype)]


FIVE = partial(outputs, 5)
WRONG = [
    (len(CELLS), 0, 3, 5, 0),
    (-1, 0, 3, 5, 0),
    (0, 2, 3, 5, 0),
    (0, 0, -1, 5, 0),
    (0, 0, 3, 2**61, 0),
    (0, 0, 2**31, 5, 0),
    (0, 0, 3, 5, 2),
]


def layers(*shapes, more=0, kind=np.ndarray, make=FIVE):
    panels = [np.zeros(_core.panel_floats(False, shape) + more, np.float32) for shape in shapes]
    return _core.Layers(list(zip(shapes, panels, strict=True)), torch.get_num_threads, [(kind, make)])


def state(*sizes):
    return np.ones(sizes, np.float32)


def test_the_state_is_halved_where_all_weights_are_zero():  # z = 1/2 and n = 0
    h = state(1, 1, 5)
    step = _core.Step(layers(SHAPE), [h])
    assert step.push(np.ones(3, np.float32)).tolist() == [0.5] * 5
    assert h.tolist() == [[[0.5] * 5]]


@pytest.mark.parametrize(
    "x",
    [np.ones(4, "f4"), np.ones((1, 3), "f4"), np.ones(3), np.ones(3, "O"), np.ones(3, "M8[s]"), torch.ones(3), [1.0]],
)
def test_what_is_no_row_is_left_to_others(x):
    h = state(1, 1, 5)
    assert _core.Step(layers(SHAPE), [h]).push(x) is None
    assert (h == 1).all()


def test_a_type_that_cannot_be_read_here_is_left_to_others():
    assert _core.Step(layers(SHAPE, kind=list), [state(1, 1, 5)]).push([1.0, 1.0, 1.0]) is None


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: layers(), "there is a layer at least"),
        (lambda: layers(SHAPE, more=1), "the panels are not those of a layer of this shape"),
        (lambda: layers(SHAPE, SHAPE), "each layer reads what the one before it puts out"),
        (lambda: layers(SHAPE, (3, 0, 5, 5, 0)), "the layers of a stack are of one cell"),
        (lambda: layers(SHAPE, kind=3), "a kind is a type"),
        *[(partial(_core.panel_floats, False, shape), "of a shape is from 0 to") for shape in WRONG],
        (lambda: _core.Step(layers(SHAPE), [state(2, 1, 5)]), r"the shape \[layers 1 hidden\]"),
        (lambda: _core.Step(layers(SHAPE), [state(1, 1, 4)]), r"the shape \[layers 1 hidden\]"),
        (lambda: _core.Step(layers(SHAPE), [state(1, 1, 5)] * 2), "h, or h and c of an LSTM"),
    ],
)
def test_what_does_not_fit_together(make, why):
    with pytest.raises(ValueError, match=why):
        make()


@pytest.mark.parametrize(
    "make", [partial(outputs, 4), partial(outputs, 5, np.float64), lambda: [np.empty((5, 2), "f4")[:, 0]]]
)
def test_outputs_of_another_form(make):
    h = state(1, 1, 5)
    step = _core.Step(layers(SHAPE, make=make), [h])
    with pytest.raises(ValueError, match="rows of as many floats as the layer has units"):
        step.push(np.ones(3, np.float32))
    assert (h == 1).all()


def test_a_step_needs_a_thread():
    panels = np.zeros(_core.panel_floats(False, SHAPE), np.float32)
    h = state(1, 1, 5)
    step = _core.Step(_core.Layers([(SHAPE, panels)], lambda: 0, [(np.ndarray, FIVE)]), [h])
    with pytest.raises(ValueError, match="one thread at least"):
        step.push(np.ones(3, np.float32))
    assert (h == 1).all()

"""Layers in int8: the kernels of every instruction set against the reference, to the bit, and the reference itself."""

import numpy as np
import pytest

from sluicegate import _core
from sluicegate.ops import quantized
from sluicegate.ops import quantized_reference as reference
from sluicegate.ops.cells import CELLS

SIZES = [(3, 5, True, 1), (7, 16, False, 1), (40, 50, False, 7), (129, 130, False, 70), (9, 33, True, 5)]
"""Inputs, units, whether the inputs stay in floats, and rows."""


def floats(cell, inputs, hidden, chance):
    rows = reference.GATES[cell] * hidden
    shapes = {"weight_ih": (rows, inputs), "bias_ih": rows}
    if CELLS[cell].recurrent:
        shapes |= {"weight_hh": (rows, hidden), "bias_hh": rows}
    return {name: chance.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def a_layer(cell, activation, inputs, hidden, *, kept, chance):
    largest = None if kept else chance.uniform(0.1, 3.0, inputs).astype(np.float32)
    return quantized.layer(cell, activation, floats(cell, inputs, hidden, chance), largest, 2.0)


def by_reference(layer, x, state):
    outputs = []
    for step in x:
        state = reference.step(layer, step, state)
        outputs.append(state[0])
    return np.stack(outputs), state


def by_kernels(layer, x, state, isa, lengths=None):
    units = state[0].shape
    output, after = np.zeros((*x.shape[:2], units[1]), np.float32), [np.empty(units, np.float32) for _ in state]
    h, c = (*state, None)[:2]
    laid_out = quantized.lay_out(layer, isa)
    assert laid_out.isa == isa
    laid_out.forward(x, h, c, output, after[0], after[1] if c is not None else None, lengths, 2)
    return output, tuple(after)


def same(found, expected):
    return all(a.tobytes() == b.tobytes() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("isa", _core.quantized_isas())
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("cell", list(reference.GATES))
def test_kernels_have_the_bits_of_the_reference(cell, activation, isa):
    chance = np.random.default_rng(len(cell))
    for inputs, hidden, kept, rows in SIZES:
        layer = a_layer(cell, activation, inputs, hidden, kept=kept, chance=chance)
        x = chance.normal(size=(4, rows, inputs)).astype(np.float32) * 2
        parts = 2 if cell == "lstm" else 1
        state = tuple(chance.uniform(-1, 1, (rows, hidden)).astype(np.float32) for _ in range(parts))
        (outputs, after), (expected, last) = by_kernels(layer, x, state, isa), by_reference(layer, x, state)
        assert same((outputs, *after), (expected, *last))


@pytest.mark.parametrize("isa", _core.quantized_isas())
def test_numbers_that_are_none_or_out_of_range(isa):
    chance = np.random.default_rng(0)
    layer = a_layer("gru", "tanh", 20, 17, kept=False, chance=chance)
    x = chance.normal(size=(3, 1, 20)).astype(np.float32)
    x[0, 0, :6] = [np.nan, np.inf, -np.inf, 3e38, 1e-42, -0.0]
    state = (np.full((1, 17), 5.0, np.float32),)
    state[0][0, 3] = np.nan
    (outputs, _), (expected, _) = by_kernels(layer, x, state, isa), by_reference(layer, x, state)
    known = ~np.isnan(expected)
    assert np.isnan(outputs[:, 0, 3]).all()
    assert np.array_equal(np.isnan(outputs), ~known)
    assert outputs[known].tobytes() == expected[known].tobytes()


@pytest.mark.parametrize("isa", _core.quantized_isas())
def test_rows_end_at_their_lengths(isa):
    chance = np.random.default_rng(1)
    layer = a_layer("lstm", "tanh", 12, 18, kept=False, chance=chance)
    x, lengths = chance.normal(size=(9, 4, 12)).astype(np.float32), np.array([9, 5, 5, 0])
    state = tuple(np.zeros((4, 18), np.float32) for _ in range(2))
    outputs, after = by_kernels(layer, x, state, isa, lengths)
    for row, length in enumerate(lengths):
        one = tuple(part[row : row + 1] for part in state)
        alone, last = (np.zeros((0, 1, 18)), one) if not length else by_reference(layer, x[:length, row : row + 1], one)
        assert np.array_equal(outputs[:length, row], alone[:, 0])
        assert not outputs[length:, row].any()
        assert same([part[row : row + 1] for part in after], last)


def test_activations_are_those_of_the_books():
    a = np.linspace(-30, 30, 200_001).astype(np.float32)
    exact = a.astype(np.float64)
    assert np.abs(reference.tanh(a) - np.tanh(exact)).max() < 4e-7
    assert np.abs(reference.sigmoid(a) - 1 / (1 + np.exp(-exact))).max() < 3e-7


def test_a_product_is_that_of_the_floats_up_to_a_step_of_each_scale():
    chance = np.random.default_rng(2)
    weight, x = chance.normal(size=(30, 40)).astype(np.float32), chance.uniform(-1, 1, (5, 40)).astype(np.float32)
    found = quantized.matrix(weight, np.ones(40))
    product = (reference.whole(x, found.factor).astype(np.int32) @ found.weight.T.astype(np.int32)) * found.scale
    bound = 40 * (np.abs(weight).max(axis=1) / 127)  # half a step of either factor, of each product
    assert (np.abs(product - x @ weight.T) < bound).all()


def test_a_row_of_zeros_stays_one():
    found = quantized.matrix(np.zeros((1, 3)), np.ones(3))
    assert not found.weight.any()
    assert found.scale == 1


def test_rounding_is_to_the_even_number():
    halves = np.float32([0.5, 1.5, 2.5, -0.5, -1.5, 200.0])
    assert reference.whole(halves, np.float32([1.0])).tolist() == [0, 2, 2, 0, -2, 127]


@pytest.mark.parametrize("cell", list(reference.GATES))
@pytest.mark.parametrize("kept", [False, True])
def test_saved_arrays_are_the_layer(cell, kept):
    layer = a_layer(cell, "tanh", 6, 5, kept=kept, chance=np.random.default_rng(3))
    named = quantized.arrays(layer, "_l0")
    assert {name: (array.shape, str(array.dtype)) for name, array in named.items()} == quantized.shapes(
        cell, 6, 5, "_l0", floats=kept
    )
    again = quantized.from_arrays(cell, "tanh", {**named, "weight_ih_l1": np.zeros(3)}, "_l0")
    assert same(quantized.arrays(again, "_l0").values(), named.values())


def test_arrays_of_other_sizes_are_refused():
    layer = a_layer("gru", "tanh", 6, 5, kept=False, chance=np.random.default_rng(4))
    with pytest.raises(ValueError, match="input's scale is not of the shape"):
        quantized.lay_out(layer._replace(input=layer.input._replace(scale=np.zeros(14, np.float32))))
    with pytest.raises(ValueError, match="no kernels for 'sse'"):
        quantized.lay_out(layer, "sse")

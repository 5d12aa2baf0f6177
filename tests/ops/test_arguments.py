"""The numbers that the kernels take have one order, and calls that go by other ones are refused."""

import pytest
import torch

from sluicegate import _core
from sluicegate.ops.arguments import AT, BACKWARD, FORWARD, WEIGHT_GRADIENTS, WEIGHTS, Grid, Sequences, Shape
from sluicegate.ops.packing import lay_out


def test_every_number_of_a_direction_has_a_place_of_its_own():
    places = vars(AT)
    assert sorted(places.values()) == list(range(len(BACKWARD)))
    assert len(FORWARD) < len(BACKWARD)
    assert not any(FORWARD + BACKWARD)


def test_the_weights_and_their_gradients_have_the_places_of_their_names():
    names = _core.arguments()["weights"]
    assert [vars(AT)[name] for name in names] == list(range(WEIGHTS.start, WEIGHTS.stop))
    gradients = [vars(AT)[f"{name}_gradient"] for name in names]
    assert gradients == list(range(WEIGHT_GRADIENTS.start, WEIGHT_GRADIENTS.stop))


def test_a_call_by_the_names_computes_and_one_of_another_length_is_refused():
    layer, x = torch.nn.GRU(3, 5), torch.randn(4, 2, 3)
    shape, output = Shape(0, 0, 3, 5), torch.empty(4, 2, 5)
    panels = lay_out(shape, [w.detach() for w in layer.parameters()])
    direction = FORWARD.copy()
    direction[AT.panels], direction[AT.output] = panels.data_ptr(), output.data_ptr()
    direction[AT.output_step], direction[AT.output_row] = 10, 5
    call = (shape, Sequences(4, 2), Grid(x.data_ptr(), 6, 3))
    _core.forward(*call, [direction], 0, 1)
    torch.testing.assert_close(output, layer(x)[0], atol=1e-6, rtol=1e-5)
    with pytest.raises(ValueError, match=f"a direction is {len(FORWARD)} numbers, or {len(BACKWARD)}"):
        _core.forward(*call, [direction[1:]], 0, 1)

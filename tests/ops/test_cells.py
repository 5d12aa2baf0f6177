"""What the kernels say of the cells is what the equations, the types and the layers make of them."""

from typing import get_args

import pytest
import torch

from sluicegate.nn.layers import LAYERS
from sluicegate.ops import reference
from sluicegate.ops.cells import BY_OUTPUT, CELLS, GATES
from sluicegate.types import Cell


def test_the_kernels_have_the_cells_of_the_equations_and_of_the_layers():
    assert set(CELLS) == set(reference.EQUATIONS)
    assert set(CELLS) == {*get_args(Cell), "gru_reset_before"}
    assert set(LAYERS) == set(get_args(Cell))


@pytest.mark.parametrize("name", get_args(Cell))
def test_a_layer_has_the_weights_that_the_kernels_expect(name):
    layer, traits = LAYERS[name](3, 5), CELLS[name]
    weights = dict(layer.named_parameters())
    assert weights["weight_ih_l0"].shape == (len(traits.gates) * 5, 3)
    assert ("weight_hh_l0" in weights) == ("bias_hh_l0" in weights) == traits.recurrent
    _, state = layer(torch.zeros(2, 1, 3))
    assert (2 if isinstance(state, tuple) else 1) == len(traits.state)


def test_what_is_kept_ends_with_the_state_that_the_backward_pass_reads():
    assert {name: traits.saved[-1:] for name, traits in CELLS.items() if name not in BY_OUTPUT} == {
        name: "h" for name in CELLS if name not in BY_OUTPUT
    }
    assert {"lstm", "mingru"} == BY_OUTPUT
    assert all(set(traits.gates) <= set(traits.saved) for traits in CELLS.values() if len(traits.saved) > 1)


def test_gates_are_counted_by_their_letters():
    assert GATES == {"gru": 3, "gru_reset_before": 3, "lstm": 4, "rnn": 1, "mingru": 2, "ligru": 2}

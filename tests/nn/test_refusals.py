"""What PyTorch refuses is refused in its words, and what would lead out of an array never gets to the kernels."""

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

import sluicegate
from sluicegate.errors import ConfigError
from sluicegate.nn import GRU, LSTM, GRUCell, LSTMCell, MinGRU, MinGRUCell

LAYERS, CELLS = [torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN], [torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell]

pytestmark = pytest.mark.usefixtures("unchecked")


def pair(kind, *sizes, **options):
    torch.manual_seed(0)
    theirs, ours = kind(*sizes, **options), kind(*sizes, **options)
    ours.load_state_dict(theirs.state_dict())
    return theirs, sluicegate.accelerate(ours)


def outcome(module, *inputs):
    try:
        with torch.no_grad():
            return module(*inputs)
    except Exception as error:
        return type(error), str(error)


def leaves(value):
    if value is None or isinstance(value, torch.Tensor | type | str):
        return [value]
    return [leaf for part in value for leaf in leaves(part)]


def alike(theirs, ours, *inputs):
    expected, found = (leaves(outcome(module, *inputs)) for module in (theirs, ours))
    assert len(found) == len(expected)
    for mine, yours in zip(found, expected, strict=True):
        if isinstance(yours, torch.Tensor):
            torch.testing.assert_close(mine, yours, rtol=0, atol=1e-5)
        else:
            assert mine == yours
    return expected


def packed(rows, sizes, **more):
    sizes = sizes if isinstance(sizes, torch.Tensor) else torch.tensor(sizes)
    return PackedSequence(torch.randn(rows, 3), sizes, **more)


PACKINGS = {
    "rising": (6, [2, 4]),
    "rising at the end": (6, [3, 1, 2]),
    "too few rows": (8, [5, 4, 3]),
    "far too few rows": (8, [500, 400, 300]),
    "too many rows": (8, [2, 1]),
    "a step of none": (3, [2, 1, 0]),
    "negative": (3, [3, 2, -2]),
    "none first": (3, [0, 3]),
    "int32": (3, torch.tensor([2, 1], dtype=torch.int32)),
    "floats": (3, torch.tensor([2.0, 1.0])),
    "two axes": (3, torch.tensor([[2, 1]])),
    "no steps": (0, torch.tensor([], dtype=torch.int64)),
    "a sum beyond 64 bits": (1, [2**62 + 1, 2**62, 2**62, 2**62]),
    "very many steps": (3, torch.ones(1, dtype=torch.int64).expand(2**31)),
}


@pytest.mark.parametrize("how", PACKINGS)
@pytest.mark.parametrize("kind", LAYERS)
def test_batch_sizes_that_do_not_fit_the_data(kind, how):
    theirs, ours = pair(kind, 3, 5, bidirectional=how in ("rising", "too many rows"))
    alike(theirs, ours, packed(*PACKINGS[how]))


@pytest.mark.parametrize("indices", [[5, 0], [0], [0, 1, 1], [1, 1], [-1, 0]], ids=str)
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "state"])
@pytest.mark.parametrize("kind", [torch.nn.GRU, torch.nn.RNN])  # PyTorch's LSTM does not look at packed states
def test_indices_that_are_no_order_of_the_rows(kind, given, indices):
    theirs, ours = pair(kind, 3, 5)
    order = torch.tensor(indices)
    x = packed(3, [2, 1], sorted_indices=order, unsorted_indices=order)
    alike(theirs, ours, x, *([torch.randn(1, 2, 5)] if given else []))


@pytest.mark.parametrize("layer", [GRU(3, 5, reset="before"), MinGRU(3, 5)], ids=["before", "mingru"])
def test_a_packing_that_pytorch_cannot_be_asked_about(layer):
    for how in ("rising", "too few rows", "too many rows"):
        with pytest.raises(ConfigError, match="whose `batch_sizes` rise, or are not of all its rows"):
            layer(packed(*PACKINGS[how]))


H = torch.ones(2, 5)
STATES = {
    "h": H,
    "pair": (H, H),
    "list": [H, H],
    "one": (H,),
    "three": (H, H, H),
    "stacked": torch.ones(2, 2, 5),
    "none": (),
    "None within": (H, None),
    "number": 0.0,
    "doubles": H.double(),
    "doubles in a pair": (H.double(), H.double()),
    "a row": H[0],
    "a row too few": H[:1],
    "elsewhere": H.to("meta"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_takes_the_states_that_pytorchs_takes(kind, state):
    theirs, ours = pair(kind, 3, 5)
    alike(theirs, ours, torch.randn(2, 3), STATES[state])
    if isinstance(STATES[state], torch.Tensor) and STATES[state].dim() == 2:
        alike(theirs, ours, torch.randn(3), STATES[state][0])


@pytest.mark.parametrize("state", ["h", "pair", "three", "number"])
@pytest.mark.parametrize("kind", [GRUCell, LSTMCell, MinGRUCell])
def test_a_cell_that_pytorch_does_not_have_says_what_state_it_takes(kind, state):
    cell = kind(3, 5) if kind is MinGRUCell else kind(3, 5, layer_norm=True)
    if state == ("pair" if kind is LSTMCell else "h"):
        cell(torch.randn(2, 3), STATES[state])
    else:
        with pytest.raises(ConfigError, match=r"`hx` \(a .*\) must be (a pair of tensors|one tensor)"):
            cell(torch.randn(2, 3), STATES[state])


@pytest.mark.parametrize("kind", [torch.nn.GRUCell, torch.nn.LSTMCell])
def test_a_state_of_one_unit_beyond_which_pytorchs_cell_reads(kind):
    cell, h = sluicegate.accelerate(kind(3, 1)), torch.ones(1, 1)
    with pytest.raises(RuntimeError, match="`hx` has 2 axes, and `input` 1"):
        cell(torch.ones(3), (h, h) if kind is torch.nn.LSTMCell else h)


WIDE = torch.ones(1, 2, 5)


@pytest.mark.parametrize("state", [WIDE, (WIDE, WIDE), (WIDE,), (WIDE,) * 3, WIDE.double(), WIDE[0], 0.0], ids=range(7))
@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_takes_the_states_that_pytorchs_takes(kind, state):
    alike(*pair(kind, 3, 5), torch.randn(4, 2, 3), state)


def test_the_operator_leaves_no_gradient_unwritten():
    layer, x = GRU(3, 4), torch.ones(5, 2, 3)
    weights, options = [w.detach() for w in layer.parameters()], ("gru", "tanh", True, False, 0, "fp32")
    state = torch.zeros(1, 2, 4)
    output, h, _, saved = torch.ops.sluicegate.layer(x, state, state, weights, None, None, None, *options, True)
    back = (output, h, None, x, state, state, weights, output, saved, None, None, None, *options, [True] * 7)
    assert torch.ops.sluicegate.layer_backward(*back)[2].numel() == 0


@pytest.mark.parametrize("state", [(WIDE, WIDE, WIDE), torch.stack([WIDE, WIDE])], ids=["three", "stacked"])
def test_a_state_that_pytorch_takes_is_not_computed_without_the_options(state):
    layer, x = LSTM(3, 5, activation="relu"), torch.randn(4, 2, 3)
    with pytest.raises(ConfigError, match=r"`hx` \(a .*\) must be a pair of tensors"):
        layer(x, state)
    cell = LSTMCell(3, 5, activation="relu")
    with pytest.raises(ConfigError, match=r"`hx` \(a .*\) must be a pair of tensors"):
        cell(x[0], state if isinstance(state, torch.Tensor) else (H, H, H))
    with pytest.raises(ConfigError, match="`hx` has shape"):
        GRUCell(3, 5, reset="before")(x[0], H[:1])


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh"])
def test_weights_that_pytorch_would_cut_into_too_few_gates(name):
    """It then reads gates that are not there."""
    for kind, suffix, x in ((torch.nn.GRU, "_l0", torch.randn(4, 2, 3)), (torch.nn.GRUCell, "", torch.randn(2, 3))):
        module = sluicegate.accelerate(kind(3, 5))
        delattr(module, name + suffix)
        setattr(module, name + suffix, torch.ones(2, *getattr(kind(3, 5), name + suffix).shape[1:]))
        with pytest.raises(RuntimeError, match=r"the fused kernels take|make them anew"):
            module(x)


def test_an_lstms_state_of_too_few_layers_beside_a_wrong_packing():
    layer, h = sluicegate.accelerate(torch.nn.LSTM(3, 5, 2)), torch.ones(2, 4, 5)
    with pytest.raises(RuntimeError, match=r"`hx` must be \(h, c\) of the sizes \(2, batch, 5\)"):
        layer(packed(6, [2, 4]), (h, h[:1]))

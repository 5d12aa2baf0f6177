"""The cells are `torch.nn`'s, and a layer is a loop of them."""

import pytest
import torch

from sluicegate.errors import ConfigError
from sluicegate.nn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

CELLS = [GRUCell, LSTMCell, RNNCell]
LAYER_OF = {GRUCell: GRU, LSTMCell: LSTM, RNNCell: RNN}


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def state_for(cell, *shape):
    h, c = torch.randn(*shape, dtype=torch.float64), torch.randn(*shape, dtype=torch.float64)
    return (h, c) if isinstance(cell, LSTMCell) else h


def run(cell, forward, x, state):
    leaves = [x.requires_grad_(), *(s.requires_grad_() for s in parts(state)), *cell.parameters()]
    results = parts(forward(x, state))
    loss = sum((i + 1) * (r * torch.arange(r.numel()).view(r.shape)).sum() for i, r in enumerate(results))
    return *results, *torch.autograd.grad(loss, leaves)


@pytest.mark.parametrize("batch", [(), (2,)], ids=["single", "batch"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
@pytest.mark.parametrize(
    ("kind", "options"), [*((kind, {}) for kind in CELLS), (RNNCell, {"nonlinearity": "relu"})], ids=str
)
def test_is_torchs_cell(kind, options, bias, batch):
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind.__name__)(3, 5, bias, dtype=torch.float64, **options)
    ours = kind(3, 5, bias, dtype=torch.float64, **options)
    assert isinstance(ours, type(theirs))
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    x, state = torch.randn(*batch, 3, dtype=torch.float64), state_for(ours, *batch, 5)
    expected = run(theirs, theirs, x, state)
    for mine, yours in zip(run(ours, ours, x, state), expected, strict=True):
        assert torch.equal(mine, yours)
    for mine, yours in zip(run(ours, ours.by_reference, x, state), expected, strict=True):
        torch.testing.assert_close(mine, yours, rtol=1e-12, atol=1e-12)
    for mine, yours in zip(parts(ours.by_reference(x)), parts(theirs(x)), strict=True):
        torch.testing.assert_close(mine, yours, rtol=1e-12, atol=1e-12)


def test_takes_torchs_arguments_in_torchs_order():
    assert RNNCell(3, 5, False, "relu").nonlinearity == "relu"
    assert list(RNNCell(3, 5, False, "relu").state_dict()) == ["weight_ih", "weight_hh"]
    assert GRUCell(3, 5, True, "cpu", torch.float64).weight_ih.dtype == torch.float64


OPTIONS = [
    (GRUCell, {"reset": "before"}),
    (GRUCell, {"reset": "before", "layer_norm": True, "activation": "relu"}),
    (GRUCell, {"layer_norm": True, "precision": "bf16"}),
    (LSTMCell, {"activation": "relu"}),
    (LSTMCell, {"layer_norm": True}),
    (RNNCell, {"layer_norm": True}),
    *((kind, {"recurrent_dropout": 0.5}) for kind in CELLS),
    *((kind, {"precision": "bf16", "recurrent_dropout": 0.5}) for kind in CELLS),
]


@pytest.mark.parametrize(("kind", "options"), OPTIONS, ids=str)
def test_a_layer_is_a_loop_of_cells_with_one_mask(kind, options):
    torch.manual_seed(0)
    cell = kind(3, 5, dtype=torch.float64, **options)
    layer = LAYER_OF[kind](3, 5, dtype=torch.float64, **options)
    for parameter in cell.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    x, state = torch.randn(6, 2, 3, dtype=torch.float64), state_for(cell, 2, 5)

    torch.manual_seed(1)
    hx = tuple(s.unsqueeze(0) for s in parts(state))
    outputs, final = layer(x, hx if isinstance(state, tuple) else hx[0])
    torch.manual_seed(1)
    mask = cell.recurrent_mask(parts(state)[0])
    assert (mask is None) == ("recurrent_dropout" not in options)
    for t in range(6):
        state = cell(x[t], state, mask=mask)
        torch.testing.assert_close(outputs[t], parts(state)[0], rtol=1e-12, atol=1e-12)
    for whole, last in zip(parts(final), parts(state), strict=True):
        torch.testing.assert_close(whole[0], last, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", CELLS)
def test_recurrent_dropout_needs_the_mask_of_its_sequence(kind):
    cell = kind(3, 5, recurrent_dropout=0.5)
    with pytest.raises(ConfigError, match=r"`mask` is missing.*recurrent_dropout=0.5.*recurrent_mask"):
        cell(torch.zeros(2, 3))
    cell.eval()
    assert cell.recurrent_mask(torch.zeros(2, 5)) is None
    theirs = getattr(torch.nn, kind.__name__)(3, 5)
    theirs.load_state_dict(cell.state_dict())
    x = torch.randn(2, 3)
    torch.testing.assert_close(parts(cell(x))[0], parts(theirs(x))[0], rtol=0, atol=2e-6)
    # A mask that is passed all the same counts.
    state = state_for(cell, 2, 5)
    state = tuple(s.float() for s in state) if isinstance(state, tuple) else state.float()
    closed = cell(x, state, mask=torch.zeros(2, 5))
    assert not torch.equal(parts(closed)[0], parts(cell(x, state))[0])


@pytest.mark.parametrize("kind", CELLS)
def test_refuses_shapes_that_do_not_fit(unchecked, kind):
    cell = kind(3, 5, layer_norm=True)
    h = torch.zeros(3, 5)
    with pytest.raises(ConfigError, match=r"`hx` has shape \(3, 5\), but this cell needs \(2, 5\)"):
        cell(torch.zeros(2, 3), (h, h) if kind is LSTMCell else h)
    with pytest.raises(ConfigError, match=r"`input` has shape \(2, 4\), but this cell needs \(2, 3\)"):
        cell(torch.zeros(2, 4))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64], ids=str)
@pytest.mark.parametrize("kind", CELLS)
def test_reads_no_state_as_what_it_is_not(unchecked, kind, dtype):
    h = torch.zeros(2, 5, dtype=dtype)
    with pytest.raises((RuntimeError, ValueError)):
        kind(3, 5)(torch.zeros(2, 3), (h, torch.zeros(2, 5)) if kind is LSTMCell else h)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64], ids=str)
def test_takes_a_memory_of_another_type_as_torch_does(unchecked, dtype):
    cell, x = LSTMCell(3, 5), torch.randn(2, 3)
    theirs = torch.nn.LSTMCell(3, 5)
    theirs.load_state_dict(cell.state_dict())
    state = torch.randn(2, 5), 3 * torch.ones(2, 5, dtype=dtype)
    for mine, yours in zip(cell(x, state), theirs(x, state), strict=True):
        torch.testing.assert_close(mine, yours)


@pytest.mark.parametrize("batch", [(), (2,), (0,)], ids=["single", "batch", "empty"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
@pytest.mark.parametrize(
    ("kind", "options"), [*((kind, {}) for kind in CELLS), (RNNCell, {"nonlinearity": "relu"})], ids=str
)
def test_is_torchs_cell_in_single_precision(kind, options, bias, batch):
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind.__name__)(3, 5, bias, **options)
    ours = kind(3, 5, bias, **options)
    ours.load_state_dict(theirs.state_dict())
    x, state = torch.randn(*batch, 3), state_for(ours, *batch, 5)
    state = tuple(s.float() for s in state) if isinstance(state, tuple) else state.float()
    found, expected = run(ours, ours, x, state), run(theirs, theirs, x, state)
    results = len(parts(state))
    for mine, yours in zip(found[:results], expected[:results], strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=2e-6 * max(1.0, *yours.abs().flatten().tolist(), 0.0))
    for mine, yours in zip(found[results:], expected[results:], strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=1e-5 * max(0.0, *yours.abs().flatten().tolist(), 0.0))
    for mine, yours in zip(parts(ours(x)), parts(theirs(x)), strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=2e-6)

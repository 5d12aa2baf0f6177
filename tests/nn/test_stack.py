"""Lengths, states and dropout, for every kind of layer and every option."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import sluicegate
from sluicegate import nn
from sluicegate.errors import ConfigError
from sluicegate.nn import GRU, LSTM, RNN

INPUT, HIDDEN, TIME, BATCH = 3, 4, 6, 4
LENGTHS = [3, 6, 1, 4]

LAYERS = [
    (GRU, {}),
    (GRU, {"reset": "before"}),
    (GRU, {"layer_norm": True}),
    (LSTM, {}),
    (LSTM, {"activation": "relu"}),
    (LSTM, {"layer_norm": True, "proj_size": 2}),
    (RNN, {}),
    (RNN, {"layer_norm": True, "nonlinearity": "relu"}),
]
every_layer = pytest.mark.parametrize(("kind", "options"), LAYERS)
both_orders = pytest.mark.parametrize("batch_first", [False, True], ids=["time_first", "batch_first"])


def make(kind, *, batch_first=False, two=True, **options):
    torch.manual_seed(0)
    options = {"num_layers": 2, "bidirectional": two, "dtype": torch.float64} | options
    layer = kind(INPUT, HIDDEN, batch_first=batch_first, **options)
    x = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    return layer, x if batch_first else x.transpose(0, 1)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def like(state, parts):
    return tuple(parts) if isinstance(state, tuple) else parts[0]


def same(one, other):
    for a, b in zip(parts(one), parts(other), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


@both_orders
@every_layer
def test_lengths_mean_what_packing_means(kind, options, batch_first):
    layer, x = make(kind, batch_first=batch_first, **options)
    state = like(layer(x)[1], [torch.randn_like(s) for s in parts(layer(x)[1])])
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first, enforce_sorted=False)
    expected, expected_state = layer(packed, state)
    expected, _ = pad_packed_sequence(expected, batch_first, total_length=TIME)

    padding = torch.arange(TIME) >= torch.tensor(LENGTHS).unsqueeze(1)
    padding = (padding if batch_first else padding.T).unsqueeze(-1)
    for lengths in (LENGTHS, torch.tensor(LENGTHS, dtype=torch.int32)):
        outputs, final = layer(x, state, lengths=lengths)
        same(outputs, expected)
        same(final, expected_state)
        assert (outputs.masked_select(padding) == 0).all()

    # What stands in the padding does not matter, in the gradients neither.
    gradient = torch.autograd.grad(outputs.sum(), list(layer.parameters()))
    outputs, final = layer(x.masked_fill(padding, float("nan")), state, lengths=LENGTHS)
    same(outputs, expected)
    same(tuple(torch.autograd.grad(outputs.sum(), list(layer.parameters()))), gradient)


@every_layer
def test_each_row_of_a_padded_batch_is_as_if_alone(kind, options):
    layer, x = make(kind, **options)
    outputs, final = layer(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone, last = layer(x[:length, row])
        same(outputs[:length, row], alone)
        same(like(final, [s[:, row] for s in parts(final)]), last)


def test_lengths_shorter_than_the_padding_keep_the_time_axis():
    layer, x = make(GRU)
    outputs, _ = layer(x, lengths=[2, 1, 2, 2])
    assert outputs.shape[0] == TIME
    assert (outputs[2:] == 0).all()
    assert (outputs[0] != 0).all()


@every_layer
def test_the_state_carries_over_between_chunks(kind, options):
    layer, x = make(kind, two=False, **options)
    whole, final = layer(x)
    for cut in (1, 4):
        first, state = layer(x[:cut])
        second, state = layer(x[cut:], state)
        same(torch.cat([first, second]), whole)
        same(state, final)


@both_orders
@every_layer
def test_no_state_is_a_state_of_zeros(kind, options, batch_first):
    layer, x = make(kind, batch_first=batch_first, **options)
    outputs, final = layer(x)
    again, final_again = layer(x, like(final, [torch.zeros_like(s) for s in parts(final)]))
    assert torch.equal(outputs, again)
    same(final, final_again)
    other, _ = layer(x, like(final, [torch.ones_like(s) for s in parts(final)]))
    assert (other - outputs).abs().max() > 1e-3


@every_layer
def test_nothing_is_remembered_between_calls(kind, options):
    layer, x = make(kind, **options)
    before = set(vars(layer))
    first, _ = layer(x)
    layer(torch.randn_like(x))
    assert torch.equal(layer(x)[0], first)
    assert set(vars(layer)) == before


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_dropout_is_where_torch_has_it(kind, training):
    # At a rate of 1 nothing of a layer reaches the next, which compares without drawing the same numbers.
    layer, x = make(kind, num_layers=3, dropout=1.0)
    theirs = getattr(torch.nn, kind.__name__)(INPUT, HIDDEN, 3, bidirectional=True, dropout=1.0, dtype=torch.float64)
    theirs.load_state_dict(layer.state_dict())
    expected, final = theirs.train(training)(x)
    outputs, state = layer.train(training).by_reference(x)
    same(outputs, expected)
    same(state, final)


@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
@both_orders
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_dropout_draws_the_same_numbers_as_torch(kind, batch_first, packed):
    layer, x = make(kind, batch_first=batch_first, num_layers=3, dropout=0.5, dtype=torch.float32)
    options = {"num_layers": 3, "batch_first": batch_first, "dropout": 0.5, "bidirectional": True}
    theirs = getattr(torch.nn, kind.__name__)(INPUT, HIDDEN, **options)
    theirs.load_state_dict(layer.state_dict())
    x = x.float()
    if packed:
        x = pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first, enforce_sorted=False)
    found = []
    for module in (layer, theirs):
        torch.manual_seed(5)
        outputs, state = module(x)
        found.append(((outputs.data if packed else outputs), *parts(state), torch.rand(3)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-6)


def test_dropout_scales_what_it_keeps():
    layer = RNN(50, 50, 2, "relu", bias=False, dropout=0.2, layer_norm=False)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(torch.eye(50) if name.startswith("weight_ih") else torch.zeros(50, 50))
    torch.manual_seed(0)
    x = torch.rand(20, 10, 50) + 0.5
    ratio = layer.by_reference(x)[0] / x  # the first layer is the identity, the second what dropout left
    dropped = ratio == 0
    torch.testing.assert_close(ratio, (~dropped) / 0.8)
    assert 0.18 < dropped.float().mean() < 0.22


@every_layer
def test_recurrent_dropout_gives_each_layer_and_direction_a_mask(kind, options):
    layer, x = make(kind, recurrent_dropout=0.5, **options)
    drawn = []
    draw = layer.recurrent_mask

    def spy(h):
        drawn.append(draw(h))
        return drawn[-1]

    layer.recurrent_mask = spy
    outputs, _ = layer(x)
    assert len(drawn) == 4
    assert all(m.shape == (BATCH, layer.proj_size or HIDDEN) for m in drawn)
    assert all(set(m.unique().tolist()) <= {0.0, 2.0} for m in drawn)
    assert len({tuple(m.flatten().tolist()) for m in drawn}) == 4
    plain, _ = make(kind, **options)
    whole, _ = plain(x)
    assert (outputs - whole).abs().max() > 1e-3
    same(layer.eval()(x)[0], whole)


PACKED = pack_padded_sequence(torch.zeros(TIME, BATCH, INPUT), torch.tensor([6, 5, 4, 1]))
BATCHED, SINGLE = torch.zeros(TIME, BATCH, INPUT), torch.zeros(TIME, INPUT)


@pytest.mark.parametrize(
    ("x", "lengths", "message"),
    [
        (PACKED, [6, 5, 4, 1], "`lengths` cannot go with a PackedSequence, which has its own"),
        (SINGLE, [6], r"`lengths` needs a batch of rows, an `input` of 3 axes, but that has 2"),
        (BATCHED, [6, 5, 4], r"`lengths` must be 4 whole numbers, .* is torch.int64 of shape \(3,\): .*`batch_first`"),
        (BATCHED, torch.ones(4, 1).long(), r"`lengths` must be 4 whole numbers, .* of shape \(4, 1\)"),
        (BATCHED, [6.0, 5.0, 4.0, 1.0], r"`lengths` must be 4 whole numbers, .* is torch.float32"),
        (BATCHED, torch.ones(4, dtype=torch.bool), r"`lengths` must be 4 whole numbers, .* is torch.bool"),
        (BATCHED, [6, 7, 4, 1], r"`lengths\[1\]` \(=7\) must be from 0 to 6, the time axis of `input`"),
        (BATCHED, [6, 5, 4, -1], r"`lengths\[3\]` \(=-1\) must be from 0 to 6"),
    ],
    ids=["packed", "single", "few", "axes", "float", "bool", "long", "negative"],
)
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_refuses_lengths_that_do_not_fit(unchecked, kind, x, lengths, message):
    with pytest.raises(ConfigError, match=message):
        kind(INPUT, HIDDEN)(x, lengths=lengths)


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}], ids=["torch", "reference"])
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_refuses_what_torch_refuses(unchecked, kind, options):
    layer = kind(INPUT, HIDDEN, **options)
    wide = torch.zeros(1, BATCH + 1, HIDDEN)
    state = (wide, wide) if kind is LSTM else wide
    with pytest.raises(RuntimeError, match="Expected hidden"):
        layer(BATCHED, state)
    with pytest.raises(RuntimeError, match="Expected hidden"):
        layer(BATCHED, state, lengths=[1, 2, 3, 4])
    with pytest.raises(RuntimeError, match="must be equal to input_size"):
        layer(torch.zeros(TIME, BATCH, INPUT + 1))
    with pytest.raises(ValueError, match="does not match weight dtype"):
        layer(BATCHED.double())


def spoilt(kind, what):
    """Make a layer, an input and a state, of which one thing is wrong."""
    layer = kind(INPUT, HIDDEN)
    state = [torch.zeros(1, BATCH, HIDDEN) for _ in range(2)]
    if isinstance(what, torch.dtype):
        state[-1 if kind is LSTM else 0] = torch.zeros(1, BATCH, HIDDEN, dtype=what)
    elif what == "device":
        state = [s.to("meta") for s in state]
    elif what == "bias of another type":
        layer.bias_ih_l0.data = layer.bias_ih_l0.data.double()
    elif what == "weights of fewer units":
        layer.weight_hh_l0 = torch.nn.Parameter(layer.weight_hh_l0[:, 1:].detach())
    elif what == "weights of fewer gates":
        layer.weight_ih_l0 = torch.nn.Parameter(layer.weight_ih_l0[1:].detach())
    return layer, BATCHED, tuple(state) if kind is LSTM else state[0]


SPOILT = [
    *(torch.float64, torch.bfloat16, torch.float16, torch.int64),
    *("device", "bias of another type", "weights of fewer units", "weights of fewer gates"),
]


@pytest.mark.parametrize("what", SPOILT, ids=str)
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_reads_no_tensor_as_what_it_is_not(unchecked, kind, what):
    """The kernels get bare addresses: a tensor of another type or size must not come so far."""
    ours, x, state = spoilt(kind, what)
    for arguments in ({}, {"lengths": [6, 3, 2, 1]}):
        with pytest.raises((RuntimeError, ValueError)):
            ours(x, state, **arguments)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_a_sequence_without_steps_leaves_the_state(kind, batch_first):
    layer, x = make(kind, batch_first=batch_first)
    state = like(layer(x)[1], [torch.randn_like(s) for s in parts(layer(x)[1])])
    for forward in (layer, layer.by_reference):
        outputs, final = forward(x[:, :0] if batch_first else x[:0], state)
        assert outputs.shape[1 if batch_first else 0] == 0
        for one, other in zip(parts(final), parts(state), strict=True):
            assert torch.equal(one, other)


@both_orders
@pytest.mark.parametrize("kind", [GRU, LSTM, RNN])
def test_a_row_of_no_length_keeps_its_state(kind, batch_first):
    for dtype in (torch.float32, torch.float64):
        layer, x = make(kind, batch_first=batch_first, dtype=dtype)
        x = x.to(dtype)
        state = like(layer(x)[1], [torch.randn_like(s) for s in parts(layer(x)[1])])
        outputs, final = layer(x, state, lengths=[2, 0, 6, 0])
        rows = outputs if batch_first else outputs.transpose(0, 1)
        assert (rows[[1, 3]] == 0).all()
        for one, other in zip(parts(final), parts(state), strict=True):
            assert torch.equal(one[:, [1, 3]], other[:, [1, 3]])


@pytest.mark.parametrize("name", ["LSTM", "LSTMCell"])
def test_an_lstms_state_may_come_in_a_list(unchecked, name):
    theirs, layer = (getattr(module, name)(3, 5) for module in (torch.nn, nn))
    layer.load_state_dict(theirs.state_dict())
    x, shape = (torch.randn(4, 2, 3), (1, 2, 5)) if name == "LSTM" else (torch.randn(2, 3), (2, 5))
    h, c = torch.randn(shape), torch.randn(shape)
    expected = layer(x, (h, c))
    torch.testing.assert_close(layer(x, [h, c]), expected, rtol=0, atol=0)
    torch.testing.assert_close(layer.by_reference(x, [h, c]), expected, rtol=0, atol=2e-6)
    with sluicegate.accelerated() as summary:
        torch.testing.assert_close(theirs(x, [h, c]), expected, rtol=0, atol=0)
    assert len(summary.swapped) == 1


def test_an_empty_batch_has_an_empty_list_of_lengths(unchecked):
    outputs, h = nn.GRU(3, 5)(torch.randn(4, 0, 3), lengths=[])
    assert outputs.shape == (4, 0, 5)
    assert h.shape == (1, 0, 5)


@pytest.mark.parametrize("kind", ["GRU", "LSTM", "RNN"])
def test_a_cell_without_inputs_is_torchs(unchecked, kind):
    ours, theirs = (getattr(module, f"{kind}Cell")(0, 4) for module in (nn, torch.nn))
    theirs.load_state_dict(ours.state_dict())
    found, expected = (parts(cell(torch.randn(2, 0))) for cell in (ours, theirs))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_a_default_device_is_not_where_the_kernels_look(unchecked):
    layer, x = nn.GRU(3, 5), torch.randn(4, 2, 3)
    weights, lengths, found = list(layer.parameters()), torch.tensor([4, 4]), []
    for device in ("cpu", "meta"):
        packed = pack_padded_sequence(x, lengths)
        with torch.device(device):
            outputs = [layer(x)[0], layer(x, lengths=lengths)[0], layer(packed)[0].data.view(4, 2, 5)]
            outputs.append(layer._by_reference(x, None, lengths)[0])
            results = [
                torch.autograd.grad(o.sum(), weights, create_graph=graph) for o in outputs for graph in (True, False)
            ]
            with torch.no_grad():
                outputs.append(layer(x)[0])
        found.append([*outputs, *(g for gradients in results for g in gradients)])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_a_number_that_is_only_marked_as_negated_is_negated(unchecked):
    layer, x = nn.GRU(1, 1), torch.randn(4, 2, 1)
    marked = torch.complex(x, x).conj().imag
    assert marked.is_neg()
    assert torch.equal(layer(marked)[0], layer(-x)[0])
    weights = list(layer.parameters())
    expected = torch.autograd.grad((-layer(x)[0]).sum(), weights)
    z = layer(x)[0]
    found = torch.autograd.grad(torch.complex(torch.zeros_like(z), z).conj().imag.sum(), weights)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)

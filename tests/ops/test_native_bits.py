"""What the bits of a row do not depend on: its company, the cuts, the threads, the layout, what training keeps."""

import os

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sluicegate import nn

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.fixture(params=["fp32", "bf16"])
def precision(request):
    """What the operands of products are rounded to: nothing depends on it."""
    return request.param


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def like(state, values):
    values = tuple(values)
    return values if isinstance(state, tuple) else values[0]


def same(ones, others):
    for one, other in zip(ones, others, strict=True):
        assert torch.equal(one, other)


def leaf(value):
    return like(value, (v.detach().clone().requires_grad_() for v in parts(value)))


def derive(layer, x, state, weigh, lengths=None):
    """Give the results, and the gradients of a weighted sum of the outputs and final states in input and state."""
    x, state = leaf(x), leaf(state)
    outputs, final = layer(x, state, lengths=lengths)
    loss = (outputs * weigh).sum() + sum((s * s).sum() for s in parts(final))
    return (outputs, *parts(final)), torch.autograd.grad(loss, [x, *parts(state)])


UNITS = st.integers(1, 70) | st.sampled_from([8, 16, 32, 48, 64, 127, 128, 130])
INPUTS = st.integers(1, 20)
SEEDS = st.integers(0, 2**16)
few = settings(max_examples=15 if os.environ.get("SLUICEGATE_EXAMPLES") == "all" else 5)


def test_a_row_alone_is_the_row_in_any_batch(isa, build, state_for):
    @few
    @given(UNITS, INPUTS, st.integers(1, 9) | st.sampled_from([16, 33, 65]), st.integers(1, 7), st.booleans(), SEEDS)
    @example(50, 3, 130, 4, True, 0)
    def check(hidden, size, rows, steps, both, seed):
        layer = build(size, hidden, seed=seed, bidirectional=both)
        x, state = torch.randn(steps, rows, size), state_for(layer, rows)
        weigh = torch.randn(steps, rows, hidden * (1 + both))
        whole, gradients = derive(layer, x, state, weigh)
        row = int(torch.randint(rows, ()))
        one = slice(row, row + 1)
        alone, own = derive(layer, x[:, one], like(state, (s[:, one] for s in parts(state))), weigh[:, one])
        same(alone, [r[:, one] for r in whole])
        same(own, [g[:, one] for g in gradients])
        # Any other company, in any other order.
        others = torch.randperm(rows)[: int(torch.randint(1, rows + 1, ()))]
        some, _ = derive(layer, x[:, others], like(state, (s[:, others] for s in parts(state))), weigh[:, others])
        same(some, [r[:, others] for r in whole])
        with torch.no_grad():
            outputs, final = layer(x, state)
        same((outputs, *parts(final)), whole)

    check()


def test_a_sequence_in_chunks_is_the_whole(isa, build, state_for):
    @few
    @given(UNITS, INPUTS, st.integers(1, 6), st.lists(st.integers(0, 5), min_size=1, max_size=6), SEEDS)
    @example(50, 3, 1, [300, 1, 270], 0)
    @example(20, 3, 100, [3, 1, 2], 0)
    def check(hidden, size, rows, chunks, seed):
        layer = build(size, hidden, seed=seed)
        x, before = torch.randn(sum(chunks), rows, size), state_for(layer, rows)
        with torch.no_grad():
            whole, final = layer(x, before)
            outputs, state = [], before
            for chunk in x.split(chunks):
                output, state = layer(chunk, state)
                outputs.append(output)
        same([torch.cat(outputs), *parts(state)], [whole, *parts(final)])

    check()


def test_a_step_is_a_cell(isa, build, state_for):
    for hidden in (1, 20, 64, 129):
        layer = build(3, hidden)
        if isinstance(layer, nn.LiGRU):
            pytest.skip("a LiGRU has no cell: a single step has no batch to be normalised by")
        if isinstance(layer, nn.RNN):
            cell = nn.RNNCell(3, hidden, nonlinearity=layer.nonlinearity)
        elif isinstance(layer, nn.MinGRU):
            cell = nn.MinGRUCell(3, hidden)
        elif isinstance(layer, nn.LSTM):
            cell = nn.LSTMCell(3, hidden, activation=layer.activation)
        else:
            cell = nn.GRUCell(3, hidden, activation=layer.activation, reset=layer.reset)
        cell.precision = layer.precision
        cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
        x, before = torch.randn(5, 3, 3), state_for(layer, 3)
        outputs, final = layer(x, before)
        state = like(before, (s[0] for s in parts(before)))
        for t in range(5):
            state = cell(x[t], state)
            assert torch.equal(parts(state)[0], outputs[t])
        same(parts(state), [s[0] for s in parts(final)])


def test_padded_is_packed_is_alone(isa, build, state_for):
    @few
    @given(UNITS, INPUTS, st.lists(st.integers(1, 7), min_size=1, max_size=9), st.booleans(), st.booleans(), SEEDS)
    @example(50, 3, [1 + i % 5 for i in range(70)], True, False, 0)
    def check(hidden, size, lengths, both, first, seed):
        layer = build(size, hidden, seed=seed, bidirectional=both, batch_first=first)
        rows, steps = len(lengths), max(lengths)
        x, state = torch.randn(rows, steps, size), state_for(layer, rows)
        padding = torch.arange(steps) >= torch.tensor(lengths).unsqueeze(1)
        x[padding] = float("nan")  # nobody may read it
        weigh = torch.randn(rows, steps, hidden * (1 + both))
        if not first:
            x, padding, weigh = x.transpose(0, 1), padding.T, weigh.transpose(0, 1)
        found, gradients = derive(layer, x, state, weigh, lengths)
        assert (found[0][padding] == 0).all()
        assert (gradients[0][padding] == 0).all()

        own, before = leaf(x), leaf(state)
        packed = pack_padded_sequence(own, torch.tensor(lengths), first, enforce_sorted=False)
        outputs, final = layer(packed, before)
        outputs, _ = pad_packed_sequence(outputs, first)
        same((outputs, *parts(final)), found)
        loss = (outputs * weigh).sum() + sum((s * s).sum() for s in parts(final))
        same(torch.autograd.grad(loss, [own, *parts(before)]), gradients)

        row = int(torch.randint(rows, ()))
        length = lengths[row]
        one = (slice(row, row + 1), slice(length)) if first else (slice(length), slice(row, row + 1))
        of_row = like(state, (s[:, row : row + 1] for s in parts(state)))
        alone, own = derive(layer, x[one], of_row, weigh[one])
        same(alone, [found[0][one], *(s[:, row : row + 1] for s in found[1:])])
        same(own, [gradients[0][one], *(s[:, row : row + 1] for s in gradients[1:])])

    check()


def test_the_layout_of_the_tensors_does_not_matter(isa, build, state_for):
    @few
    @given(UNITS, st.integers(1, 6), st.integers(1, 9), st.integers(1, 6), st.booleans(), SEEDS)
    def check(hidden, size, rows, steps, both, seed):
        layer = build(size, hidden, seed=seed, bidirectional=both)
        x, state = torch.randn(steps, rows, size), state_for(layer, rows)
        weigh = torch.randn(steps, rows, hidden * (1 + both))
        expected, gradients = derive(layer, x, state, weigh)

        turned = build(size, hidden, seed=seed, bidirectional=both, batch_first=True)
        found, own = derive(turned, x.transpose(0, 1), state, weigh.transpose(0, 1))
        same((found[0].transpose(0, 1), *found[1:]), expected)
        same((own[0].transpose(0, 1), *own[1:]), gradients)

        wide = torch.full((rows, 2 * steps + 1, size + 3), float("nan"))
        views = [
            (wide, wide[:, 1::2, 2 : 2 + size].transpose(0, 1)),  # rows apart, and not aligned
            (torch.empty(2 * size + 1, steps, rows), None),
        ]
        views[1] = (views[1][0], views[1][0][1::2].permute(1, 2, 0))  # the numbers of a row apart
        states = like(state, (torch.stack([s, s + 1], -1)[..., 0] for s in parts(state)))
        for base, view in views:
            with torch.no_grad():
                view.copy_(x)
            base.requires_grad_()
            again = view.detach().requires_grad_()
            assert again.stride() == view.stride()
            outputs, final = layer(again, states)
            same((outputs, *parts(final)), expected)
            (own,) = torch.autograd.grad((outputs * weigh).sum() + sum((s * s).sum() for s in parts(final)), again)
            assert torch.equal(own, gradients[0])

        row = torch.randn(steps, 1, size)
        spread = row.expand(steps, rows, size)
        one, other = layer(spread)[0], layer(spread.contiguous())[0]
        assert torch.equal(one, other)
        # A gradient that comes spread out, as that of a sum, or with its axes turned.
        for shape in (lambda y: y.sum(), lambda y: (y.permute(2, 1, 0) * weigh.permute(2, 1, 0).contiguous()).sum()):
            own = leaf(x)
            (mine,) = torch.autograd.grad(shape(layer(own)[0]), own)
            factor = weigh if shape(weigh).item() != weigh.sum().item() else torch.ones_like(weigh)
            (right,) = torch.autograd.grad(layer(own)[0], own, factor.contiguous())
            assert torch.equal(mine, right)

    check()


def test_checkpoints_change_no_bit(isa, build, state_for):
    @few
    @given(UNITS, INPUTS, st.lists(st.integers(0, 9), min_size=1, max_size=7), st.integers(1, 11), st.booleans(), SEEDS)
    @example(20, 3, [1 + i % 9 for i in range(130)], 4, True, 0)
    def check(hidden, size, lengths, every, both, seed):
        found = []
        for kept in (None, every):
            layer = build(size, hidden, seed=seed, bidirectional=both, checkpoint_every=kept)
            x, state = torch.randn(9, len(lengths), size), state_for(layer, len(lengths))
            results, gradients = derive(layer, x, state, torch.randn(9, len(lengths), hidden * (1 + both)), lengths)
            found.append((*results, *gradients))
        same(*found)

    check()


def test_checkpoints_give_the_same_gradients_of_the_weights(isa, build):
    found = []
    for every in (None, 4):
        layer = build(3, 20, bidirectional=True, checkpoint_every=every)
        x = torch.randn(23, 5, 3)
        loss = layer(x, lengths=[23, 3, 17, 1, 20])[0].square().sum()
        found.append(torch.autograd.grad(loss, list(layer.parameters())))
    for one, other in zip(*found, strict=True):
        assert (one - other).abs().max() <= 2e-6 * other.abs().max()


# Units are shared at batch 1 from 128 units on, and for all of up to 64 rows where the weights are large.
THREADS = [
    *((units, 1, 5, 1) for units in (50, 127, 128, 129, 200, 257, 300)),
    (150, 3, 5, 1),
    (403, 1, 5, 1),
    (660, 64, 2, 1),
    (50, 9, 5, 1),
    (30, 130, 9, 1),
    (30, 9, 5, 2),
    (140, 1, 5, 2),
]


@pytest.mark.parametrize(("hidden", "rows", "steps", "directions"), THREADS)
def test_threads_change_no_bit(isa, build, state_for, hidden, rows, steps, directions):
    layer = build(5, hidden, bidirectional=directions == 2)
    x, state = torch.randn(steps, rows, 5), state_for(layer, rows)
    lengths = None if rows != 9 else [5, 0, 3, 1, 5, 4, 2, 5, 1]
    found = []
    for threads in (1, 2, 2, 3):
        torch.set_num_threads(threads)
        own, before = leaf(x), leaf(state)
        outputs, final = layer(own, before, lengths=lengths)
        loss = outputs.square().sum() + sum(s.sum() for s in parts(final))
        torch.set_num_threads(threads)
        found.append((outputs, *parts(final), *torch.autograd.grad(loss, [own, *parts(before), *layer.parameters()])))
    results = len(found[0]) - len(list(layer.parameters()))
    for other in found[1:]:
        same(found[0][:results], other[:results])
    same(found[1], found[2])  # with as many threads, those of the weights too
    for one, other in zip(found[0][results:], found[1][results:], strict=True):
        assert (one - other).abs().max() <= 1e-5 * one.abs().max()


@pytest.mark.parametrize("every", [None, 4])
@pytest.mark.parametrize(("forward", "backward"), [(1, 4), (4, 1)])
def test_the_way_back_may_have_other_threads(isa, build, every, forward, backward):
    layer = build(3, 20, bidirectional=True, checkpoint_every=every)
    x = torch.randn(23, 8, 3, requires_grad=True)
    found = []
    for there, back in ((1, 1), (forward, backward)):
        torch.set_num_threads(there)
        outputs, _ = layer(x, lengths=[23, 21, 20, 15, 9, 8, 3, 2])
        torch.set_num_threads(back)
        found.append((outputs, *torch.autograd.grad(outputs.square().sum(), [x, *layer.parameters()])))
    same(found[0][:2], found[1][:2])
    for one, other in zip(found[0][2:], found[1][2:], strict=True):
        assert (one - other).abs().max() <= 1e-5 * one.abs().max()


def test_a_run_is_like_the_last(isa, build):
    torch.set_num_threads(2)
    for hidden, rows in ((17, 5), (150, 1), (33, 140)):
        layer = build(7, hidden)
        x = torch.randn(6, rows, 7, requires_grad=True)
        found = []
        for _ in range(4):
            outputs, _ = layer(x)
            found.append((outputs, *torch.autograd.grad(outputs.square().sum(), [x, *layer.parameters()])))
        for again in found[1:]:
            same(found[0], again)

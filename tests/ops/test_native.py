"""The fused kernels against the equations in double precision."""

import copy

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from sluicegate import nn

# Units: inputs, rows, steps, and how the layer is called. Units and inputs below, at and above the vectors of every
# instruction set; up to four inputs, which have a way back of their own, and more; rows that fill no tile.
SHAPES = {
    1: (1, 1, 9, ""),
    2: (2, 3, 7, "batch_first"),
    3: (3, 5, 5, "packed"),
    15: (4, 4, 6, "lengths"),
    16: (5, 7, 5, "nobias"),
    17: (6, 3, 5, "both"),
    50: (1, 9, 5, "both packed"),
    63: (7, 2, 5, "both lengths"),
    64: (33, 8, 3, ""),
    65: (2, 13, 3, "both batch_first nobias"),
    100: (50, 6, 4, "batch_first lengths"),
    257: (3, 3, 3, ""),
}


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def copies(value, dtype=None):
    """Copy a tensor, or a pair of them, to be differentiated."""
    if isinstance(value, tuple):
        return tuple(copies(v, dtype) for v in value)
    return value.detach().to(dtype or value.dtype).clone().requires_grad_()


def by_packing(layer, forward, x, state, lengths):
    """Compute a padded batch as a packed one."""
    packed = pack_padded_sequence(x, torch.tensor(lengths), layer.batch_first, enforce_sorted=False)
    output, final = forward(packed, state)
    time = x.shape[1 if layer.batch_first else 0]
    return pad_packed_sequence(output, layer.batch_first, total_length=time)[0], final


def weighted(layer, forward, x, state, lengths=None, way="padded"):
    """Give the results of a call, and a weighted sum of them."""
    if lengths is None:
        outputs, final = forward(x, state)
    elif way == "packed":
        outputs, final = by_packing(layer, forward, x, state, lengths)
    else:
        outputs, final = forward(x, state, lengths=lengths)
    results = (outputs, *parts(final))
    generator = torch.Generator().manual_seed(1)
    return results, sum((r * torch.randn(r.shape, generator=generator).to(r.dtype)).sum() for r in results)


def derive(layer, forward, x, state, *call):
    """Give the results of a call, and the gradients of their weighted sum in everything that went in."""
    results, loss = weighted(layer, forward, x, state, *call)
    return results, torch.autograd.grad(loss, [x, *parts(state), *layer.parameters()])


def check(layer, x, state, lengths=None, way="padded"):
    """Hold the kernels to the equations in double precision: 2e-6 forward, 1e-5 of the largest gradient back."""
    double = copy.deepcopy(layer).double()
    results, found = derive(layer, layer, copies(x), copies(state), lengths, way)
    x, state = copies(x, torch.float64), copies(state, torch.float64)
    exact, right = derive(double, double.by_reference, x, state, lengths, "packed")
    for one, other in zip(results, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, rtol=0, atol=2e-6 * max(1.0, other.abs().max().item()))
    names = ["x", "h0", "c0"][: 1 + len(parts(state))] + [name for name, _ in layer.named_parameters()]
    for name, one, other in zip(names, found, right, strict=True):
        error, scale = (one - other).abs().max(), other.abs().max()
        assert scale > 0, name
        assert error <= 1e-5 * scale, name


@pytest.mark.parametrize("hidden", SHAPES)
def test_computes_the_equations(unchecked, isa, build, state_for, hidden):
    size, rows, steps, call = SHAPES[hidden]
    options = {"bidirectional": "both" in call, "batch_first": "batch_first" in call, "bias": "nobias" not in call}
    layer = build(size, hidden, seed=hidden, **options)
    x = torch.randn(rows, steps, size)
    lengths = None
    if "packed" in call or "lengths" in call:
        lengths = torch.randint(1, steps + 1, (rows,)).tolist()
        lengths[rows // 2] = steps
    x = x if layer.batch_first else x.transpose(0, 1).contiguous()
    check(layer, x, state_for(layer, rows), lengths, "packed" if "packed" in call else "padded")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_few_inputs(unchecked, isa, build, state_for, size):
    layer = build(size, 19, bidirectional=size % 2 == 0)
    check(layer, torch.randn(7, 3, size), state_for(layer, 3))


@pytest.mark.parametrize(
    ("rows", "steps", "call"), [(65, 9, ""), (130, 5, "lengths"), (70, 7, "both packed"), (1, 530, "")]
)
def test_more_rows_than_a_group_and_more_steps_than_a_chunk(unchecked, isa, build, state_for, rows, steps, call):
    layer = build(3, 18, bidirectional="both" in call)
    lengths = None if not call else torch.randint(1, steps + 1, (rows,)).tolist()
    x = torch.randn(steps, rows, 3)
    check(layer, x, state_for(layer, rows), lengths, "packed" if "packed" in call else "padded")


@pytest.mark.parametrize(("hidden", "rows"), [(130, 1), (300, 3), (410, 20)])
def test_two_threads(unchecked, isa, build, state_for, hidden, rows):
    torch.set_num_threads(2)
    layer = build(5, hidden)
    check(layer, torch.randn(2, rows, 5), state_for(layer, rows))


def test_deep_with_dropout(unchecked, isa, build, state_for):
    layer = build(3, 10, num_layers=3, bidirectional=True, dropout=1.0)
    x, state = torch.randn(4, 2, 3), state_for(layer, 2)
    results, _ = derive(layer, layer, copies(x), copies(state))
    expected, _ = derive(layer, layer.by_reference, copies(x), copies(state))
    for one, other in zip(results, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-6 * max(1.0, other.abs().max().item()))


@pytest.mark.parametrize("way", ["padded", "packed"])
def test_a_gradient_that_is_not_asked_for_changes_no_other(unchecked, build, state_for, way):
    layer = build(6, 20, bidirectional=True)
    x, state = copies(torch.randn(5, 3, 6)), copies(state_for(layer, 3))
    leaves = [x, *parts(state), *layer.parameters()]
    call = (layer, layer, x, state, [5, 2, 4], way)
    _, whole = derive(*call)
    for one in range(len(leaves)):
        for others in (False, True):
            for i, leaf in enumerate(leaves):
                leaf.requires_grad_((i == one) != others)
            wanted = [i for i, leaf in enumerate(leaves) if leaf.requires_grad]
            _, loss = weighted(*call)
            for i, gradient in zip(wanted, torch.autograd.grad(loss, [leaves[i] for i in wanted]), strict=True):
                assert torch.equal(gradient, whole[i])


@pytest.mark.parametrize("used", ["outputs", "h", "c", "a slice of the outputs"])
def test_gradients_of_some_results(unchecked, build, state_for, used):
    layer = build(2, 21, bidirectional=True)
    if used == "c" and not isinstance(layer, nn.LSTM):
        pytest.skip("only the LSTM has a memory apart")
    double = copy.deepcopy(layer).double()
    x, state = torch.randn(6, 4, 2), state_for(layer, 4)
    found = []
    for forward, dtype in ((layer, torch.float32), (double.by_reference, torch.float64)):
        inputs = copies(x, dtype), copies(state, dtype)
        outputs, final = forward(*inputs)
        result = {"outputs": outputs, "h": parts(final)[0], "c": parts(final)[-1]}.get(used, outputs[::2, 1:, ::3])
        weights = (double if dtype == torch.float64 else layer).parameters()
        found.append(torch.autograd.grad(result.square().sum(), [inputs[0], *parts(inputs[1]), *weights]))
    for one, other in zip(*found, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


def test_no_state_is_a_state_of_zeros(unchecked, isa, build, state_for):
    layer = build(3, 20, bidirectional=True)
    x = torch.randn(5, 3, 3)
    zeros = tuple(torch.zeros_like(s) for s in parts(state_for(layer, 3)))
    found = []
    for state in (None, zeros if isinstance(layer, nn.LSTM) else zeros[0]):
        leaf = copies(x)
        outputs, final = layer(leaf, state)
        found.append((outputs, *parts(final), *torch.autograd.grad(outputs.sum(), [leaf, *layer.parameters()])))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize("by_reference", [False, True], ids=["kernels", "reference"])
def test_no_steps_and_no_rows(isa, build, state_for, rows, by_reference):
    layer = build(3, 5, bidirectional=True)
    for steps in (0, 4):
        if rows and steps:
            continue
        x, state = copies(torch.randn(steps, rows, 3)), copies(state_for(layer, rows))
        outputs, final = (layer.by_reference if by_reference else layer)(x, state)
        assert outputs.shape == (steps, rows, 10)
        for one, other in zip(parts(final), parts(state), strict=True):
            assert torch.equal(one, other)
        loss = outputs.sum() + sum((s * s).sum() for s in parts(final))
        found = torch.autograd.grad(loss, [x, *parts(state), *layer.parameters()], allow_unused=True)
        for gradient, s in zip(found[1:], parts(state), strict=False):
            assert torch.equal(gradient, 2 * s)
        for gradient in found[1 + len(parts(state)) :]:
            assert gradient is None or (gradient == 0).all()


@pytest.mark.parametrize("every", [None, 2])
@pytest.mark.parametrize("by_reference", [False, True], ids=["kernels", "reference"])
def test_a_row_without_steps_keeps_its_state(isa, build, state_for, by_reference, every):
    layer = build(3, 5, bidirectional=True, checkpoint_every=every)
    for lengths in ([4, 0, 2, 0], [0, 0, 0, 0]):
        x, state = copies(torch.randn(4, 4, 3)), copies(state_for(layer, 4))
        if by_reference:
            outputs, final = layer._by_reference(x, state, torch.tensor(lengths))
        else:
            outputs, final = layer(x, state, lengths=lengths)
        empty = [row for row, length in enumerate(lengths) if length == 0]
        assert (outputs[:, empty] == 0).all()
        loss = outputs.sum() + sum((s * s).sum() for s in parts(final))
        found = torch.autograd.grad(loss, [x, *parts(state)])
        assert (found[0][:, empty] == 0).all()
        for one, other, gradient in zip(parts(final), parts(state), found[1:], strict=True):
            assert torch.equal(one[:, empty], other[:, empty])
            assert torch.equal(gradient[:, empty], 2 * other[:, empty])
        if any(lengths):
            assert (outputs[:2, 0] != 0).any()


def test_packed_results_have_torchs_indices(build):
    layer = build(3, 5)
    packed = pack_padded_sequence(torch.randn(6, 4, 3), torch.tensor([2, 6, 1, 4]), enforce_sorted=False)
    outputs, _ = layer(packed)
    assert isinstance(outputs, PackedSequence)
    for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
        assert torch.equal(getattr(outputs, name), getattr(packed, name))


@pytest.mark.parametrize("threads", [1, 3])
def test_thousands_of_rows_add_up_in_few_blocks_of_gradients(unchecked, threads):
    """The kernels take 64 rows at a time, and then several of these to one block."""
    torch.manual_seed(0)
    layer, x = nn.GRU(3, 5, bidirectional=True), torch.randn(2, 1601, 3)
    theirs = torch.nn.GRU(3, 5, bidirectional=True)
    theirs.load_state_dict(layer.state_dict())
    torch.set_num_threads(threads)
    found = torch.autograd.grad(layer(x)[0].square().mean(), list(layer.parameters()))
    expected = torch.autograd.grad(theirs.double()(x.double())[0].square().mean(), list(theirs.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=0, atol=1e-5 * other.abs().max().item())

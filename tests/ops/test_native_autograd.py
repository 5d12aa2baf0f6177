"""The kernels as an operator of PyTorch's: its registry, its autograd, its modes, and what training keeps."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing._internal.optests import aot_autograd_check
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from sluicegate import nn
from sluicegate.ops.kernel_calls import Unfit

pytestmark = pytest.mark.usefixtures("unchecked")


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def leaf(value):
    if isinstance(value, tuple):
        return tuple(leaf(v) for v in value)
    return value.detach().clone().requires_grad_()


CALLS = {
    "gru": {},
    "gru without state or biases": {"state": False, "bias": False},
    "gru, reset before, relu, batch first": {"cell": "gru_reset_before", "activation": "relu", "first": True},
    "gru in evaluation": {"keep": False},
    "lstm in both directions": {"cell": "lstm", "both": True},
    "lstm with checkpoints": {"cell": "lstm", "every": 2},
    "rnn packed": {"cell": "rnn", "packed": True},
    "lstm in bfloat16": {"cell": "lstm", "precision": "bf16"},
    "lstm in both directions, ragged": {"cell": "lstm", "both": True, "lengths": [2, 4]},
}


def call(
    cell="gru", activation="tanh", both=False, bias=True, first=False, every=0, keep=True, lengths=None, packed=False,
    state=True, precision="fp32",
):  # fmt: skip
    """Make the arguments of `torch.ops.sluicegate.layer` for 2 rows of up to 4 steps, 3 inputs and 5 units."""
    torch.manual_seed(0)
    kind = {"lstm": nn.LSTM, "rnn": nn.RNN}.get(cell, nn.GRU)
    weights = [w.detach().requires_grad_(keep) for w in kind(3, 5, bidirectional=both, bias=bias).parameters()]
    h0, c0 = (torch.randn(1 + both, 2, 5, requires_grad=keep) for _ in range(2))
    rows, order, offsets, shape = None, None, None, (2, 4, 3) if first else (4, 2, 3)
    if lengths:
        rows, order = torch.tensor(lengths).sort(descending=True)
    if packed:
        rows, offsets, shape = torch.tensor([4, 2]), torch.tensor([0, 2, 4, 5]), (6, 3)
    x = torch.randn(*shape, requires_grad=keep)
    states = (h0 if state else None, c0 if state and cell == "lstm" else None)
    return (x, *states, weights, rows, order, offsets, cell, activation, bias, first, every, precision, keep)


@pytest.mark.parametrize("name", CALLS)
def test_is_an_operator_as_pytorch_wants_it(name):
    arguments = call(**CALLS[name])
    checks = ["test_schema", "test_autograd_registration", "test_faketensor"]
    if "ragged" not in name:  # what training keeps of steps that are not part of their row is never written nor read
        checks += ["test_aot_dispatch_static", "test_aot_dispatch_dynamic"]
    torch.library.opcheck(torch.ops.sluicegate.layer.default, arguments, test_utils=checks)

    def results(*arguments):
        return torch.ops.sluicegate.layer(*arguments)[:3]

    for dynamic in (False, True):
        aot_autograd_check(results, arguments, {}, dynamic=dynamic, check_gradients=arguments[-1])


def squares(results):
    output, state = results
    return output.square().sum() + sum((s**3).sum() for s in parts(state))


def run(layer, forward, x, state, call):
    """Call a layer in one of the ways that the derivatives of the equations distinguish."""
    if call == "packed":
        packed = pack_padded_sequence(x, torch.tensor([2, 5, 3]), layer.batch_first, enforce_sorted=False)
        output, final = forward(packed, state)
        return pad_packed_sequence(output, layer.batch_first)[0], final
    if call == "lengths":
        return forward(x, state, lengths=[2, 5, 0])
    return forward(x, state)


@pytest.mark.parametrize(
    "rows",
    [
        {"lengths": [2, 4]},
        {"lengths": [5, 2]},
        {"lengths": [4, -1]},
        {"order": [0, 0]},
        {"order": [1, 2]},
        {"offsets": [0, 2, 3, 5]},
        {"offsets": [1, 2, 4, 5]},
    ],
    ids=str,
)
def test_rows_that_are_not_there_are_refused(rows):
    """The kernels would read and write beyond the arrays."""
    x, h0, c0, weights, *own = call(packed=True) if "offsets" in rows else call(lengths=[4, 2])
    given = dict(zip(("lengths", "order", "offsets"), own, strict=False)) | {
        k: torch.tensor(v) for k, v in rows.items()
    }
    with pytest.raises(Unfit, match="take `lengths` that fall from at most the number of steps to at least 0"):
        torch.ops.sluicegate.layer(x, h0, c0, weights, *given.values(), *own[3:])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({7: "GRU"}, "`cell` .*must be one of gru"),
        ({3: []}, "`weights` one at least"),
        ({0: None}, "must be tensors"),
        ({6: torch.tensor(2)}, "a single number stands in the place of a tensor"),
    ],
    ids=["cell", "weights", "input", "offsets"],
)
def test_what_no_shape_tells_is_refused(change, why):
    """The registry lets all of it pass."""
    arguments = list(call(lengths=[4, 2]))
    for at, value in change.items():
        arguments[at] = value
    with pytest.raises(Unfit, match=why):
        torch.ops.sluicegate.layer(*arguments)


@pytest.mark.parametrize("at", [4, 5, 6], ids=["lengths", "order", "offsets"])
def test_rows_whose_memory_was_freed_are_refused(at):
    """The kernels would take them for none."""
    arguments = list(call(packed=True) if at == 6 else call(lengths=[4, 2]))
    arguments[at] = arguments[at].clone()
    arguments[at].untyped_storage().resize_(0)
    with pytest.raises(Unfit, match=r"take tensors of torch\.int64 in memory on the CPU"):
        torch.ops.sluicegate.layer(*arguments)


def test_flags_for_other_weights_are_refused():
    arguments = list(call(lengths=[4, 2]))
    results = torch.ops.sluicegate.layer(*arguments[:-1], True)
    of_backward = [None, None, None, *arguments[:4], results[0], results[3], *arguments[4:-1]]
    with pytest.raises(Unfit, match="`wanted` has 2 flags"):
        torch.ops.sluicegate.layer_backward(*of_backward, [True, True])


def test_tensors_that_begin_between_two_numbers():
    """As views into a file's bytes may; no kernel may read a number there."""

    def moved(x):
        if not isinstance(x, torch.Tensor):
            return [moved(t) for t in x] if isinstance(x, list) else x
        return torch.frombuffer(bytearray(b"\0" + x.numpy(force=True).tobytes()), dtype=x.dtype, offset=1).view(x.shape)

    arguments = list(call(lengths=[4, 2]))
    expected = torch.ops.sluicegate.layer(*arguments)
    found = torch.ops.sluicegate.layer(*map(moved, arguments))
    assert all(torch.equal(a, b) for a, b in zip(found[:2], expected[:2], strict=True))


@pytest.mark.parametrize("call", ["time first", "batch first", "packed", "lengths", "no state", "no bias"])
def test_has_a_second_derivative(build, state_for, call):
    first = call in ("batch first", "lengths")
    layer = build(3, 5, bidirectional=True, batch_first=first, bias=call != "no bias")
    double = copy.deepcopy(layer).double()
    x = torch.randn(3, 5, 3) if first else torch.randn(5, 3, 3)
    state = None if call == "no state" else state_for(layer, 3)
    found = []
    for module, dtype in ((layer, torch.float32), (double, torch.float64)):
        own = leaf(x.to(dtype))
        before = None if state is None else leaf(tuple(s.to(dtype) for s in parts(state)))
        inputs = [own, *(before or ()), *module.parameters()]
        hx = before if isinstance(module, nn.LSTM) or before is None else before[0]
        forward = module if module is layer else module.by_reference
        if module is double and call == "lengths":

            def forward(x, hx, lengths, double=double):
                return double._by_reference(x, hx, torch.tensor(lengths))

        first_order = torch.autograd.grad(squares(run(module, forward, own, hx, call)), inputs, create_graph=True)
        penalty = sum((g * g).sum() for g in first_order)
        found.append((*first_order, *torch.autograd.grad(penalty, inputs)))
    for mine, right in zip(*found, strict=True):
        assert (mine - right).abs().max() <= 2e-5 * right.abs().max()


def test_a_second_derivative_in_some_weights_and_in_a_gradient_that_comes_in(build):
    layer, x = build(3, 5), torch.randn(4, 2, 3)
    layer.bias_ih_l0.requires_grad_(False)
    weight = layer.weight_ih_l0
    found = []
    for forward in (layer, layer.by_reference):
        direction = torch.ones(4, 2, 5, requires_grad=True)
        (first,) = torch.autograd.grad((forward(x)[0] * direction).sum(), weight, create_graph=True)
        found.append((first, *torch.autograd.grad(first.square().sum(), [weight, direction])))
    for mine, right in zip(*found, strict=True):
        assert (mine - right).abs().max() <= 2e-5 * right.abs().max()


class Seeing(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


class Own(torch.Tensor):
    pass


WATCHED = {
    "a parameter": (torch.nn.Parameter, nullcontext),
    "a tensor of a class of its own": (lambda x: x.as_subclass(Own).requires_grad_(), nullcontext),
    "a dispatch mode": (leaf, Seeing),
    "autocast": (leaf, lambda: torch.autocast("cpu", torch.float16)),
    "autocast to bfloat16": (leaf, lambda: torch.autocast("cpu", torch.bfloat16)),
}


@pytest.mark.parametrize("how", WATCHED)
def test_a_second_derivative_whoever_else_sees_the_call(build, how):
    layer, x = build(3, 5), torch.randn(4, 2, 3)
    make, mode = WATCHED[how]
    # Autocast may round the results, through a sum of which gradients go unrounded.
    loss = torch.sum if how.startswith("autocast") else lambda outputs: outputs.square().sum()
    equations = copy.deepcopy(layer)
    equations.precision = "bf16" if how.endswith("bfloat16") else "fp32"  # to which operands of products are rounded
    found = []
    for module, forward, own, context in (
        (layer, layer, make(x.clone()), mode),
        (equations, equations.by_reference, leaf(x), nullcontext),
    ):
        with context():
            (first,) = torch.autograd.grad(loss(forward(own)[0]), own, create_graph=True)
        found.append((first, *torch.autograd.grad(first.square().sum(), [own, *module.parameters()])))
    for mine, right in zip(*found, strict=True):
        assert (mine - right).abs().max() <= 2e-5 * right.abs().max()


@pytest.mark.parametrize("graph", [False, True], ids=["gradients", "with a graph"])
def test_padding_counts_for_nothing_whatever_it_is(build, graph):
    layer, x = build(3, 5, bidirectional=True), torch.randn(5, 3, 3)
    found = []
    for padding in (0.0, float("nan")):
        own = x.clone()
        own[2:, 0], own[:, 2] = padding, padding
        own.requires_grad_()
        outputs, final = layer(own, lengths=[2, 5, 0])
        found.append(torch.autograd.grad(squares((outputs, final)), [own, *layer.parameters()], create_graph=graph))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("graph", [False, True], ids=["gradients", "with a graph"])
@pytest.mark.parametrize("state", [False, True], ids=["no state", "state"])
def test_of_no_steps_the_weights_have_gradients_of_zero(build, state_for, graph, state):
    layer, x = build(3, 5), leaf(torch.zeros(0, 2, 3))
    before = leaf(state_for(layer, 2)) if state else None
    inputs = [x, *(parts(before) if state else ()), *layer.parameters()]
    found = torch.autograd.grad(squares(layer(x, before)), inputs, create_graph=graph)
    for gradient, of in zip(found, inputs, strict=True):
        given = any(of is s for s in parts(before))
        assert torch.equal(gradient, 3 * of**2 if given else torch.zeros_like(of))


def test_the_way_back_can_be_gone_twice(build, state_for):
    layer, x, state = build(3, 20), leaf(torch.randn(6, 4, 3)), None
    state = leaf(state_for(layer, 4))
    inputs = [x, *parts(state), *layer.parameters()]
    loss = squares(layer(x, state))
    once = torch.autograd.grad(loss, inputs, retain_graph=True)
    again = torch.autograd.grad(loss, inputs)
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(loss, inputs)


def test_gradients_add_up(build):
    layer, x = build(3, 20), torch.randn(6, 4, 3)
    squares(layer(x)).backward()
    once = [p.grad.clone() for p in layer.parameters()]
    squares(layer(x)).backward()
    assert all(torch.equal(p.grad, 2 * g) for p, g in zip(layer.parameters(), once, strict=True))


@pytest.mark.parametrize("what", ["x", "state", "weight"])
def test_what_was_altered_after_the_call_is_noticed(build, state_for, what):
    layer, x = build(3, 5), torch.randn(4, 2, 3)
    state = state_for(layer, 2)
    loss = layer(x, state)[0].sum()
    with torch.no_grad():
        {"x": x, "state": parts(state)[0], "weight": layer.weight_ih_l0}[what].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("every", [None, 2])
def test_writing_into_the_results_gives_right_gradients_or_an_error(build, every):
    """Masking outputs in place is common; where the way back needs them, PyTorch has to notice."""
    layer = build(3, 5, checkpoint_every=every)
    x, mask = leaf(torch.randn(4, 2, 3)), torch.randn(4, 2, 5)
    (right,) = torch.autograd.grad((layer(x)[0] * mask).square().sum(), x)
    outputs, _ = layer(x)
    outputs.mul_(mask)
    if isinstance(layer, nn.LSTM | nn.MinGRU) or every:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            torch.autograd.grad(outputs.square().sum(), x)
    else:
        assert torch.equal(torch.autograd.grad(outputs.square().sum(), x)[0], right)
    # The final state is apart from the outputs.
    outputs, final = layer(x)
    for s in parts(final):
        s.zero_()
    assert torch.equal(torch.autograd.grad((outputs * mask).square().sum(), x)[0], right)


def test_hooks_see_what_they_see_of_pytorchs(build):
    layer, x = build(3, 5), leaf(torch.randn(4, 2, 3))
    seen = []
    layer.register_forward_pre_hook(lambda module, inputs: seen.append("before"))
    layer.register_forward_hook(lambda module, inputs, result: seen.append(result[0].shape))
    layer.register_full_backward_hook(lambda module, inner, outer: seen.append((inner[0].shape, outer[0].shape)))
    layer.weight_ih_l0.register_hook(lambda gradient: seen.append("weight") or 2 * gradient)
    layer(x)[0].sum().backward()
    doubled = layer.weight_ih_l0.grad.clone()
    assert set(seen) == {"before", (4, 2, 5), ((4, 2, 3), (4, 2, 5)), "weight"}
    other = build(3, 5)
    other(x)[0].sum().backward()
    assert torch.equal(doubled, 2 * other.weight_ih_l0.grad)


def test_autocast_computes_in_full(build, state_for):
    layer, x = build(3, 20), torch.randn(6, 4, 3)
    state = state_for(layer, 4)
    expected, final = layer(x, state)
    gradients = torch.autograd.grad(expected.sum(), list(layer.parameters()))
    with torch.autocast("cpu", torch.float16):  # to bfloat16: see tests/nn/test_bf16.py
        outputs, after = layer(x, state)
        # Only results are rounded: to which type, `tests/nn/test_autocast.py` looks at.
        assert torch.equal(outputs, expected.to(outputs.dtype))
        assert all(torch.equal(a, b.to(a.dtype)) for a, b in zip(parts(after), parts(final), strict=True))
        # What a layer before it hands over is rounded.
        rounded, before = x.half(), tuple(s.half() for s in parts(state))
        outputs, _ = layer(rounded, before if isinstance(layer, nn.LSTM) else before[0])
    exact_state = tuple(s.float() for s in before)
    exact, _ = layer(rounded.float(), exact_state if isinstance(layer, nn.LSTM) else exact_state[0])
    assert torch.equal(outputs, exact.to(outputs.dtype))
    with torch.autocast("cpu", torch.float16):
        outputs, _ = layer(x, state)
    found = torch.autograd.grad(outputs.sum(), list(layer.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(found, gradients, strict=True))


def test_autocast_leaves_no_double_to_be_misread(build):
    layer, x = build(3, 5), torch.randn(4, 2, 3)
    with torch.autocast("cpu", torch.bfloat16):
        try:
            outputs, _ = layer(x.double())
        except (RuntimeError, ValueError):
            return  # as PyTorch's does
    torch.testing.assert_close(outputs.float(), layer(x)[0], rtol=0, atol=1e-5)


def test_modes_of_evaluation_compute_the_same_bits(build):
    layer, x = build(3, 20), torch.randn(6, 4, 3)
    expected, _ = layer(x)
    assert expected.requires_grad
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            outputs, _ = layer(x)
        assert not outputs.requires_grad
        assert torch.equal(outputs, expected)
    assert outputs.is_inference()
    layer.requires_grad_(False)
    outputs, _ = layer(x)
    assert outputs.grad_fn is None
    assert torch.equal(outputs, expected)
    outputs, _ = layer(leaf(x))
    assert outputs.requires_grad


def test_recomputed_by_pytorchs_checkpoint(build, state_for):
    layer, x = build(3, 20), leaf(torch.randn(6, 4, 3))
    state = state_for(layer, 4)
    found = []
    for forward in (layer, lambda *a: checkpoint(layer, *a, use_reentrant=False)):
        outputs, _ = forward(x, state)
        found.append((outputs, *torch.autograd.grad(outputs.square().sum(), [x, *layer.parameters()])))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_saved_tensors_may_be_moved_away(build):
    layer, x = build(3, 20), leaf(torch.randn(6, 4, 3))
    inputs = [x, *layer.parameters()]
    right = torch.autograd.grad(squares(layer(x)), inputs)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone().numpy(), torch.from_numpy):
        loss = squares(layer(x))
    assert all(torch.equal(a, b) for a, b in zip(torch.autograd.grad(loss, inputs), right, strict=True))


@pytest.mark.parametrize("every", [None, 2])
def test_saved_tensors_may_come_back_in_another_order_of_memory(build, state_for, every):
    layer, x = build(3, 20, bidirectional=True, checkpoint_every=every), leaf(torch.randn(6, 4, 3))
    inputs, state = [x, *layer.parameters()], state_for(layer, 4)
    right = torch.autograd.grad(squares(layer(x, state)), inputs)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True).copy(order="F"), torch.from_numpy):
        loss = squares(layer(x, state))
    assert all(torch.equal(a, b) for a, b in zip(torch.autograd.grad(loss, inputs), right, strict=True))


@pytest.mark.parametrize("every", [None, 2])
@pytest.mark.parametrize("alter", [torch.Tensor.half, lambda t: t[..., :-1], lambda t: t.to("meta")])
def test_saved_tensors_that_come_back_as_others_are_refused(build, every, alter):
    layer, x = build(3, 20, checkpoint_every=every), torch.randn(6, 4, 3)
    count = 4 if isinstance(layer, nn.MinGRU) else 6  # what it keeps: x, the weights, and what it computed
    for altered in range(count):
        seen = {}

        def pack(t, altered=altered, seen=seen):
            return alter(t.detach()) if seen.setdefault(t.data_ptr(), len(seen)) == altered else t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            loss = layer(x)[0].sum()
        assert len(seen) >= count
        with pytest.raises(RuntimeError, match=r"the fused kernels take tensors of torch.float32"):
            loss.backward()


def kept_floats(layer, x, state=None):
    """Count what a call keeps for the way back, beside its arguments and the weights."""
    kept = {}

    def keep(t):
        kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes() // 4
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        results = layer(x, state)
    del results
    for given in (x, *parts(state), *layer.parameters()):
        if given is not None:
            kept.pop(given.untyped_storage().data_ptr(), None)
    return sum(kept.values())


def test_what_training_keeps(build):
    most = {nn.GRU: 5, nn.LSTM: 6, nn.RNN: 1, nn.MinGRU: 1, nn.LiGRU: 3}  # an LSTM keeps i f g o c, and the outputs
    for both in (False, True):
        layer = build(3, 32, bidirectional=both)
        assert 0 < kept_floats(layer, torch.randn(50, 4, 3)) <= most[type(layer)] * 50 * 4 * 32 * (1 + both)
    # Checkpoints keep the outputs, and of an LSTM the memory at each.
    layer = build(3, 32, checkpoint_every=10)
    memories = 5 * 4 * 32 if isinstance(layer, nn.LSTM) else 0
    assert kept_floats(layer, torch.randn(50, 4, 3)) <= 50 * 4 * 32 + memories
    with torch.no_grad():
        assert kept_floats(layer, torch.randn(50, 4, 3)) == 0

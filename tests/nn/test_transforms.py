"""Transforms of `torch.func` and per-sample gradients are as with PyTorch's layers: the numbers, or the error."""

import copy

import pytest
import torch
from torch.autograd import forward_ad
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call, grad, jacfwd, jacrev, jvp, linearize, stack_module_state, vmap
from torch.nn.utils._per_sample_grad import call_for_per_sample_grads
from torch.nn.utils.rnn import pack_padded_sequence

import sluicegate

CELLS = (torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell)


def outputs(result):
    while isinstance(result, tuple):
        result = result[0]
    return result


def loss(result):
    return outputs(result).square().sum()


def parameters(m):
    return {name: p.detach() for name, p in m.named_parameters()}


def called(m, weights, x):
    return outputs(functional_call(m, weights, (x,)))


def rows(m):
    """Which axis of the input the rows are on."""
    return 0 if isinstance(m, CELLS) else 1


def per_sample(m, x):
    of_one = lambda weights, row: called(m, weights, row.unsqueeze(rows(m))).square().sum()  # noqa: E731
    return vmap(grad(of_one), in_dims=(None, rows(m)))(parameters(m), x)


def expanded(m, x):
    module = copy.deepcopy(m)
    batch = {"batch_size": x.shape[rows(m)], "batch_first": rows(m) == 0}
    loss(call_for_per_sample_grads(module, **batch)(x)).backward()
    return [p.grad_sample for p in module.parameters()]


def ensemble(m, x):
    weights, _ = stack_module_state([m, copy.deepcopy(m)])
    return vmap(lambda weights: called(m, weights, x))(weights)


def beside(m, x):
    """A transform of something else, within which the layer runs."""
    x = x.clone().requires_grad_()
    result = vmap(lambda factor: factor * outputs(m(x)))(torch.ones(3))
    return torch.autograd.grad(result.sum(), [x, *m.parameters()])


def dual(m, x):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(outputs(m(forward_ad.make_dual(x, torch.ones_like(x))))).tangent


def packed(m, x):
    x = x.clone().requires_grad_()
    result = outputs(m(pack_padded_sequence(x, [3, 2])))
    return torch.autograd.grad(result.data.sum(0), x, torch.eye(4), is_grads_batched=True)


DEEDS = {
    "jacfwd": lambda m, x: jacfwd(lambda x: outputs(m(x)))(x),
    "jacrev": lambda m, x: jacrev(lambda x: outputs(m(x)), chunk_size=2)(x),
    "hessian": lambda m, x: torch.func.hessian(lambda x: loss(m(x)))(x),
    "jacrev twice": lambda m, x: jacrev(jacrev(lambda x: loss(m(x))))(x),
    "jacobian forward": lambda m, x: jacobian(lambda x: outputs(m(x)), x, vectorize=True, strategy="forward-mode"),
    "hessian forward": lambda m, x: hessian(
        lambda x: loss(m(x)), x, vectorize=True, outer_jacobian_strategy="forward-mode"
    ),
    "jvp of weights": lambda m, x: jvp(lambda w: called(m, w, x), (parameters(m),), (parameters(m),)),
    "linearize": lambda m, x: linearize(lambda x: outputs(m(x)), x)[1](torch.ones_like(x)),
    "dual": dual,
    "grad": lambda m, x: grad(lambda w: called(m, w, x).square().sum())(parameters(m)),
    "grad of grad": lambda m, x: grad(lambda x: grad(lambda x: loss(m(x)))(x).square().sum())(x),
    "vmap": lambda m, x: vmap(lambda x: outputs(m(x)))(torch.stack([x, 2 * x])),
    "vmap with rows of one": per_sample,
    "ensemble": ensemble,
    "expanded weights": expanded,
    "beside": beside,
    "packed": packed,
}


def flat(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [t for part in (result.values() if isinstance(result, dict) else result) for t in flat(part)]


def outcome(deed, m, x):
    """The numbers, or the type of the error."""
    try:
        return flat(DEEDS[deed](m, x))
    except Exception as error:
        return type(error)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", [torch.nn.GRU, torch.nn.LSTM, *CELLS])
def test_is_as_with_pytorch(kind, deed):
    torch.manual_seed(0)
    module, x = kind(3, 4), torch.randn(2, 3) if kind in CELLS else torch.randn(3, 2, 3)
    if deed == "packed" and kind in CELLS:
        pytest.skip("a cell reads no packed sequence")
    expected = outcome(deed, module, x)
    found = [outcome(deed, sluicegate.accelerate(copy.deepcopy(module)), x)]
    with sluicegate.accelerated(log=False):
        found.append(outcome(deed, module, x))
    for one in found:
        if isinstance(expected, type):
            assert one is expected
        else:
            torch.testing.assert_close(one, expected, rtol=0, atol=2e-5)

"""Many gradients at once, by vmap over the way back, are as with PyTorch's layers."""

import copy

import pytest
import torch
from torch.autograd.functional import hessian, jacobian

import sluicegate


def batched(f, x):
    x = x.clone().requires_grad_()
    y = f(x)
    return torch.autograd.grad(y, x, torch.eye(len(y)), is_grads_batched=True)[0]


def torchjd(f, x, module):
    y = f(x)
    return torch.func.vmap(lambda v: torch.autograd.grad(y, list(module.parameters()), v, retain_graph=True))(
        torch.eye(len(y))
    )


def of_weights(f, x, module):
    def loss(parameters):
        return outputs_of(torch.func.functional_call(module, parameters, (x,)))

    return tuple(torch.func.jacrev(loss)(dict(module.named_parameters())).values())


def outputs_of(found):
    return (found[0] if isinstance(found, tuple) else found).flatten(0, -2).sum(0)


DEEDS = {
    "jacobian": lambda f, x, _: jacobian(f, x, vectorize=True),
    "jacobian with a graph": lambda f, x, _: jacobian(f, x, vectorize=True, create_graph=True),
    "hessian": lambda f, x, _: hessian(lambda x: f(x).square().sum(), x),
    "vectorised hessian": lambda f, x, _: hessian(lambda x: f(x).square().sum(), x, vectorize=True),
    "is_grads_batched": lambda f, x, _: batched(f, x),
    "vmap over grad": torchjd,
    "jacrev": lambda f, x, _: torch.func.jacrev(f)(x),
    "jacrev of functional_call": of_weights,
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", [torch.nn.GRU, torch.nn.LSTMCell])
def test_is_as_with_pytorch(kind, deed):
    torch.manual_seed(0)
    theirs, x = kind(3, 4), torch.randn(2, 3) if kind is torch.nn.LSTMCell else torch.randn(3, 2, 3)
    found = []
    for module in (theirs, sluicegate.accelerate(copy.deepcopy(theirs))):
        found.append(DEEDS[deed](lambda t, m=module: outputs_of(m(t)), x, module))
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=2e-5)

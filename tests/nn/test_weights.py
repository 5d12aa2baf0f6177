"""Weights that change between two calls, and layers that are copied, saved, shared and parametrised.

In evaluation the kernels keep the weights laid out from call to call, so that every way of writing into a weight has
to be noticed.
"""

import copy
import gc
import io
import pickle

import pytest
import torch
from torch.nn.utils import parametrizations, prune

from sluicegate.nn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from sluicegate.ops import packing

LAYERS, CELLS = [GRU, LSTM, RNN], [GRUCell, LSTMCell, RNNCell]
every_layer = pytest.mark.parametrize("kind", LAYERS)
every_module = pytest.mark.parametrize("kind", LAYERS + CELLS)


def first(result):
    return result if isinstance(result, torch.Tensor) else result[0]


def recurrent(kind):
    return "weight_hh_l0" if kind in LAYERS else "weight_hh"


def by_memory(module, weight):
    weight.data = weight.data + 1


def by_step(module, weight):
    with torch.enable_grad():
        first(module(X)).square().sum().backward()
    torch.optim.Adam(module.parameters(), 0.1).step()


def by_swap(module, weight):
    name = next(n for n, p in module.named_parameters() if p is weight)
    setattr(module, name, torch.nn.Parameter(weight + 1))


def by_load(module, weight):
    module.load_state_dict({name: value + 1 for name, value in module.state_dict().items()})


def by_fused_step(module, weight):
    with torch.enable_grad():
        first(module(X)).square().sum().backward()
    torch.optim.SGD(module.parameters(), 0.1, foreach=True).step()


def by_numpy(module, weight):
    weight.detach().numpy()[1, 2] += 1


def by_two_that_cancel(module, weight):
    """The sum of the weights stays as it was."""
    with torch.no_grad():
        weight[0, 0], weight[3, 2] = weight[3, 2].clone(), weight[0, 0].clone()


def by_one_bit(module, weight):
    weight.data.view(torch.int32)[0, 1] ^= 1 << 22


def in_inference_mode(module, weight):
    with torch.inference_mode():
        weight.data.add_(1)


WAYS = {
    "optimizer": by_step,
    "optimizer for each": by_fused_step,
    "data.mul_": lambda module, weight: weight.data.mul_(2),
    "data = ": by_memory,
    "copy_": lambda module, weight: weight.copy_(weight + 1),
    "the first number": lambda module, weight: weight.data[0, 0].neg_(),
    "the last number": lambda module, weight: weight.data[-1, -1].neg_(),
    "a single number": lambda module, weight: weight[2, 1].add_(0.5),
    "numpy": by_numpy,
    "a swap of two numbers": by_two_that_cancel,
    "one bit": by_one_bit,
    "load_state_dict": by_load,
    "another parameter": by_swap,
    "inference mode": in_inference_mode,
    "to and back": lambda module, weight: module.double().half().float(),
    "reset_parameters": lambda module, weight: module.reset_parameters(),
    "bias": lambda module, weight: next(p for n, p in module.named_parameters() if "bias_hh" in n).data.add_(1),
    "input weight": lambda module, weight: next(module.parameters()).data.add_(1),
}
X = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("way", WAYS)
@every_module
def test_every_change_of_a_weight_is_noticed(kind, way):
    torch.manual_seed(0)
    module = kind(3, 19)
    state = torch.rand(4, 19) if kind in CELLS else torch.rand(1, 19)
    state = (state, state) if isinstance(module, torch.nn.LSTM | torch.nn.LSTMCell) else state
    with torch.no_grad():
        before = first(module(X, state))
        assert torch.equal(first(module(X, state)), before)
    with torch.no_grad():
        WAYS[way](module, module.get_parameter(recurrent(kind)))
    fresh = kind(3, 19)
    fresh.load_state_dict(module.state_dict())
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            after = first(module(X, state))
            assert not torch.equal(after, before)
            assert torch.equal(after, first(fresh(X, state)))


@every_module
def test_training_goes_on_in_evaluation(kind):
    """Steps of training with evaluations between them, as every training loop has."""
    torch.manual_seed(0)
    module, plain = kind(3, 19), getattr(torch.nn, kind.__name__)(3, 19)
    plain.load_state_dict(module.state_dict())
    optimizers = [torch.optim.SGD(m.parameters(), 0.3) for m in (module, plain)]
    for _ in range(5):
        for m, optimizer in zip((module, plain), optimizers, strict=True):
            optimizer.zero_grad()
            (first(m(X)) - 0.7).square().mean().backward()
            optimizer.step()
        with torch.no_grad():
            mine, yours = first(module.eval()(X)), first(plain.eval()(X))
        torch.testing.assert_close(mine, yours, rtol=0, atol=5e-6)
        module.train(), plain.train()


@every_module
def test_a_copy_has_weights_of_its_own(kind):
    module = kind(3, 19)
    expected = first(module(X))
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    loaded = kind(3, 19)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), loaded):
        with torch.no_grad():
            assert torch.equal(first(other(X)), expected)
            next(other.parameters()).mul_(2)
            assert not torch.equal(first(other(X)), expected)
            assert torch.equal(first(module(X)), expected)


def test_memory_given_back_is_not_mistaken_for_the_old():
    """A new layer may get the very addresses of one that is gone."""
    x = torch.randn(5, 2, 3)
    for seed in range(50):
        torch.manual_seed(seed)
        layer = GRU(3, 19)
        with torch.no_grad():
            kept = layer(x)[0]
        assert torch.equal(kept, layer(x)[0])  # with gradients, the weights are laid out anew
        del layer


@pytest.mark.parametrize("back", [False, True], ids=["stays", "and back"])
def test_weights_written_while_they_are_laid_out_leave_nothing_wrong_behind(monkeypatch, back):
    """As another thread or another process may do."""
    layer, lay_out = GRU(3, 19), packing.lay_out
    ones, others = layer.weight_hh_l0.detach().clone(), torch.randn(57, 19)

    def meanwhile(*arguments):
        layer.weight_hh_l0.data.copy_(others)
        found = lay_out(*arguments)
        layer.weight_hh_l0.data.copy_(ones if back else others)
        return found

    with torch.no_grad():
        monkeypatch.setattr(packing, "lay_out", meanwhile)
        layer(X)
        monkeypatch.undo()
        for weight in (ones, others):
            layer.weight_hh_l0.copy_(weight)
            assert torch.equal(layer(X)[0], copy.deepcopy(layer)(X)[0])


def test_a_single_step_reads_the_weights_as_they_lie():
    """And comes out to the bit as it does of weights that are laid out, as for the step after it or for more rows."""
    with torch.no_grad():
        for layer, cell in zip([GRU(3, 19), LSTM(3, 19), RNN(3, 19)], CELLS, strict=True):
            x = torch.randn(2, 100, 3)
            step = cell(3, 19)
            step.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
            gc.collect()
            before = len(packing._kept)
            alone, by_cell = layer(x[:1, :7])[0][0], first(step(x[0, :7]))
            assert len(packing._kept) == before
            assert torch.equal(alone, layer(x)[0][0, :7])
            assert torch.equal(by_cell, first(step(x[0]))[:7])  # more rows than a step takes together
            assert len(packing._kept) == before + 1  # of the layer
            assert torch.equal(alone, by_cell)


@pytest.mark.parametrize("kind", LAYERS)
def test_what_is_laid_out_goes_with_its_weights(kind):
    gc.collect()  # of what other tests left behind nothing is to go while this one counts
    before = len(packing._kept)
    x = X.repeat(3, 1)  # more steps than read the weights as they lie
    with torch.no_grad():
        module = kind(3, 19)
        for _ in range(2):
            first(module(x))
            assert len(packing._kept) == before + 1
        for _ in range(3):  # other numbers, or another weight, in the place of the old
            by_swap(module, module.get_parameter(recurrent(kind)))
            first(module(x))
            by_memory(module, module.get_parameter(recurrent(kind)))
            first(module(x))
            assert len(packing._kept) == before + 1
        parametrizations.weight_norm(module, recurrent(kind))
        for _ in range(3):  # each call has a weight of its own
            first(module(x))
        assert len(packing._kept) <= before + 1  # PyTorch's layers hold on to the weight that they had before
    del module
    gc.collect()
    assert len(packing._kept) == before


def test_layers_of_one_weight_see_it_together():
    one, other = GRU(3, 19), GRU(3, 19)
    other.weight_hh_l0 = one.weight_hh_l0
    with torch.no_grad():
        before = one(X)[0], other(X)[0]
        one.weight_hh_l0.add_(1)
        after = one(X)[0], other(X)[0]
    assert not torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])
    loss = (one(X)[0] * 2 + other(X)[0]).sum()
    loss.backward()
    apart = [copy.deepcopy(layer) for layer in (one, other)]
    for layer, weight in zip(apart, (2, 1), strict=True):
        layer.zero_grad()
        (layer(X)[0] * weight).sum().backward()
    torch.testing.assert_close(one.weight_hh_l0.grad, sum(layer.weight_hh_l0.grad for layer in apart))


@every_layer
def test_shared_memory_is_read_anew(kind):
    layer = kind(3, 19)
    expected = first(layer(X))
    layer.share_memory()
    assert layer.weight_hh_l0.is_shared()
    with torch.no_grad():
        assert torch.equal(first(layer(X)), expected)
        layer.weight_hh_l0.zero_()
        assert not torch.equal(first(layer(X)), expected)


PARAMETRISED = {
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "orthogonal": lambda module, name: parametrizations.orthogonal(module, name, "cayley"),
    "pruned": lambda module, name: prune.l1_unstructured(module, name, 0.5),
}


@pytest.mark.parametrize("how", PARAMETRISED)
@every_layer
def test_a_parametrised_weight_is_that_of_torch(kind, how):
    torch.manual_seed(0)
    ours, theirs = kind(3, 19), getattr(torch.nn, kind.__name__)(3, 19)
    theirs.load_state_dict(ours.state_dict())
    for module in (ours, theirs):
        torch.manual_seed(1)
        PARAMETRISED[how](module.eval(), "weight_hh_l0")
    assert {n for n, _ in ours.named_parameters()} == {n for n, _ in theirs.named_parameters()}
    theirs.load_state_dict(ours.state_dict())
    found = []
    for module in (ours, theirs):
        x = X.clone().requires_grad_()
        result = first(module(x))
        parameters = dict(sorted(module.named_parameters()))
        found.append((result, *torch.autograd.grad(result.square().sum(), [x, *parameters.values()])))
        with torch.no_grad():
            next(p for n, p in parameters.items() if "original" in n or "orig" in n).mul_(0.5)
            found[-1] += (first(module(X)),)
    for mine, yours in zip(*found, strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=1e-5 * max(1.0, yours.abs().max().item()))

"""Under autocast to bfloat16 the kernels compute in bfloat16, as a layer made for it does, and as PyTorch's layer."""

import pytest
import torch

from sluicegate import nn

pytestmark = pytest.mark.usefixtures("unchecked")

LAYERS = [nn.GRU, nn.LSTM, nn.RNN, nn.MinGRU]
CELLS = [nn.GRUCell, nn.LSTMCell, nn.RNNCell, nn.MinGRUCell]


def first(results):
    return results if isinstance(results, torch.Tensor) else results[0]


def derived(module, x):
    x = x.clone().requires_grad_()
    output = first(module(x)).float()
    loss = (output * torch.linspace(-1, 1, output.numel()).reshape(output.shape)).sum()
    return output, *torch.autograd.grad(loss, [x, *module.parameters()], materialize_grads=True)


@pytest.mark.parametrize("kind", LAYERS + CELLS)
def test_autocast_asks_for_what_precision_does(kind):
    torch.manual_seed(0)
    module, x = kind(5, 20), torch.randn(7, 3, 5) if kind in LAYERS else torch.randn(3, 5)
    full = derived(module, x)
    with torch.autocast("cpu", torch.bfloat16):
        cast = derived(module, x)
    module.precision = "bf16"
    rounded = derived(module, x)
    for one, other, exact in zip(cast, rounded, full, strict=True):
        # The outputs, and with them what comes back, may have been rounded to the type of PyTorch's.
        assert (one - other).norm() <= 3e-3 * exact.norm()
    assert not torch.equal(full[0], rounded[0])


@pytest.mark.parametrize("kind", LAYERS)
def test_of_half_precision_nothing_is_rounded_within(kind):
    torch.manual_seed(0)
    layer, x = kind(5, 20), torch.randn(7, 3, 5)
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        cast = first(layer(x)).float()
    assert (cast - first(layer(x))).abs().max() <= 2**-11


@pytest.mark.parametrize("kind", [nn.GRU, nn.RNN])
def test_is_as_near_to_the_exact_layer_as_pytorchs_is(kind):
    """PyTorch rounds sums and states too, but those of an LSTM, which oneDNN computes in floats on some processors."""
    torch.manual_seed(0)
    layer, x = kind(16, 64), torch.randn(100, 4, 16)
    torchs = getattr(torch.nn, kind.__name__)(16, 64)
    torchs.load_state_dict(layer.state_dict())
    with torch.no_grad():
        exact = first(torchs.double()(x.double()))
        torchs.float()
        with torch.autocast("cpu", torch.bfloat16):
            ours, theirs = first(layer(x)).double(), first(torchs(x)).double()
    assert (ours - exact).norm() <= (theirs - exact).norm()


def test_goes_back_in_the_precision_that_it_went_forward_in():
    torch.manual_seed(0)
    layer, x = nn.GRU(5, 20), torch.randn(7, 3, 5, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        output = first(layer(x)).float()
    (without,) = torch.autograd.grad(output.sum(), x, retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        (within,) = torch.autograd.grad(output.sum(), x)
    assert torch.equal(without, within)

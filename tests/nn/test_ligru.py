"""`sluicegate.nn.LiGRU` is the recurrence of its paper, with PyTorch's own batch normalisation, in every layout."""

import copy
import io

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sluicegate import _core, nn
from sluicegate.errors import ConfigError
from sluicegate.nn import LiGRU

LENGTHS = [3, 6, 0, 4]


class WrittenOut(torch.nn.Module):
    """A layer in PyTorch's own modules, step by step, in double precision."""

    def __init__(self, layer: LiGRU) -> None:
        super().__init__()
        rows = 2 * layer.hidden_size
        self.activation = {"relu": torch.relu, "tanh": torch.tanh}[layer.nonlinear()]
        self.share = torch.nn.Linear(layer.input_size, rows, bias=False)
        self.norm = torch.nn.BatchNorm1d(rows, momentum=layer.momentum) if layer.normalization else None
        self.recurrent = torch.nn.Linear(layer.hidden_size, rows)
        self.bias = torch.nn.Parameter(torch.zeros(rows))
        self.double()
        own = dict(layer.named_parameters())
        with torch.no_grad():
            self.share.weight.copy_(own["weight_ih_l0"])
            self.recurrent.weight.copy_(own["weight_hh_l0"])
            self.recurrent.bias.copy_(own["bias_hh_l0"] if layer.bias else torch.zeros(rows))
            self.bias.copy_(own["bias_ih_l0"] if layer.bias else torch.zeros(rows))
            if self.norm:
                self.norm.weight.copy_(own["gain_ih_l0"])

    def forward(self, x, h, lengths):
        """Read `[time batch input]`, of which the padding is cut off before anything is computed."""
        rows = [x[:length, row] for row, length in enumerate(lengths)]
        share = self.share(torch.cat(rows))
        share = (self.norm(share) if self.norm else share) + self.bias
        outputs, final = [], []
        for row, a in enumerate(share.split(lengths)):
            state, shown = h[row], []
            for one in a:
                z, n = (one + self.recurrent(state)).chunk(2)
                z = torch.sigmoid(z)
                state = z * state + (1 - z) * self.activation(n)
                shown.append(state)
            shown += [torch.zeros_like(state)] * (len(x) - len(shown))
            outputs.append(torch.stack(shown))
            final.append(state)
        return torch.stack(outputs, 1), torch.stack(final)


def altered(layer):
    """Move gains and biases from where they begin."""
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith(("gain", "bias")):
                parameter += 0.3 * torch.randn_like(parameter)
    return layer


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lengths", [[6] * 4, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize(
    "options",
    [{}, {"bias": False}, {"normalization": None}, {"nonlinearity": "tanh", "momentum": None}],
    ids=["batch", "no bias", "none", "tanh"],
)
def test_is_the_recurrence_with_batch_norm(options, lengths, dtype):
    torch.manual_seed(0)
    layer = altered(LiGRU(3, 19, dtype=dtype, **options))
    right = WrittenOut(layer)
    tolerance = {"rtol": 0, "atol": 5e-6 if dtype == torch.float32 else 1e-12}
    for _ in range(3):  # of training, in which the running statistics move
        x, h = torch.randn(6, 4, 3, dtype=dtype) * 2 + 1, torch.randn(1, 4, 19, dtype=dtype)
        x.requires_grad_()
        assert nn.backend_of(layer, x) == (_core.isa() if dtype == torch.float32 else "reference")
        outputs, final = layer(x, h, lengths=None if lengths[0] == 6 else lengths)
        wide = x.detach().double().requires_grad_()
        expected, last = right(wide, h[0].double(), lengths)
        torch.testing.assert_close(outputs.double(), expected, **tolerance)
        torch.testing.assert_close(final[0].double(), last, **tolerance)
        given = torch.randn_like(outputs)
        got = torch.autograd.grad((outputs * given).sum(), [x, layer.weight_ih_l0, layer.weight_hh_l0])
        want = torch.autograd.grad((expected * given).sum(), [wide, right.share.weight, right.recurrent.weight])
        for a, b in zip(got, want, strict=True):
            torch.testing.assert_close(a.double(), b, rtol=0, atol=2e-4 if dtype == torch.float32 else 1e-10)
        if right.norm:
            torch.testing.assert_close(layer.running_mean_l0.double(), right.norm.running_mean, **tolerance)
            torch.testing.assert_close(layer.running_var_l0.double(), right.norm.running_var, **tolerance)
            assert layer.num_batches_tracked_l0 == right.norm.num_batches_tracked
    x, h = torch.randn(6, 4, 3, dtype=dtype), torch.randn(1, 4, 19, dtype=dtype)
    outputs, final = layer.eval()(x, h)
    expected, last = right.eval()(x.double(), h[0].double(), [6] * 4)
    torch.testing.assert_close(outputs.double(), expected, **tolerance)


def test_every_layout_gives_the_same_numbers_in_training():
    torch.manual_seed(0)
    lengths = torch.tensor([3, 6, 1, 4])
    x, found = torch.randn(6, 4, 3), []
    for first, form in [(False, "lengths"), (True, "lengths"), (False, "packed"), (True, "packed")]:
        torch.manual_seed(1)
        layer = altered(LiGRU(3, 5, 2, batch_first=first, bidirectional=True))
        given = (x.transpose(0, 1) if first else x).clone()
        if form == "packed":
            packed, h = layer(pack_padded_sequence(given, lengths, first, enforce_sorted=False))
            outputs = pad_packed_sequence(packed, first, total_length=6)[0]
        else:
            (given if first else given.transpose(0, 1))[torch.arange(6) >= lengths.unsqueeze(1)] = float("nan")
            outputs, h = layer(given, lengths=lengths)
        outputs.square().sum().backward()
        found.append([
            outputs.transpose(0, 1) if first else outputs, h, *layer.buffers(), *(p.grad for p in layer.parameters())
        ])  # fmt: skip
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=2e-5)


def test_both_directions_and_layers_follow_the_equations():
    torch.manual_seed(0)
    layer = altered(LiGRU(3, 7, 3, bidirectional=True))
    twin, x, h = copy.deepcopy(layer), torch.randn(5, 4, 3), torch.randn(6, 4, 7)
    for mode in (True, False):
        outputs, final = layer.train(mode)(x, h)
        expected, last = twin.train(mode).by_reference(x, h)
        torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(final, last, rtol=0, atol=1e-5)
        for a, b in zip(layer.buffers(), twin.buffers(), strict=True):
            torch.testing.assert_close(a, b)


def test_autocast_rounds_no_statistics():
    x, found = torch.randn(20, 8, 3) + 5, []
    for enabled in (False, True):
        torch.manual_seed(1)
        layer = LiGRU(3, 9)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            layer(x)
        found.append([*layer.buffers()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_checkpoints_change_nothing():
    x, found = torch.randn(11, 4, 3), []
    for every in (None, 4):
        torch.manual_seed(1)
        layer = LiGRU(3, 9, checkpoint_every=every)
        outputs, _ = layer(x)
        outputs.square().sum().backward()
        found.append([outputs, *(p.grad for p in layer.parameters())])
    assert torch.equal(found[0][0], found[1][0])
    for a, b in zip(*found, strict=True):  # sums over other chunks
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_in_evaluation_a_row_is_the_same_in_any_company_and_in_chunks():
    torch.manual_seed(0)
    layer = altered(LiGRU(3, 33, 2))
    layer(torch.randn(20, 8, 3))
    layer.eval()
    x = torch.randn(9, 6, 3)
    whole, last = layer(x)
    assert torch.equal(layer(x[:, 2:3])[0], whole[:, 2:3])
    first, h = layer(x[:4])
    rest, h = layer(x[4:], h)
    assert torch.equal(torch.cat([first, rest]), whole)
    assert torch.equal(h, last)


def test_derivatives_of_derivatives():
    torch.manual_seed(0)
    layer = LiGRU(2, 2, nonlinearity="tanh", dtype=torch.float64)
    weights = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.gain_ih_l0]
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)

    def call(x, *weights):
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "gain_ih_l0")
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x,))[0]

    assert torch.autograd.gradcheck(call, (x, *weights))
    assert torch.autograd.gradgradcheck(call, (x, *weights))
    single = layer.float()
    x = x.detach().float().requires_grad_()
    (slope,) = torch.autograd.grad(single(x)[0].square().sum(), x, create_graph=True)
    assert slope.square().sum().requires_grad


def test_weights_and_statistics_are_saved_and_loaded():
    layer = altered(LiGRU(3, 5, bidirectional=True))
    layer(torch.randn(7, 4, 3))
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = LiGRU(3, 5, bidirectional=True)
    other.load_state_dict(torch.load(file, weights_only=True))
    x = torch.randn(4, 2, 3)
    assert torch.equal(layer.eval()(x)[0], other.eval()(x)[0])
    assert {"running_mean_l0", "running_var_l0_reverse", "num_batches_tracked_l0", "gain_ih_l0"} < set(
        other.state_dict()
    )
    other.reset_parameters()
    assert other.num_batches_tracked_l0 == 0
    assert (other.running_var_l0 == 1).all()
    assert (other.gain_ih_l0 == 1).all()


def test_a_single_step_has_no_variance_and_no_step_changes_nothing():
    layer = LiGRU(3, 5)
    with pytest.raises(ConfigError, match=r"a single step of a single row.*call `eval\(\)`"):
        layer(torch.randn(1, 1, 3))
    assert torch.isfinite(layer(torch.randn(2, 1, 3))[0]).all()
    before = [b.clone() for b in layer.buffers()]
    layer(torch.randn(0, 2, 3))
    layer(torch.randn(4, 2, 3), lengths=[0, 0])
    assert all(torch.equal(a, b) for a, b in zip(before, layer.buffers(), strict=True))
    assert layer.eval()(torch.randn(1, 1, 3))[0].shape == (1, 1, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nonlinearity": "gelu"}, '`nonlinearity` (=\'gelu\') must be "tanh" or "relu"'),
        ({"normalization": "layer"}, "`normalization` (='layer') must be \"batch\" or None"),
        ({"momentum": 1.5}, "`momentum` (=1.5) must be a number from 0 up to but not including 1"),
        ({"recurrent_init": "identity"}, "is for an RNN"),
    ],
)
def test_options_that_cannot_be(unchecked, options, message):
    with pytest.raises(ConfigError) as error:
        LiGRU(3, 5, **options)
    assert message in str(error.value)


def test_says_what_it_is():
    assert repr(LiGRU(3, 5)) == "LiGRU(3, 5)"
    assert (
        repr(LiGRU(3, 5, normalization=None, nonlinearity="tanh"))
        == "LiGRU(3, 5, activation='tanh', normalization=None)"
    )


def test_a_memory_is_kept_by_z():
    layer = LiGRU(3, 500, memory=(50, 50))
    kept = layer.bias_ih_l0.detach()[:500].double().sigmoid()
    torch.testing.assert_close(1 / (1 - kept), torch.full((500,), 50.0, dtype=torch.float64), rtol=1e-4, atol=0)

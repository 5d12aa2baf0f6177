"""What networks that write ask the kernels for is what PyTorch computes, and no row hangs on the rows beside it."""

import pytest
import torch
import torch.nn.functional as F

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.ops.writing import Product, attend, computed, log_sums, means, tanh

SIZES = [(1, 1), (16, 16), (64, 359), (256, 2000), (1024, 1), (5, 4), (33, 49), (7, 300)]


@pytest.fixture(params=["best", "scalar"])
def isa(request):
    before = _core.isa()
    if request.param != "best":
        _core.use_isa(request.param)
    yield
    _core.use_isa(before)


@pytest.fixture(params=[1, 2], ids="threads={}".format)
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads", "isa")
@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
@pytest.mark.parametrize("biased", [True, False])
def test_products(inputs, outputs, biased):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(300, inputs), torch.randn(outputs, inputs), torch.randn(outputs) if biased else None
    multiplied = Product(weight, bias)
    whole = multiplied(x)
    expected = F.linear(x.double(), weight.double(), None if bias is None else bias.double())
    torch.testing.assert_close(whole.double(), expected, rtol=1e-5, atol=1e-4)
    for count in (1, 2, 3, 5, 7, 13, 129):
        assert torch.equal(torch.cat([multiplied(x[begin : begin + count]) for begin in range(0, 300, count)]), whole)


def test_a_product_has_the_weights_that_it_was_made_of():
    weight, x = torch.ones(3, 4), torch.ones(2, 4)
    multiplied = Product(weight)
    weight.zero_()
    assert torch.equal(multiplied(x), torch.full((2, 3), 4.0))
    assert multiplied(torch.ones(4, 2).T).shape == (2, 3)
    assert multiplied(torch.empty(0, 4)).shape == (0, 3)


def test_other_kernels_do_not_read_what_was_laid_out():
    before, multiplied = _core.isa(), Product(torch.ones(3, 4))
    try:
        _core.use_isa("scalar")
        with pytest.raises(ConfigError, match="laid out for the kernels for"):
            multiplied(torch.ones(2, 4))
    finally:
        _core.use_isa(before)


@pytest.mark.usefixtures("threads", "isa")
@pytest.mark.parametrize(("hidden", "memory"), [(64, 128), (16, 5), (70, 33), (1, 1)])
@pytest.mark.parametrize("queries", [1, 5])
def test_attention(hidden, memory, queries):
    torch.manual_seed(0)
    lengths, asked = torch.tensor([40, 1, 16, 17, 5]), torch.tensor([0, 1, 2, 3, 4, 2])
    keys, states, score = torch.randn(5, 40, hidden), torch.randn(5, 40, memory), torch.randn(hidden) / 4
    query = torch.randn(6, queries, hidden)
    for source, length in enumerate(lengths.tolist()):
        keys[source, length:] = states[source, length:] = torch.nan  # which nobody looks at
    context, weights = attend(query, keys, states, score, asked, lengths)
    for row, source in enumerate(asked.tolist()):
        length = int(lengths[source])
        seen = torch.tanh(query[row, :, None].double() + keys[source, :length].double())
        shares = (seen @ score.double()).softmax(1)
        torch.testing.assert_close(weights[row, :, :length].double(), shares, rtol=1e-4, atol=1e-5)
        assert (weights[row, :, length:] == 0).all()
        expected = shares @ states[source, :length].double()
        torch.testing.assert_close(context[row].double(), expected, rtol=1e-4, atol=1e-5)
        one = torch.tensor([length])
        short = keys[source : source + 1, :length], states[source : source + 1, :length]
        alone = attend(query[row : row + 1, :1], *short, score, torch.tensor([0]), one)
        assert torch.equal(alone[0][0, 0], context[row, 0])
        assert torch.equal(alone[1][0, 0], weights[row, 0, :length])


def test_means_have_the_same_bits_with_any_padding():
    torch.manual_seed(0)
    states, lengths = torch.randn(5, 70, 40), torch.tensor([70, 7, 1, 33, 16])
    whole = means(states, lengths)
    for source, length in enumerate(lengths.tolist()):
        short = states[source : source + 1, :length]
        torch.testing.assert_close(whole[source], short[0].mean(0))
        assert torch.equal(means(short, lengths[source : source + 1])[0], whole[source])


@pytest.mark.usefixtures("threads", "isa")
@pytest.mark.parametrize("count", [1, 3, 16, 63, 64, 65, 6259])
def test_log_sums(count):
    torch.manual_seed(0)
    x = torch.randn(3, 7, count) * torch.tensor([0.01, 1.0, 30.0])[:, None, None]
    found = log_sums(x)
    torch.testing.assert_close(found.double(), x.double().logsumexp(2), rtol=1e-6, atol=2e-6)
    assert torch.equal(log_sums(x[1, 2:3]), found[1, 2:3])
    assert torch.isfinite(log_sums(torch.tensor([[-3e38, 3e38, 0.0]]))).all()


@pytest.mark.usefixtures("isa")
def test_tanh():
    torch.manual_seed(0)
    x = torch.randn(7, 33) * 3
    torch.testing.assert_close(tanh(x), torch.tanh(x))
    assert torch.equal(tanh(x[2:3, 5:]), tanh(x)[2:3, 5:])
    assert torch.equal(tanh(x.T), tanh(x).T)


def test_what_the_kernels_take():
    assert computed(torch.ones(2), None)
    assert not computed(torch.ones(2).double())
    assert not computed(torch.ones(2, device="meta"))

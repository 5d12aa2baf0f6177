"""Additive attention is the equation of its paper, and looks at no padding."""

import torch

from sluicegate.nn.attention import AdditiveAttention


def made(query=3, memory=5, hidden=4, dtype=torch.float64):
    torch.manual_seed(0)
    return AdditiveAttention(query, memory, hidden).to(dtype)


def written_out(attention, query, memory, length):
    """One query and one memory, as in the paper."""
    v, w, u = attention.score.weight[0], attention.of_query, attention.of_memory.weight
    scores = [v @ torch.tanh(w.weight @ query + w.bias + u @ memory[step]) for step in range(length)]
    weights = torch.exp(torch.stack(scores))
    weights = weights / weights.sum()
    return sum(weight * memory[step] for step, weight in enumerate(weights)), weights


def test_is_its_equation():
    attention = made()
    query, memory = torch.randn(2, 6, 3).double(), torch.randn(2, 7, 5).double()
    lengths = torch.tensor([7, 4])
    beyond = torch.arange(7)[None] >= lengths[:, None]
    context, weights = attention(query, attention.keys(memory), memory, beyond)
    for row, length in enumerate(lengths.tolist()):
        for place in range(6):
            expected, shares = written_out(attention, query[row, place], memory[row], length)
            torch.testing.assert_close(context[row, place], expected)
            torch.testing.assert_close(weights[row, place, :length], shares)
            assert (weights[row, place, length:] == 0).all()


def test_nothing_beyond_is_the_same_as_none():
    attention = made()
    query, memory = torch.randn(2, 3, 3).double(), torch.randn(2, 4, 5).double()
    keys = attention.keys(memory)
    none = attention(query, keys, memory, torch.zeros(2, 4, dtype=torch.bool))
    for found, expected in zip(none, attention(query, keys, memory), strict=True):
        assert torch.equal(found, expected)


def test_gradients():
    attention = made()
    query, memory = torch.randn(2, 3, 3).double(), torch.randn(2, 4, 5).double()
    beyond = torch.tensor([[False] * 4, [False, False, True, True]])

    def both(query, memory, *weights):
        named = dict(zip(dict(attention.named_parameters()), weights, strict=True))
        keys = memory @ named["of_memory.weight"].T
        return torch.func.functional_call(attention, named, (query, keys, memory, beyond))

    inputs = [query, memory, *attention.parameters()]
    assert torch.autograd.gradcheck(both, [x.detach().requires_grad_() for x in inputs])


@torch.no_grad()
def test_padding_and_company_change_no_bit():
    attention = made(dtype=torch.float32)
    query, memory = torch.randn(9, 5, 3), torch.randn(9, 7, 5)
    whole = attention(query, attention.keys(memory), memory)
    for row in range(9):
        mine = memory[row : row + 1]
        alone = attention(query[row : row + 1], attention.keys(mine), mine)
        assert torch.equal(alone[0][0], whole[0][row])
        assert torch.equal(alone[1][0], whole[1][row])

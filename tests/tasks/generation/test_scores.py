"""The best of all sub-words are found, whatever their number, without looking at each."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.generation.scores import Scores


@pytest.mark.parametrize("tokens", [6, 1024, 1025, 1152, 1999, 6259])
@pytest.mark.parametrize("count", [2, 10, 96, 200])
def test_the_best_of_all(tokens, count):
    torch.manual_seed(tokens)
    logits, less, total = torch.randn(4, 3, tokens), torch.randn(4, 3) + 9, torch.randn(4, 3)
    logits[..., 0] = -torch.inf
    logits[0, :, 3] += 20
    logits[1, :, -1] += 20
    best = Scores(logits, less).best(total.numpy(), count)
    worth, places = (total[..., None] + (logits - less[..., None])).flatten(1).topk(min(count, 3 * tokens), 1)
    assert best.worth.tolist() == worth.tolist()
    real = worth.isfinite().numpy()
    assert best.tokens[real].tolist() == (places % tokens).numpy()[real].tolist()
    assert best.parents[real].tolist() == (places // tokens).numpy()[real].tolist()
    told = (logits - less[..., None]).flatten(1).gather(1, places).numpy()
    assert best.chances[real].tolist() == told[real].tolist()


def test_few_that_may_follow():
    """There are fewer of them than asked for."""
    logits = torch.full((2, 3, 2000), -torch.inf)
    logits[0, 1, 7] = logits[0, 2, 1999] = logits[1, 0, 96] = 1.0
    best = Scores(logits, torch.zeros(2, 3)).best(np.array([[0.0, -1.0, -2.0]] * 2, np.float32), 4)
    assert best.worth[0].tolist() == [0.0, -1.0, -torch.inf, -torch.inf]
    assert best.tokens[0, :2].tolist() == [7, 1999]
    assert best.parents[0, :2].tolist() == [1, 2]
    assert best.worth[1, 0] == 1.0
    assert best.tokens[1, 0] == 96

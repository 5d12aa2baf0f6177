"""What words that are spelled alike have in common."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.classify_text import spelling as module
from sluicegate.tasks.classify_text.model import Spelled
from sluicegate.tasks.classify_text.spelling import Spelling

TOKENS = ["[PAD]", "[UNK]", "[BLANK]", "sing", "sings", "##ings", "of"]


@pytest.fixture(autouse=True)
def _of_two(monkeypatch):
    monkeypatch.setattr(module, "_LEAST", 2)


def test_runs_are_those_that_two_tokens_share():
    spelling = Spelling.of(TOKENS)
    rows = [
        set(spelling.ngrams.values[begin:end])
        for begin, end in zip(spelling.ngrams.bounds, spelling.ngrams.bounds[1:], strict=False)
    ]
    assert rows[0] == rows[1] == rows[2] == set()
    sing, sings, piece, of = rows[3:]
    assert of == set()  # "<of>" is nobody else's
    # <si sin ing, <sin sing, <sing: the runs of "<sing>" but for its end
    assert len(sing) == 6
    assert sing < sings
    # ing ngs gs>, ings ngs>, ings>: a piece has an end and no beginning
    assert len(piece & sings) == 6
    assert spelling.count == len(set().union(*rows))


def test_a_token_takes_the_mean_of_its_runs():
    spelling = Spelling.of(TOKENS)
    torch.manual_seed(0)
    spelled = Spelled(spelling, 4)
    tokens = torch.tensor([[3, 0, 6], [4, 3, 5]])
    found = spelled(tokens)
    weights = spelled.runs.weight
    for row, column in np.ndindex(2, 3):
        token = int(tokens[row, column])
        runs = spelling.ngrams.values[spelling.ngrams.bounds[token] : spelling.ngrams.bounds[token + 1]]
        expected = weights[runs.astype(np.int64)].mean(0) if len(runs) else torch.zeros(4)
        torch.testing.assert_close(found[row, column], expected)


def test_tokens_without_anything_in_common():
    spelling = Spelling.of(["[PAD]", "ab", "cd"])
    assert spelling.count == 0
    assert not Spelled(spelling, 4)(torch.tensor([[0, 1, 2]])).any()

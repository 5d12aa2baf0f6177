"""Hypotheses that can win nothing any more: whatever is said then, the best text stays the best."""

import itertools
import math

import numpy as np
import pytest

from sluicegate.tasks.transcribe.search import families, frontier
from sluicegate.tasks.transcribe.search.search import Beam, Search
from sluicegate.tasks.transcribe.search.word_model import WordModel
from tests.tasks.transcribe.conftest import exact

WIDE = Beam(width=10_000, language_weight=0.7, threshold=math.inf, tokens=99, cut=math.inf)
TOKENS = ["a", " ", "b"]
LANGUAGE = WordModel.of(["a b", "ab a", "b a b", "ba"] * 2)


@pytest.fixture
def counted(monkeypatch):
    """How many hypotheses were let go of."""
    lost = []

    def without_lost(nodes, root, growth):
        kept = families.without_lost(nodes, root, growth)
        lost.append(len(nodes) - len(kept))
        return kept

    monkeypatch.setattr(frontier, "without_lost", without_lost)
    monkeypatch.setattr("sluicegate.tasks.transcribe.search.search._OFTEN", 1)
    return lost


@pytest.mark.parametrize("models", [{}, {"language": LANGUAGE}])
def test_the_best_text_stays_the_best(counted, models):
    """Some tokens are impossible in some frames, so that no mass comes into some texts any more."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        chances = rng.dirichlet(np.ones(4), 6) * (rng.random((6, 4)) < 0.6)
        chances[chances.sum(1) == 0] = 0.25
        with np.errstate(divide="ignore"):
            log_probs = np.log(chances).astype(np.float32)
        search = Search(TOKENS, WIDE, **models)
        search.push(log_probs)
        told = search.best(final=True)
        worth = {text: math.log(chance) for text, chance in exact(log_probs, TOKENS).items() if chance > 0}
        for text in worth if models else ():
            words, context = text.split(), LANGUAGE.beginning
            for word in words:
                chance, context = LANGUAGE.follow(context, word)
                worth[text] += 0.7 * chance
            worth[text] += 0.7 * LANGUAGE.end(context) * bool(words)
        first, second = itertools.islice(sorted([*worth.values(), -math.inf], reverse=True), 2)
        assert told.score == pytest.approx(first, abs=1e-5)
        assert worth[told.text] == pytest.approx(first, abs=1e-5) or second > first - 1e-5
    assert sum(counted) > 10  # there were such

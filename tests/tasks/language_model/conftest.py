"""Small texts, and a language model trained on some."""

import numpy as np
import pytest

import sluicegate

WHO = ["the cat", "a dog", "my bird", "the old man"]
DOES = ["sat on", "ran to", "looked at", "jumped over"]
WHAT = ["the mat", "a tree", "the house", "my hat"]
QUICK = {"hidden": 16, "embedding": 16, "batch": 8, "piece": 12, "epochs": 12, "learning_rate": 0.02}


def make_texts(count=60, lines=3, seed=0):
    """Texts of short sentences; no word is rare."""
    rng = np.random.default_rng(seed)
    return [
        "\n".join(f"{WHO[a]} {DOES[b]} {WHAT[c]} ." for a, b, c in rng.integers(0, 4, (lines, 3))) for _ in range(count)
    ]


@pytest.fixture(scope="session")
def texts():
    return make_texts


@pytest.fixture(scope="session")
def quick():
    """Knobs with which training takes a second."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def trained():
    return sluicegate.LanguageModel(**QUICK).fit(make_texts(), progress=False)


@pytest.fixture(scope="session")
def spelling():
    """A model of sub-words, some of them parts of words."""
    return sluicegate.LanguageModel(subwords=30, **QUICK).fit(make_texts(), progress=False)

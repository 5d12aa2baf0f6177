"""Small tables of texts, and a classifier trained on one."""

import numpy as np
import polars as pl
import pytest

import sluicegate

WORDS = {
    "good": ["fine", "lovely", "great", "moving", "funny"],
    "bad": ["awful", "dull", "poor", "tedious", "flat"],
    "mixed": ["uneven", "odd", "fair", "middling", "patchy"],
}
FILLERS = ["the film", "a story", "its cast", "this plot", "an ending", "the music"]
QUICK = {"epochs": 15, "folds": 2, "hidden": 8, "embedding": 8, "batch": 16, "learning_rate": 0.02, "blend": False}


def make_texts(rows=120, classes=("bad", "good"), seed=0, weights=None):
    """Sentences in which one word tells the class."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, size=rows, p=weights)
    told = [
        f"{rng.choice(FILLERS)} is {rng.choice(WORDS[label])} and {rng.choice(FILLERS)} is long" for label in labels
    ]
    return pl.DataFrame({"text": told, "label": labels})


@pytest.fixture(scope="session")
def texts():
    return make_texts


@pytest.fixture(scope="session")
def quick():
    """Knobs with which training takes a second."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def table():
    return make_texts()


@pytest.fixture(scope="session")
def trained(table):
    return sluicegate.TextClassifier(**QUICK).fit(table, progress=False)


def as_table(counts, terms):
    """Counts as an array `[texts terms]`."""
    found = np.zeros((len(counts.bounds) - 1, len(terms.keys)))
    found[np.repeat(np.arange(len(found)), np.diff(counts.bounds)), counts.terms] = counts.times
    return found

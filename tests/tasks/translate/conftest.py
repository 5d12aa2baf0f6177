"""Small tables of pairs, and a translator trained on one."""

import numpy as np
import polars as pl
import pytest

import sluicegate

ARTICLES = {"ein": "a", "der": "the", "kein": "no"}
NOUNS = {"Hund": "dog", "Mann": "man", "Baum": "tree", "Vogel": "bird", "Fisch": "fish"}
VERBS = {"rennt": "runs", "schläft": "sleeps", "springt": "jumps", "singt": "sings"}
QUICK = {
    "hidden": 16,
    "embedding": 16,
    "layers": 1,
    "epochs": 8,
    "batch": 16,
    "subwords": 60,
    "learning_rate": 2e-2,
    "dropout": 0.1,
    "beam": 3,
}


def make_pairs(rows=240, seed=0):
    """Sentences of three words, and in each third of them the verb comes first."""
    rng = np.random.default_rng(seed)
    pairs = []
    for row in range(rows):
        article, noun, verb = (str(rng.choice(list(words))) for words in (ARTICLES, NOUNS, VERBS))
        said = f"{verb} {article} {noun}?" if row % 3 == 0 else f"{article} {noun} {verb}."
        mark = "?" if row % 3 == 0 else "."
        pairs.append((said, f"{ARTICLES[article]} {NOUNS[noun]} {VERBS[verb]}{mark}"))
    return pl.DataFrame(pairs, schema=["source", "target"], orient="row")


@pytest.fixture(scope="session")
def pairs():
    return make_pairs


@pytest.fixture(scope="session")
def quick():
    """Knobs with which training takes a second or two."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def table():
    return make_pairs()


@pytest.fixture(scope="session")
def trained(table):
    return sluicegate.Translator(**QUICK | {"epochs": 24}).fit(table, progress=False)

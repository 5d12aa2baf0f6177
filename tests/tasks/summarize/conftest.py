"""Small tables of texts with their summaries, and a summarizer trained on one."""

import numpy as np
import polars as pl
import pytest

import sluicegate

TOPICS = ["budget", "meeting", "contract", "travel", "holiday", "server"]
DAYS = ["Monday", "Tuesday", "Friday", "Sunday"]
FILLERS = ["Please have a look.", "Thank you all.", "More will follow soon.", "Call me with questions."]
QUICK = {
    "hidden": 16,
    "embedding": 16,
    "layers": 1,
    "epochs": 8,
    "batch": 16,
    "subwords": 80,
    "learning_rate": 2e-2,
    "dropout": 0.1,
    "beam": 3,
}


def make_mails(rows=160, seed=0):
    """Mails that tell of one topic on one day, among other sentences."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        topic, day = str(rng.choice(TOPICS)), str(rng.choice(DAYS))
        first, last = rng.choice(FILLERS, 2, replace=False)
        found.append((f"{first} The {topic} is now on {day}. {last}", f"{topic} on {day}"))
    return pl.DataFrame(found, schema=["text", "summary"], orient="row")


@pytest.fixture(scope="session")
def mails():
    return make_mails


@pytest.fixture(scope="session")
def quick():
    """Knobs with which training takes a second or two."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def table():
    return make_mails()


@pytest.fixture(scope="session")
def trained(table):
    return sluicegate.Summarizer(**QUICK | {"epochs": 24}).fit(table, progress=False)

"""What is heard of texts, as a network that is not sure tells it, and a transcriber trained on a table of tones."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from tests.tasks.transcribe.tones import fitted, make_table


def exact(log_probs, tokens):
    """The probability of each text of a lattice, summed over all its paths one by one."""
    sums = defaultdict(float)
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        said = "".join(tokens[token - 1] for token, _ in itertools.groupby(path) if token)
        text = " ".join(said.replace("\u2581", " ").split())
        sums[text] += math.exp(sum(float(log_probs[frame, token]) for frame, token in enumerate(path)))
    return sums


def heard(text, tokens, seed=0, sure=6.0, silence=10):
    """A lattice of characters: each takes a frame or two, with blanks between, and some are taken for others."""
    rng = np.random.default_rng(seed)
    said = [0] * silence
    for letter in text:
        said += [tokens.index(letter) + 1] * rng.integers(1, 3) + [0] * rng.integers(1, 3)
    said = np.array([*said, *[0] * silence])
    scores = rng.normal(size=(len(said), len(tokens) + 1))
    scores[np.arange(len(said)), said] += sure + 3 * (said == 0)
    spoken = np.flatnonzero(said)
    scores[spoken, 0] += sure * rng.uniform(0, 0.9, len(spoken))
    confused = spoken[rng.random(len(spoken)) < 0.3]
    scores[confused, rng.integers(1, len(tokens) + 1, len(confused))] += sure * rng.uniform(0.5, 1.1, len(confused))
    return (scores - np.log(np.exp(scores).sum(1, keepdims=True))).astype(np.float32)


def certain(text, tokens, rest=1e-4, blanks=2):
    """A lattice that hardly doubts a text: each character in a frame, with blanks around it."""
    said = [0] * blanks
    for letter in text:
        said += [tokens.index(letter) + 1, *[0] * blanks]
    chances = np.full((len(said), len(tokens) + 1), rest)
    chances[np.arange(len(said)), said] = 1 - rest * len(tokens)
    return np.log(chances).astype(np.float32)


@pytest.fixture(scope="session")
def letters():
    return list(" abcdefghijklmnopqrstuvwxyz")


@pytest.fixture(scope="session")
def table():
    return make_table()


@pytest.fixture(scope="session")
def trained(table):
    return fitted(table)

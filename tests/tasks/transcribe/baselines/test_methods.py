"""The simple methods that suit the texts are trained, and come back from what is saved of them as they were."""

import json

import numpy as np
import pytest

pytest.importorskip("kaldi_native_fbank", reason="the extra `speech` is not installed")

from sluicegate.tasks.transcribe.baselines import hidden_markov, methods
from sluicegate.tasks.transcribe.baselines.methods import Baselines, Method

RATE = 8000
TONES = {"low": (300, 400), "up": (400, 1600), "down": (1800, 500)}


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch):
    monkeypatch.setattr(hidden_markov, "_GAUSSIANS", (1, 1, 2))


def tone(rng, word):
    """A word as a tone that goes from one pitch to another."""
    begin, end = TONES[word]
    samples = int(rng.uniform(0.3, 0.5) * RATE)
    pitch = np.linspace(begin, end, samples) * rng.uniform(0.95, 1.05)
    sound = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE) + rng.normal(0, 0.01, samples)
    return np.concatenate([quiet(rng), sound, quiet(rng)]).astype(np.float32)


def quiet(rng):
    return rng.normal(0, 0.001, int(rng.uniform(0.05, 0.15) * RATE))


def spoken(seed, count, most=1):
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(list(TONES), rng.integers(1, most + 1))) for _ in range(count)]
    return [np.concatenate([tone(rng, word) for word in text.split()]) for text in texts], texts


def test_of_single_words_both_methods_are_right_and_come_back_the_same():
    heard, texts = spoken(0, 30)
    found = Baselines.fit(heard, texts, RATE)
    assert [method.name for method in found.methods] == ["time_warping", "hidden_markov"]
    assert all(isinstance(method, Method) for method in found.methods)
    new, said = spoken(1, 8)
    written = found.transcribe(new)
    assert written["time_warping"] == said
    assert np.mean([a == b for a, b in zip(written["hidden_markov"], said, strict=True)]) > 0.8
    arrays = {name: array.copy() for name, array in found.arrays().items()}
    restored = Baselines.restored(arrays, json.loads(json.dumps(found.settings())))
    assert restored.transcribe(new) == written


def test_of_sentences_there_are_no_templates():
    heard, texts = spoken(0, 30, most=5)
    found = Baselines.fit(heard, texts, RATE)
    assert [method.name for method in found.methods] == ["hidden_markov"]
    new, said = spoken(1, 8, most=5)
    words = [
        pair
        for a, b in zip(found.transcribe(new)["hidden_markov"], said, strict=True)
        for pair in zip(a.split(), b.split(), strict=False)
    ]
    assert np.mean([one == other for one, other in words]) > 0.7


def test_an_hour_is_enough(monkeypatch):
    heard, texts = spoken(0, 30)
    monkeypatch.setattr(methods, "_SECONDS", 6.0)
    few = Baselines.fit(heard, texts, RATE)
    assert 0 < len(few.methods[0].lengths) < 15
    again, other = (Baselines.fit(heard, texts, RATE, seed) for seed in (0, 1))
    np.testing.assert_array_equal(few.methods[0].known, again.methods[0].known)
    assert few.methods[0].known.shape != other.methods[0].known.shape

"""Templates are compared along the best path, and the nearest ones vote."""

import numpy as np
import pytest

pytest.importorskip("kaldi_native_fbank", reason="the extra `speech` is not installed")

from sluicegate.tasks.transcribe.baselines import templates
from sluicegate.tasks.transcribe.baselines.templates import Templates, distances


def by_hand(left, right):
    """The sum along the best path, cell by cell, where a step of both counts twice (Sakoe & Chiba 1978)."""
    apart = np.linalg.norm(left[:, None] - right[None], axis=2)
    best = np.full((len(left) + 1, len(right) + 1), np.inf)
    best[0, 0] = 0
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            cost = apart[i - 1, j - 1]
            best[i, j] = min(best[i - 1, j] + cost, best[i, j - 1] + cost, best[i - 1, j - 1] + 2 * cost)
    return best[-1, -1] / (len(left) + len(right))


@pytest.mark.parametrize("heard", [1, 4, 9])
def test_distances_are_those_of_the_best_path(heard):
    rng = np.random.default_rng(0)
    lengths = np.array([1, 2, 5, 5, 8])
    known = rng.normal(size=(8, 5, 39)).astype(np.float32)
    part = rng.normal(size=(heard, 39)).astype(np.float32)
    expected = [by_hand(part, known[:length, at]) for at, length in enumerate(lengths)]
    np.testing.assert_allclose(distances(part, known, lengths), expected, rtol=1e-5)


def test_who_speaks_slowly_says_the_same():
    rng = np.random.default_rng(0)
    part = rng.normal(size=(20, 39)).astype(np.float32)
    slow = np.repeat(part, 3, axis=0)
    assert distances(slow, part[:, None], np.array([20]))[0] == pytest.approx(0, abs=1e-3)


def words(rng, count, sort):
    """Recordings of a sort of word, each of other lengths and a little different."""
    shape = np.random.default_rng(sort).normal(size=(12, 39))
    return [
        (np.repeat(shape, rng.integers(1, 4, 12), axis=0) + 0.0).astype(np.float32)
        + rng.normal(0, 0.3, 39).astype(np.float32)
        for _ in range(count)
    ]


def known_words(rng, count=6):
    heard = [part for sort in range(4) for part in words(rng, count, sort)]
    return heard, [f"word {sort}" for sort in range(4) for _ in range(count)]


def test_words_are_known_again(monkeypatch):
    rng = np.random.default_rng(1)
    heard, texts = known_words(rng)
    model = Templates.fit(heard, texts)
    new, said = known_words(rng, 3)
    assert model.transcribe(new) == said
    restored = Templates.restored(model.arrays(), model.facts())
    assert restored.transcribe(new) == said
    monkeypatch.setattr(templates, "_TOGETHER", 5)
    np.testing.assert_array_equal(model.transcribe(new), said)


def test_of_many_recordings_each_text_keeps_equally_many(monkeypatch):
    monkeypatch.setattr(templates, "_REMEMBERED", 9)
    rng = np.random.default_rng(1)
    heard, texts = known_words(rng)
    heard, texts = heard[5:], texts[5:]  # of the first text, one is left
    counts = np.bincount(Templates.fit(heard, texts).truth)
    assert sorted(counts) == [1, 2, 3, 3]
    first, again, other = (Templates.fit(heard, texts, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.known, again.known)
    assert first.known.shape != other.known.shape or not np.array_equal(first.known, other.known)


def test_a_very_long_recording_is_thinned():
    rng = np.random.default_rng(0)
    heard, texts = known_words(rng)
    model = Templates.fit(heard, texts)
    assert model.transcribe([np.repeat(heard[0], 200, axis=0)]) == [texts[0]]


def test_few_texts_suit_and_sentences_do_not():
    assert Templates.suits(["yes", "no", "yes", "no"])
    assert not Templates.suits(["yes", "no", "perhaps"])
    assert not Templates.suits(["yes", "yes"])
    assert not Templates.suits([str(number) for number in range(300)] * 2)

"""Error rates are those of jiwer and of an edit distance by hand, and the bootstrap sees what is there."""

import math
import sys

import numpy as np
import pytest

from sluicegate.errors import MissingExtra
from sluicegate.metrics.transcription import (
    Confusion,
    confusions,
    counted,
    rates,
    require_jiwer,
    scored,
    wer_p_value,
    words_right,
)

jiwer = pytest.importorskip("jiwer", reason="the extra `speech` is not installed")

REFERENCES = ["one two three", "nine", "", "four four five", "zero", "a b c d"]
WRITTEN = ["one too three", "nine nine", "oh", "four five", "", "a d c b"]


def distance(left, right):
    """The fewest edits from one sequence to another (Wagner & Fischer 1974)."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


def test_each_text_has_the_fewest_edits():
    rng = np.random.default_rng(0)
    texts, references = ([" ".join(rng.choice(list("abc"), rng.integers(0, 7))) for _ in range(60)] for _ in range(2))
    found = counted(texts, references)
    pairs = list(zip(references, texts, strict=True))
    assert found[:, 0].tolist() == [distance(said.split(), text.split()) for said, text in pairs]
    assert found[:, 1].tolist() == [len(said.split()) for said in references]
    assert found[:, 2].tolist() == [distance(said, text) for said, text in pairs]
    assert found[:, 3].tolist() == [len(said) for said in references]
    assert found[:, 4].tolist() == [said == text for said, text in pairs]


def test_figures_are_jiwers():
    found = scored(WRITTEN, REFERENCES)
    assert found.wer == pytest.approx(100 * jiwer.wer(REFERENCES, WRITTEN))
    assert found.cer == pytest.approx(100 * jiwer.cer(REFERENCES, WRITTEN))
    assert found.sentence_accuracy == 0
    assert scored(REFERENCES, REFERENCES) == (0, 0, 100)


def test_parts_add_up():
    counts = counted(WRITTEN, REFERENCES)
    assert rates(counts[:3]) == scored(WRITTEN[:3], REFERENCES[:3])
    assert rates(counts) == scored(WRITTEN, REFERENCES)


def test_silence_is_a_text_and_nothing_has_no_figures():
    silent = scored(["", "hm"], ["", ""])
    assert math.isnan(silent.wer)
    assert math.isnan(silent.cer)
    assert silent.sentence_accuracy == 50
    assert counted([], []).shape == (0, 5)
    assert all(math.isnan(figure) for figure in scored([], []))
    assert confusions([], []) == []


def test_confusions_by_hand():
    found = confusions(WRITTEN[:5], REFERENCES[:5])
    assert set(found) == {
        Confusion("two", "too", 1),
        Confusion("", "nine", 1),
        Confusion("", "oh", 1),
        Confusion("four", "", 1),
        Confusion("zero", "", 1),
    }
    assert confusions(["a", "a", "c"], ["b", "b", "d"])[0] == Confusion("b", "a", 2)
    assert confusions(REFERENCES, REFERENCES) == []


def test_words_that_are_right():
    assert words_right("one too three", "one two three") == [True, False, True]
    assert words_right("", "one") == []
    assert words_right("one one", "") == [False, False]


def counts_of(errors):
    found = np.zeros((len(errors), 5), dtype=np.int64)
    found[:, 0], found[:, 1] = errors, 10
    return found


def test_the_bootstrap_sees_a_difference_and_calls_noise_noise():
    rng = np.random.default_rng(0)
    good, other = (counts_of(rng.binomial(10, 0.2, 200)) for _ in range(2))
    bad = counts_of(rng.binomial(10, 0.3, 200))
    assert wer_p_value(good, bad) < 0.01
    assert wer_p_value(bad, good) == pytest.approx(wer_p_value(good, bad), abs=0.01)
    assert wer_p_value(good, other) > 0.05
    assert wer_p_value(good, good) == 1.0
    assert wer_p_value(good[:1], bad[:1]) == 1.0  # a single recording tells nothing


def test_recordings_of_one_speaker_are_not_counted_apart():
    """Of 100 recordings one half is of a speaker whom the second method hears worse: of speakers, that is only one."""
    first, second = counts_of([1] * 100), counts_of([1] * 50 + [3] * 50)
    speakers = ["a"] * 25 + ["b"] * 25 + ["c"] * 50
    assert wer_p_value(first, second) < 0.001
    assert wer_p_value(first, second, speakers) > 0.2
    assert wer_p_value(first, second, ["all"] * 100) == wer_p_value(first, second)


def test_without_jiwer(monkeypatch):
    require_jiwer()
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(MissingExtra, match=r"sluicegate\[speech\]"):
        require_jiwer()

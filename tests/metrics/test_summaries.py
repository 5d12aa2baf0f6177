"""ROUGE is that of rouge-score, for scripts that it cannot cut into words too."""

import sys

import numpy as np
import pytest

from sluicegate.errors import MissingExtra
from sluicegate.metrics import summaries
from sluicegate.metrics.summaries import NAMES, by_text, require_rouge

rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")

REFERENCES = ["Meeting moved to Monday", "Gas contracts for the new plants", "re: 2002 budget"]
WRITTEN = ["The meeting moves to Monday", "contract for new plant", "lunch"]


def test_figures_are_rouge_scores():
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    expected = [
        [scorer.score(reference, text)[name].fmeasure for name in NAMES]
        for text, reference in zip(WRITTEN, REFERENCES, strict=True)
    ]
    found = by_text(WRITTEN, REFERENCES)
    np.testing.assert_array_equal(found, 100 * np.array(expected))
    assert found[0, 0] > 80  # moved and moves have one stem
    assert (found[2] == 0).all()


def test_a_case_by_hand():
    """Of five words three are shared, in order: precision 3/5 and recall 3/4; of pairs, one of four and three."""
    found = by_text(["the cat sat on mats"], ["the cat lay on"])
    np.testing.assert_allclose(found[0], [200 / 3, 200 / 7, 200 / 3])


@pytest.mark.parametrize("text", ["быстрая лиса", "γρήγορη αλεπού", "الثعلب السريع", "敏捷的 狐狸"])
def test_words_of_other_scripts_count(text):
    np.testing.assert_allclose(by_text([text], [text]), 100)
    first, _ = text.split()
    np.testing.assert_allclose(by_text([first], [text])[0], [200 / 3, 0, 200 / 3])
    assert (by_text(["plain words"], [text]) == 0).all()


def test_nothing_is_no_figure():
    assert by_text([], []).shape == (0, 3)
    assert (by_text([""], ["a word"]) == 0).all()
    assert (by_text(["..."], ["!!!"]) == 0).all()


def test_without_rouge_score(monkeypatch):
    require_rouge()
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    summaries._scorer.cache_clear()
    with pytest.raises(MissingExtra, match=r"sluicegate\[summarize\]"):
        require_rouge()

"""BLEU and chrF are those of sacrebleu, and its bootstrap sees what is there."""

import sys

import numpy as np
import pytest

from sluicegate.errors import MissingExtra
from sluicegate.metrics.translation import (
    bleu_p_value,
    interval,
    lowercased,
    require_sacrebleu,
    scored,
    sentence_chrf,
    signatures,
    tokenizer_for,
)

sacrebleu = pytest.importorskip("sacrebleu")

REFERENCES = ["A dog runs in the snow.", "Two men are playing guitars.", "The child, smiling, holds 3 balloons."] * 4
WRITTEN = ["A dog is running in the snow.", "two men play guitar.", "The child holds 3 red balloons, smiling."] * 4


def test_figures_are_sacrebleus():
    found = scored(WRITTEN, REFERENCES)
    assert found.bleu == sacrebleu.corpus_bleu(WRITTEN, [REFERENCES]).score
    assert found.chrf == sacrebleu.corpus_chrf(WRITTEN, [REFERENCES]).score
    assert 0 < found.bleu < found.chrf < 100
    assert scored(REFERENCES, REFERENCES).bleu == pytest.approx(100)
    assert scored(["x"], ["a dog runs in the snow"]).bleu == 0


def test_lowercased_is_sacrebleus_and_says_so():
    found, signature = lowercased(WRITTEN, REFERENCES)
    assert found == sacrebleu.corpus_bleu(WRITTEN, [REFERENCES], lowercase=True).score
    assert found > scored(WRITTEN, REFERENCES).bleu
    assert "case:lc" in signature
    assert "tok:13a" in signature


def test_signatures_say_what_others_need():
    bleu, chrf = signatures(REFERENCES)
    assert bleu == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}"
    assert "nc:6|nw:0" in chrf


def test_ideographs_are_counted_one_by_one():
    chinese = ["一只狗在雪地里跑。", "两个人在弹吉他。"]
    assert tokenizer_for(chinese) == "zh"
    assert tokenizer_for(REFERENCES) == "13a"
    assert tokenizer_for(["これは犬です。"]) == "zh"
    assert tokenizer_for([""]) == tokenizer_for([]) == "13a"
    assert scored(["一只狗在雪地里走。", chinese[1]], chinese).bleu > 50
    assert "tok:zh" in signatures(chinese)[0]


def test_the_interval_holds_the_figure():
    begin, end = interval(WRITTEN, REFERENCES)
    assert begin < scored(WRITTEN, REFERENCES).bleu < end
    assert (begin, end) == interval(WRITTEN, REFERENCES)


def test_single_texts():
    assert sentence_chrf("a dog", "a dog") == pytest.approx(100)
    assert sentence_chrf("xyz", "a dog") < 5
    assert sentence_chrf("", "a dog") == 0


def damaged(texts, share, seed):
    """Some words of texts lost."""
    rng = np.random.default_rng(seed)
    return [" ".join(word for word in text.split() if rng.random() > share) or "x" for text in texts]


def test_the_bootstrap_sees_a_difference_and_calls_noise_noise():
    references = REFERENCES * 5
    good, bad, other = damaged(references, 0.1, 0), damaged(references, 0.5, 1), damaged(references, 0.1, 2)
    assert bleu_p_value(references, good, bad) < 0.01
    assert bleu_p_value(references, bad, good) == bleu_p_value(references, bad, good) < 0.01
    assert bleu_p_value(references, good, other) > 0.05
    assert bleu_p_value(references, good, good) == 1.0
    assert bleu_p_value(references, ["x"] * len(references), ["y"] * len(references)) == 1.0  # both are 0
    assert bleu_p_value(references[:1], references[:1], ["x"]) == 1.0  # a single text tells nothing


def test_without_sacrebleu(monkeypatch):
    require_sacrebleu()
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtra, match=r"sluicegate\[translate\]"):
        require_sacrebleu()

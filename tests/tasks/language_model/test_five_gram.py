"""Runs of five words as a model of texts: words that training did not have, and a published figure."""

import gzip
import math

import numpy as np
import pytest

from sluicegate.tasks.language_model.five_gram import FiveGram


def test_words_that_training_did_not_have_are_spelled():
    lines = ["the cat sat", "the dog sat", "a cat ran", "the cat ran"] * 3
    model = FiveGram.of(lines)
    known, likely, odd = (
        model.by_word([line])[0].sum() for line in ("the cat sat", "the cap sat", "the \u732b\u732b sat")
    )
    assert known > likely > odd > -np.inf
    chances, counts = model.by_word(["the zebra sat"])
    assert counts.tolist() == [9, 0, 6, 12]
    lines = ["the cap sat", "a cap", "x", "the zebra sat", ""]
    apart = [model.by_word([line])[0] for line in lines]
    np.testing.assert_array_equal(model.by_word(lines)[0], np.concatenate(apart))
    np.testing.assert_array_equal(apart[3], chances)


def test_wikitext_2_has_the_perplexity_of_the_same_model_elsewhere(shared_data):
    def lines(part):
        with gzip.open(shared_data / f"language/wikitext-2/wiki.{part}.tokens.gz", "rt", encoding="utf-8") as file:
            return file.read().removesuffix("\n").split("\n")

    found, _ = FiveGram.of(lines("train")).by_word(lines("test"))
    assert len(found) == 245_569
    assert math.exp(-found.mean()) == pytest.approx(220.1, abs=0.1)

"""Texts without spaces: character n-grams say what words cannot."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import CountVectorizer

import sluicegate
from sluicegate.data.words import STRETCH, WordTokenizer
from sluicegate.runtime.texts.grams import Grams
from sluicegate.runtime.texts.letters import LONGEST, SHORTEST, Letters
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.runtime.texts.terms import Terms, Words
from tests.tasks.classify_text.conftest import as_table

RNG = np.random.default_rng(0)
DNA = ["".join(RNG.choice(list("acgt"), size)) for size in (5, STRETCH - 1, STRETCH, STRETCH + 1, 200)]
THAI = ["เมื่อวันเสาร์ที่ผ่านมา", "ฉันกับครอบครัว พากันไปเที่ยว", "ที่จังหวัดเชียงใหม่"]
ODD = ["", " ", "a b", "the film's  end, isn't it", "映画 e\u0301", "ж" * 9]


def alike(texts):
    """What `CountVectorizer` finds, where signs stand apart and spaces are single, as words are cut."""
    words = Words.of(texts)
    apart = [" ".join(words.names[number - 1] for number in row) for row in rows_of(words.rows)]
    apart = ["".join(text.split()) if len(text) > STRETCH else text for text in apart]  # of one long run
    return CountVectorizer(analyzer="char", ngram_range=(SHORTEST, LONGEST), lowercase=False).fit(apart), apart


def rows_of(rows):
    return [rows.values[a:b] for a, b in zip(rows.bounds[:-1], rows.bounds[1:], strict=True)]


@pytest.mark.parametrize("texts", [DNA, THAI, ODD], ids=["dna", "thai", "odd"])
def test_runs_of_letters_are_those_of_scikit_learn(texts, monkeypatch):
    monkeypatch.setattr("sluicegate.runtime.texts.terms._LEAST", 1)
    terms = Terms.of(Words.of(texts).spelt(), 10**6)
    reference, apart = alike(texts)
    assert sorted(terms.texts()) == sorted(reference.get_feature_names_out())
    order = [reference.vocabulary_[run] for run in terms.texts()]
    expected = reference.transform(apart).toarray()[:, order]
    np.testing.assert_array_equal(as_table(terms.within(texts), terms), expected)
    np.testing.assert_array_equal(as_table(Terms.named(terms.texts(), "letters").within(texts), terms), expected)


@pytest.mark.parametrize("texts", [DNA, THAI, ODD], ids=["dna", "thai", "odd"])
def test_the_networks_see_the_same_runs_whatever_the_pieces(texts):
    expected = (alike(texts)[0].transform(alike(texts)[1]).toarray() > 0).sum(1)
    for known in (texts, [*texts, *texts, "a film"]):
        tokenizer = WordTokenizer.train(known, words=1000, least=2)
        rows = Ragged.of(tokenizer.encode(texts))
        grams = Grams.of(rows, 1, 10**6, Letters.of(tokenizer.tokens()))
        runs = [(grams.keys[row - 1] < 0).sum() for row in rows_of(grams.within(rows))]
        np.testing.assert_array_equal(runs, expected)


@pytest.mark.parametrize("text", ["", "a", "ac", "acg", "acgt"])
def test_few_letters_have_few_runs(text):
    terms = Terms.of(Words.of(["acgt", "acgt"]).spelt(), 10**6)
    assert terms.within([text]).times.sum() == (len(text) > 2) * (2 * len(text) - 5)


@pytest.mark.parametrize("terms", [["acg", "aca"], ["ac"], ["a" * 7], [chr(0x4E00 + i) * 3 for i in range(1100)]])
def test_what_is_no_run_of_letters_is_refused(terms):
    with pytest.raises(ValueError, match=r"order|no n-grams of 3 to 6 letters"):
        Terms.named(terms, "letters")


def strings(rows, seed):
    """Sequences of DNA, in half of which there is a motif."""
    rng = np.random.default_rng(seed)
    told = []
    for row in range(rows):
        letters = "".join(rng.choice(list("ACGT"), 150))
        at = int(rng.integers(140))
        told.append((letters[:at] + "GATTACAGCC" * (row % 2) + letters[at:], "motif" if row % 2 else "none"))
    return pl.DataFrame(told, schema=["text", "label"], orient="row")


@pytest.fixture(scope="module")
def dna():
    knobs = {"epochs": 14, "folds": 2, "hidden": 4, "embedding": 4, "consistency": 0.0, "learning_rate": 0.01}
    return sluicegate.TextClassifier(**knobs).fit(strings(160, 0), progress=False)


def test_a_motif_in_texts_of_one_word_is_found(dna):
    report = dna.evaluate(strings(120, 1))
    assert report.metrics["accuracy"] > 0.9
    assert report.baselines["nb_svm"]["accuracy"] > 0.9
    assert "character n-grams of 3 to 6 letters" in report.facts["nb svm"]


def test_saved_and_loaded_it_says_the_same(dna, tmp_path):
    table = strings(9, 2)
    dna.save(tmp_path / "model")
    again = sluicegate.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(table)["probability"], dna.predict(table)["probability"])
    assert again.evaluate(table).rows == dna.evaluate(table).rows
    assert json.loads((tmp_path / "model" / "config.json").read_text())["terms"] == "letters"


def test_the_shares_of_letters_sum_to_one(dna):
    found = dna.explain(strings(2, 3)["text"][1])
    assert found["share"].abs().sum() == pytest.approx(1.0)
    assert "".join(found["token"]) == strings(2, 3)["text"][1]


def test_the_report_tells_how_many_words_are_unknown(dna):
    assert dna.report.facts["new words"].startswith("0.0% unknown, ")
    report = dna.evaluate(pl.DataFrame({"text": ["жжж", "ACGT"], "label": ["none", "motif"]}))
    assert report.facts["new words"] == "50.0% unknown, 50.0% read in pieces"
    assert any("50% of the words have letters that training did not have" in note for note in report.notes)


def test_tables_of_short_words_are_read_by_words(trained):
    assert trained._trained.grams.letters is None
    assert {linear.reading for linear in trained._trained.methods} == {"words"}


def test_a_model_of_an_earlier_version_cuts_words_as_it_did(trained):
    terms = Terms.named(trained._trained.methods[0].vocabulary, "earlier")
    texts = ["the film is fine", "the ｆｉｌｍ"]  # noqa: RUF001 - letters of full width are what is tested
    earlier, now = (
        as_table(Terms.named(terms.texts(), reading).within(texts), terms).sum(1) for reading in ("earlier", "words")
    )
    assert earlier[0] == now[0]
    assert earlier[1] < now[1]

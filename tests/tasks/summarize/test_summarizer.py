"""The summarizer learns, never says nothing, and is honest beside what is taken out of the texts."""

import re

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError
from sluicegate.metrics.summaries import NAMES, by_text
from sluicegate.tasks.checks import Case, checks


@pytest.fixture(scope="module")
def case(table, quick):
    few = table.head(60)
    return Case(
        make=lambda seed, **knobs: sluicegate.Summarizer(**quick | {"seed": seed, "epochs": 1, **knobs}),
        fit=lambda task: task.fit(few, progress=False),
        data=few,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_learns_what_texts_are_about(trained, mails):
    other = mails(40, seed=1)
    report = trained.evaluate(other)
    assert report.metrics["rougeL"] > 80
    assert set(report.baselines) == {"first_sentence", "tfidf_sentence", "tfidf_keywords"}
    figures = dict(
        zip(NAMES, by_text(trained.predict(other)["text"].to_list(), other["summary"].to_list()).mean(0), strict=True)
    )
    assert report.metrics == pytest.approx(figures)
    assert report.verdict.startswith("Use the model: its ")


def test_any_frame_and_a_saved_model(trained, table, tmp_path):
    found = trained.predict(table.head(5))
    assert found.columns == ["row", "alternative", "text", "score", "confidence"]
    assert type(trained.predict(table.head(2).to_pandas())).__module__.startswith("pandas")
    assert trained.summarize(table["text"].head(5)).equals(found)
    trained.save(tmp_path / "m")
    again = sluicegate.load(tmp_path / "m")
    assert again.summarize(table.head(5), max_words=2, alternatives=2).equals(
        trained.summarize(table.head(5), max_words=2, alternatives=2)
    )
    card = (tmp_path / "m" / "MODEL_CARD.md").read_text()
    assert card.startswith("# Summaries of text\n")
    assert "It reads the first 300 sub-words of a text" in card


@pytest.mark.parametrize("words", [1, 2, 3])
def test_no_more_words_than_asked_for(trained, table, words):
    texts = [*table["text"].head(20).to_list(), "ganz anders 😀 12345", "x"]
    for one in trained.summarize(texts, max_words=words, alternatives=3)["text"]:
        assert 1 <= len(one.split()) <= words


def test_only_a_blank_text_has_a_blank_summary(trained):
    texts = ["x", ".", "😀", "\u0301", "<end>", "犬", "a" * 5000, "\x00", "\ud800"]
    assert all(text.strip() for text in trained.summarize(texts)["text"])
    assert trained.summarize(["", " \n", None])["text"].to_list() == ["", "", ""]
    for number in (0, -1):
        with pytest.raises(ConfigError, match=re.escape(f"`max_words` (={number}) must be at least 1, for no summary")):
            trained.summarize(["a"], max_words=number)


def test_no_three_sub_words_twice(trained, table):
    subwords = trained.trained.subwords
    for text in trained.summarize([*table["text"].head(10), "budget " * 200], alternatives=3)["text"]:
        (tokens,) = subwords.encode([text])
        runs = [tuple(tokens[at : at + 3]) for at in range(len(tokens) - 2)]
        assert len({*runs}) == len(runs)


def test_a_text_does_not_depend_on_its_company(trained, table):
    texts = [*table["text"].head(12).to_list(), "kurz", "The budget. " * 500]
    together = trained.summarize(texts)
    for row, text in enumerate(texts):
        assert trained.summarize([text]).drop("row").equals(together.filter(row=row).drop("row"))


def test_a_hundred_thousand_words_are_read_from_their_beginning(trained, table, quick):
    long = table["text"][0] + " and so on" * 33_334
    begun = long[:4000]
    assert trained.summarize([long])["text"][0] == trained.summarize([begun])["text"][0]
    odd = pl.concat([table.head(30), pl.DataFrame({"text": [long], "summary": ["budget on Monday"]})])
    task = sluicegate.Summarizer(**quick | {"epochs": 1}).fit(odd, validation=table.tail(5), progress=False)
    assert task.trained.pairs == 31


def test_what_is_missing(table, trained, quick):
    odd = pl.concat([table.head(30), pl.DataFrame({"text": ["", None, "a text"], "summary": ["x", "y", " "]})])
    task = sluicegate.Summarizer(**quick | {"epochs": 1}).fit(odd, progress=False)
    assert "3 rows without a text or a summary were left out." in task.report.notes
    assert "3 rows without a text or a summary were left out." in trained.evaluate(odd.tail(9)).notes
    for bad, words in (
        (
            odd.tail(3),
            "the table holds no pair of texts: expected a row at least with a text in both 'text' and 'summary'",
        ),
        (table.head(1), "all sources are equal: expected two different ones at least"),
    ):
        with pytest.raises(DataError, match=re.escape(words)):
            sluicegate.Summarizer(**quick).fit(bad, progress=False)


def test_summaries_that_are_the_texts(table, quick):
    same = table.with_columns(summary=pl.col("text")).head(60)
    report = sluicegate.Summarizer(**quick | {"epochs": 1}).fit(same, progress=False).report
    assert report.baselines["tfidf_sentence"]["rougeL"] > 50


def test_more_is_read_where_asked_for(table, quick):
    long = pl.concat([table.head(12)] * 40).group_by("summary", maintain_order=True).agg(pl.col("text").str.join(" "))
    task = sluicegate.Summarizer(longest=450, **quick | {"epochs": 1}).fit(long, validation=long, progress=False)
    assert task.trained.pairs == len(long)
    assert task.report.facts["read"] == "the first 450 sub-words of a text"


def test_a_single_text_decides_nothing(trained, table):
    assert "are within noise of each other" in trained.evaluate(table.head(1)).verdict


def test_authors_validate_together(table, quick):
    grouped = table.with_columns(by=(pl.int_range(len(table)) // 40).cast(pl.String))
    task = sluicegate.Summarizer(**quick | {"epochs": 1}).fit(grouped, groups="by", progress=False)
    assert task.report.facts["texts"] == "40"


def test_the_report_shows_what_it_must(trained, table):
    report = trained.evaluate(table.head(40))
    page = report.to_html()
    for words in ("By length", "By how rare the words are", "Learning curve", "worst, ROUGE-L", "its reference"):
        assert words in page, words
    assert "<h2>The worst texts and typical ones</h2>" in page
    assert "A blue line under a word: the reference has it too" in page
    assert "which is the smallest" not in page  # of all figures the highest is best
    assert re.fullmatch(r"\d\.\d in a summary, 3\.0 in a reference", report.facts["words"])
    for shown in report.details["attention"]:
        np.testing.assert_allclose(np.sum(shown["weights"], axis=1), 1.0, atol=0.01)


def test_of_a_long_text_the_words_are_shown_that_were_looked_at_most(trained, table):
    long = table.head(3).with_columns(text=pl.concat_str([pl.col("text")] * 3, separator=" "))
    maps = trained.evaluate(long).details["attention"]
    assert len(maps) == 2
    for shown in maps:
        weights = np.array(shown["weights"])
        assert weights.shape == (len(shown["written"]), len(shown["read"])) == (len(shown["written"]), 19)
        assert 19 / 30 < weights.sum(1).mean() < 1.01

"""The language model learns, is honest about it, and gives the same bits however it is asked."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import sluicegate
from sluicegate.tasks.checks import Case, checks

ROWS = ["the", "cat", "sat", "on", "the", "mat", ".", "a", "dog", "ran"]


def told(task, rows):
    """What a stream says after these words, from `score` and `following` of the text that they are."""
    text = " ".join(rows)
    chances = task.score([text])["log_probability"]  # the last one is of the line's end
    return {"log_probability": chances[-2], "tokens": 1, **task.following(text)}


@pytest.fixture(scope="module")
def case(texts, quick):
    few = texts(30)
    return Case(
        make=lambda seed, **knobs: sluicegate.LanguageModel(seed=seed, **{**quick, "epochs": 2}, **knobs),
        fit=lambda task: task.fit(few, progress=False),
        data=few,
        rows=ROWS,
        offline=told,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_it_learns_what_follows(trained, texts):
    """Of a sentence four things are by chance, one of four each: who, does what, to what, and nothing else."""
    perplexity = trained.perplexity(texts(40, seed=1))
    words = np.mean([len(line.split()) + 1 for text in texts(200, seed=2) for line in text.split("\n")])
    least = math.exp(3 * math.log(4) / words)
    assert least - 0.05 < perplexity < 1.25 * least


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_cells(cell, texts, quick):
    task = sluicegate.LanguageModel(cell=cell, layers=2, **quick).fit(texts(), progress=False)
    assert task.perplexity(texts(20, seed=1)) < 4
    score = task.score([" ".join(ROWS)])["log_probability"]
    stream = task.open_stream()
    assert [stream.push(word)["log_probability"] for word in ROWS] == score[:-1].to_list()


def test_perplexity_is_told_per_word_of_the_text(trained, spelling, texts):
    some = [*texts(5, seed=3), "", "the cat"]
    words = sum(len(line.split()) + 1 for text in some for line in text.split("\n"))
    for task in (trained, spelling):
        scores = task.score(some)
        expected = math.exp(-scores["log_probability"].sum() / words)
        assert task.perplexity(some) == pytest.approx(expected, rel=1e-5)
    assert len(spelling.score(some)) > len(trained.score(some)) == words


def test_predict_tells_each_text(trained, texts):
    some = [*texts(3, seed=3), ""]
    found = trained.predict(some)
    assert found["row"].to_list() == [0, 1, 2, 3]
    assert found["words"].to_list() == [len(text.split()) + text.count("\n") + 1 for text in some]
    for row, text in enumerate(some):
        assert found["perplexity"][row] == pytest.approx(trained.perplexity([text]), rel=1e-5)
        assert found["log_probability"][row] == pytest.approx(trained.score([text])["log_probability"].sum(), rel=1e-5)


def test_a_text_does_not_depend_on_its_company(trained, texts):
    some = texts(4, seed=3)
    together = trained.score(some)
    for row, text in enumerate(some):
        alone = trained.score([text])["log_probability"]
        assert together.filter(pl.col("row") == row)["log_probability"].to_list() == alone.to_list()


def test_tables_and_sequences_of_any_kind_are_taken(trained, texts, quick):
    some = texts(4, seed=3)
    expected = trained.predict(some)
    frame = pl.DataFrame({"text": some})
    assert trained.predict(frame).equals(expected)
    assert trained.predict(np.array(some)).equals(expected)
    assert isinstance(trained.predict(frame.to_pandas()), pd.DataFrame)
    assert isinstance(trained.predict(pd.Series(some)), pd.DataFrame)
    assert isinstance(trained.predict(frame.to_arrow()), pa.Table)
    few = {**quick, "epochs": 1}
    body = pl.DataFrame({"body": texts(20), "text": [None] * 20})
    of_table = sluicegate.LanguageModel(**few).fit(body, text="body", progress=False)
    of_list = sluicegate.LanguageModel(**few).fit(texts(20), progress=False)
    assert of_table.predict(body).equals(of_list.predict(texts(20)))


def test_the_validation_texts_are_those_that_are_given(texts, quick):
    other = texts(8, seed=9)
    task = sluicegate.LanguageModel(**{**quick, "epochs": 1}).fit(texts(20), validation=other, progress=False)
    assert task.report.metrics["perplexity"] == pytest.approx(task.perplexity(other), rel=1e-5)
    words = sum(len(text.split()) + text.count("\n") + 1 for text in other)
    assert task.report.facts["words"].startswith(f"{words:,} in 24 lines")


def test_of_a_single_text_the_last_lines_validate(texts, quick):
    whole = "\n".join(texts(40))
    task = sluicegate.LanguageModel(**{**quick, "epochs": 1}).fit([whole], progress=False)
    lines = whole.split("\n")
    held = int(task.report.facts["words"].split(" in ")[1].split()[0])
    assert 4 <= held <= 9
    assert task.report.metrics["perplexity"] == pytest.approx(task.perplexity(["\n".join(lines[-held:])]), rel=1e-5)


def test_what_training_never_saw_is_spelled(trained, spelling):
    for task in (trained, spelling):
        for text in ("zebra", "\u732b\u304c\u3044\u308b", "\U0001f408 123", "\u0627\u0644\u0642\u0637"):
            assert math.isfinite(task.perplexity([text]))
            assert task.perplexity([text]) > task.perplexity(["the cat"])


def test_lines_follow_one_another_and_texts_do_not(trained, texts):
    text = texts(1, seed=4)[0]
    lines = text.split("\n")
    together, apart = trained.score([text]), trained.score(lines)
    assert together["token"].to_list() == apart["token"].to_list()
    first = len(lines[0].split()) + 1
    assert together["log_probability"][:first].to_list() == apart["log_probability"][:first].to_list()
    assert together["log_probability"][first:].to_list() != apart["log_probability"][first:].to_list()


def test_the_card_says_what_the_model_is(trained, tmp_path):
    trained.save(tmp_path / "model")
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert "# Language model" in card
    assert "words of the training texts" in card
    assert "model.generate(" in card
    assert trained.report.verdict.split(",")[0].replace("_", " ") in card.replace("\\", "")

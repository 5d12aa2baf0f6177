"""The remedies that messages on texts offer work when they are obeyed."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError, NotFittedError
from sluicegate.runtime.texts.terms import Words
from sluicegate.tasks.classification.equal_rows import Ties, copies_noted, shared_noted
from sluicegate.tasks.classification.splitting import validation_folds
from sluicegate.tasks.classify_text import classifier
from sluicegate.tasks.classify_text.copies import ALIKE, equal_texts, near_texts


def refused(verb, *arguments, **options):
    with pytest.raises((DataError, ConfigError, NotFittedError)) as caught:
        verb(*arguments, **options)
    return str(caught.value)


TEXTS = ["the film is fine", "its cast is dull"]
WORDS = ["apple", "brick", "cloud", "drum", "eagle", "field", "grape", "horn", "iron", "jewel", "kite", "lamp"]


@pytest.mark.parametrize(
    ("data", "words", "obeyed"),
    [
        (TEXTS[0], "put it into a list", TEXTS[:1]),
        (np.array(TEXTS[0]), "put the text into a list", TEXTS[:1]),
        (np.array([TEXTS]).T[:, [0, 0]], "give a single column, such as `data[:, 0]`", np.array([TEXTS]).T[:, 0]),
        ([text.encode() for text in TEXTS], "decode it by `.decode()`", TEXTS),
        ([TEXTS[0], 7], "convert it by `str`", [TEXTS[0], str(7)]),
        ([TEXTS[0], 7], "or leave it out", TEXTS[:1]),
        (None, "give a table or a sequence of them", TEXTS),
        (pl.LazyFrame({"text": TEXTS}), "call `.collect()` first", pl.DataFrame({"text": TEXTS})),
        (pl.DataFrame({"texts": TEXTS}), "did you mean 'texts'?", pl.DataFrame({"text": TEXTS})),
        (pl.DataFrame({"Text": TEXTS}), "did you mean 'Text'?", pl.DataFrame({"text": TEXTS})),
        (pl.DataFrame({"text": [0.5]}), "name another column or convert it", pl.DataFrame({"text": ["0.5"]})),
        (
            pd.DataFrame({"x": [0]}, index=pd.Index(TEXTS[:1], name="text")),
            "make it a column by `reset_index()`",
            pd.DataFrame({"x": [0]}, index=pd.Index(TEXTS[:1], name="text")).reset_index(),
        ),
        (
            pd.DataFrame([[TEXTS[0], ""]], columns=["text", "text"]),
            "rename one of them",
            pd.DataFrame([[TEXTS[0], ""]], columns=["text", "text2"]),
        ),
    ],
    ids=range(13),
)
def test_predictions(trained, data, words, obeyed):
    assert words in refused(trained.predict, data)
    texts = list(obeyed["text"]) if hasattr(obeyed, "columns") else list(obeyed)
    said = trained.predict(obeyed)
    assert list(said["label"]) == trained.predict(texts)["label"].to_list()
    assert len(said) == len(texts)


def test_an_index_of_times_is_not_the_texts(trained):
    frame = pd.DataFrame({"review": TEXTS}, index=pd.date_range("2024-01-01", periods=2))
    assert "its columns are review; name one of them" in refused(trained.predict, frame)
    assert list(trained.predict(frame.rename(columns={"review": "text"}))["label"]) == ["good", "bad"]


class TrainedError(Exception):
    """Training would have begun."""


@pytest.mark.parametrize(
    ("knobs", "options", "words", "then", "obeyed"),
    [
        ({"folds": 2}, {"validation": True}, "give one of the two", {"folds": 2}, {}),
        ({"folds": 2}, {"validation": True}, "give one of the two", {}, {"validation": True}),
        ({}, {"validation": False}, "or leave `validation` out", {}, {}),
        ({}, {"label": "text"}, "give each column one role", {}, {}),
        ({}, {"text": "label2"}, "did you mean 'label'?", {}, {}),
    ],
    ids=range(5),
)
def test_before_training(table, monkeypatch, knobs, options, words, then, obeyed):
    def fit(knobs, options):
        if "validation" in options:
            options = options | {"validation": table if options["validation"] else table.head(0)}
        sluicegate.TextClassifier(**knobs).fit(table, **options)

    def begin(*_, **__):
        raise TrainedError

    monkeypatch.setattr(classifier, "TextPreparation", begin)
    assert words in refused(fit, knobs, options)
    with pytest.raises(TrainedError):
        fit(then, obeyed)


def test_texts_that_are_nearly_equal_are_kept_together_by_their_groups():
    authors = [f"writer {row % 12}" for row in range(24)]
    texts = [f"{word} one two three four five six seven eight {word}s {end}" for end in "ab" for word in WORDS]
    truth = np.arange(24) % 2

    def noted(groups):
        words = Words.of(texts)
        content = equal_texts(words)
        ties = Ties.of(truth, groups, content, 2)
        return copies_noted(near_texts(words, content), ties, validation_folds(truth, ties, 2, 0), "texts", ALIKE)

    (note,) = noted(None)
    assert "name what they have in common as `groups`" in note
    assert noted(authors) == []


def test_texts_that_validate_and_train_are_left_out():
    def noted(texts, validating):
        words = Words.of([*texts, *validating])
        content = equal_texts(words)
        return shared_noted(near_texts(words, content), content, len(texts), "texts", ALIKE)

    near = "a lovely film by all of those who have seen it in town"
    (shared,) = noted(["it is fine", "it is dull"], ["it is fine", "other words altogether"])
    assert "leaving these out of the validation" in shared
    (alike,) = noted([near, "it is dull"], [f"{near} now", "other words altogether"])
    assert "if they are copies, leave them out of the validation" in alike
    assert noted(["it is fine", near], ["other words altogether"]) == []


def test_untrained_and_loaded(trained, tmp_path):
    said = refused(sluicegate.TextClassifier().predict, TEXTS)
    assert "call `fit` first, or `sluicegate.load` a model" in said
    trained.save(tmp_path / "model")
    assert sluicegate.load(tmp_path / "model").predict(TEXTS).equals(trained.predict(TEXTS))

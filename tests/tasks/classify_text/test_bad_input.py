"""What is wrong with texts, labels and saved models is said in one sentence, with the remedy."""

import json
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import sluicegate
from sluicegate import bundle
from sluicegate.errors import BundleError, ConfigError, DataError
from sluicegate.tasks.classify_text import trained as saved_models


def fit(table, **options):
    return sluicegate.TextClassifier(epochs=1, folds=2, hidden=4, embedding=4).fit(table, progress=False, **options)


def refuse(table, words, error=DataError, **options):
    with pytest.raises(error, match=re.escape(words)):
        fit(table, **options)


def test_a_missing_column(table):
    refuse(table, "there is no column 'txt' in the table: did you mean 'text'?", text="txt")


def test_a_column_of_two_roles(table):
    refuse(table, "column 'text' is asked for twice", label="text")


def test_a_single_class(table):
    refuse(table.with_columns(label=pl.lit("good")), "holds the single class 'good'")


def test_a_class_of_one_row(table):
    odd = table.with_columns(label=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("odd")).otherwise(pl.col("label")))
    refuse(odd, "class 'odd' has one row in row 7: expected two at least")


def test_a_hundred_thousand_classes():
    rows = 200_000
    table = pl.DataFrame({"text": ["a"] * rows, "label": np.arange(rows) // 2})
    refuse(table, "holds 100,000 classes: expected at most 1,000")


def test_labels_of_mixed_types():
    refuse(pd.DataFrame({"text": ["a", "b"] * 5, "label": ["x", 1] * 5}), "holds values of mixed types")


def test_labels_that_are_measurements(table):
    refuse(table.with_columns(label=pl.int_range(pl.len()) / 7), "expected classes, not measurements")


def test_labels_that_are_missing(table):
    table = table.with_columns(label=pl.when(pl.int_range(pl.len()) != 3).then(pl.col("label")))
    refuse(table, "label column 'label' is empty in row 3")


def test_labels_of_another_kind(table):
    refuse(table.with_columns(label=pl.lit(None, pl.Date).fill_null(pl.date(2024, 1, 1))), "of type Date")


def test_texts_that_are_numbers(table):
    refuse(table.with_columns(text=pl.int_range(pl.len())), "text column 'text' in the table is of type Int64")


def test_no_rows(table):
    refuse(table.head(0), "holds no rows")


def test_a_class_that_training_did_not_have(trained, table):
    strange = table.with_columns(
        label=pl.when(pl.int_range(pl.len()) == 2).then(pl.lit("new")).otherwise(pl.col("label"))
    )
    with pytest.raises(DataError, match="row 2 has the class 'new'"):
        trained.evaluate(strange)


def test_a_single_text_is_no_sequence(trained):
    with pytest.raises(DataError, match="put it into a list"):
        trained.predict("a text")
    with pytest.raises(DataError, match="text 1 of the sequence is int: expected texts in the sequence; convert it"):
        trained.predict(["a", 1])
    with pytest.raises(DataError, match="no texts to classify"):
        trained.predict(None)


def test_blank_texts_have_a_prediction_and_are_counted(trained, table):
    blank = table.head(6).with_columns(text=pl.Series(["", "  ", None, "\n\t", "the film is lovely", "\x00"]))
    found = trained.predict(blank)
    assert np.isfinite(found["probability"].to_numpy()).all()
    assert found["probability"][0] == found["probability"][3]
    assert "4 of the texts are blank." in trained.evaluate(blank).notes
    assert len(trained.predict([])) == 0


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mfine\x07",
        "😀👩‍👩‍👧 lovely",
        "فيلم جميل",
        "שלום עולם",
        "very \ud800fine\udfff",
        "映画は素晴らしい",
        "e\u0301" * 50,
    ],
)
def test_any_letters(trained, table, text):
    found = trained.predict([text, text])
    assert np.isfinite(found["probability"].to_numpy()).all()
    assert found["probability"][0] == found["probability"][1]
    assert trained.explain(text)["share"].is_finite().all()
    if not any("\ud800" <= letter <= "\udfff" for letter in text):  # which no frame can hold
        added = pl.concat([table, pl.DataFrame({"text": [text] * 4, "label": ["bad", "good"] * 2})])
        fit(added)


def test_megabytes_of_text(trained):
    words = "the film is lovely and moving " * 70_000
    found = trained.predict([words, "x" * 10_000_000])
    assert found["label"][0] == "good"
    assert np.isfinite(found["probability"].to_numpy()).all()
    shares = trained.explain(words[: len(words) // 10])
    assert len(shares) == 42_000
    assert shares["share"].abs().sum() == pytest.approx(1.0)


def test_a_very_long_text_is_trained_on(table):
    """In a single row, beside short ones."""
    long = table.head(12).with_columns(
        text=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("the film is long " * 20_000)).otherwise("text")
    )
    assert fit(long).report.facts["rows"] == "12"


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"hiden": 3}, "there is no setting `hiden`"),
        ({"dropout": 1.0}, "`dropout` (=1.0) must be less than 1"),
        ({"folds": 0}, "`folds` (=0) must be greater than or equal to 1"),
        ({"cell": "gur"}, "`cell` (='gur') must be 'gru', 'lstm', 'rnn', 'mingru' or 'ligru'"),
    ],
)
def test_knobs(knobs, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        sluicegate.TextClassifier(**knobs)


def test_a_saved_model_whose_parts_do_not_fit(tmp_path, trained):
    files = dict(trained.files())
    for number, change in enumerate(({"classes": ["a"]}, {"blend": {"name": 3}}, {"shape": {}})):
        refuse_saved(tmp_path / str(number), files, **change)


@pytest.mark.parametrize("other", ["vocab", "unk_token"])
def test_a_saved_vocabulary_without_the_unknown_word(tmp_path, trained, other):
    files = dict(trained.files())
    settings = json.loads(files["vocabulary.json"])
    if other == "vocab":
        settings["model"]["vocab"]["[ELSE]"] = settings["model"]["vocab"].pop("[UNK]")
    else:
        settings["model"]["unk_token"] = "film"
    bundle.write(tmp_path / "model", {**files, "vocabulary.json": json.dumps(settings).encode()})
    with pytest.raises(BundleError, match="UNK"):
        sluicegate.load(tmp_path / "model")


@pytest.mark.parametrize("odd", [{"hidden": 10**9}, {"windows": [2, 10**9]}, {"windows": []}, {"windows": 3}])
def test_a_saved_model_of_other_sizes_is_refused_before_there_is_memory_for_it(tmp_path, monkeypatch, trained, odd):
    files, made = dict(trained.files()), []
    monkeypatch.setattr(saved_models, "Ensemble", lambda shape: made.append(torch.get_default_device().type))
    refuse_saved(tmp_path / "model", files, shape={**json.loads(files["config.json"])["shape"], **odd})
    assert set(made) <= {"meta"}  # where nothing takes memory


def refuse_saved(folder, files, **change):
    settings = {**json.loads(files["config.json"]), **change}
    bundle.write(folder, {**files, "config.json": json.dumps(settings).encode()})
    with pytest.raises(BundleError, match="does not hold together"):
        sluicegate.load(folder)

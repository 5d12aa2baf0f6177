"""Ids, classes and texts keep the types that they had in training, whatever file or frame is read later."""

import csv
import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate import Forecaster, SeriesClassifier, TextClassifier
from sluicegate.cli.app import app
from sluicegate.errors import DataError
from sluicegate.tasks.classify_series import baselines, fitted

IDS = ["00123", "123", "NA", "TRUE"]
TINY = {"context": 8, "steps": 5, "hidden": 4, "batch": 8}
TEXTS = ["1984", "007", "NA", "fine film", "dull film", "None"] * 2
CLASSES = ["None", "01", "1"] * 4


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def succeeded(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def long_table(ids, rows=40):
    times = np.tile(np.arange(rows), len(ids))
    level = np.repeat(np.arange(len(ids)) * 100.0, rows)
    return pl.DataFrame({"t": times, "id": np.repeat(ids, rows), "y": level + times % 4})


def answered(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models trained on CSV files, and one trained on a frame with ids that are numbers."""
    folder = tmp_path_factory.mktemp("types")
    long_table(IDS).write_csv(folder / "ids.csv")
    words = ["--time", "t", "--target", "y", "--series", "id", "--horizon", 2]
    quick = [part for name, value in TINY.items() for part in (f"--{name}", value)]
    succeeded("fit", "forecast", folder / "ids.csv", *words, *quick, "--out", folder / "forecaster")
    pl.DataFrame({"text": TEXTS, "label": CLASSES}).write_csv(folder / "texts.csv")
    words = ["--folds", 2, "--epochs", 2, "--hidden", 4, "--embedding", 4]
    succeeded("fit", "classify-text", folder / "texts.csv", *words, "--out", folder / "classifier")
    numbers = long_table([7, 123])
    Forecaster(2, **TINY).fit(numbers, time="t", target="y", series="id", progress=False).save(folder / "numbers")
    return folder


def test_ids_of_csv_are_texts_as_they_are_written(folder):
    rows = answered(succeeded("predict", folder / "forecaster", folder / "ids.csv"))
    assert [row["series"] for row in rows[::2]] == IDS
    assert [round(float(row["mean"]), -2) for row in rows[::2]] == [0, 100, 200, 300]
    model = sluicegate.load(folder / "forecaster")
    table, beside = model._opened(folder / "ids.csv")
    assert model.evaluate(table, start=30, baselines=(), **beside).facts["series"] == "4"


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".tsv", ".csv"])
def test_ids_that_are_numbers_elsewhere_are_found(folder, tmp_path, ending):
    """`7` of a file and 7 of a frame are one series, and the answer writes it as training did."""
    path = tmp_path / f"t{ending}"
    table = long_table(["007", "123"])
    match ending:
        case ".parquet":
            table.write_parquet(path)
        case ".jsonl":
            table.write_ndjson(path)
        case _:
            table.write_csv(path, separator="\t" if ending == ".tsv" else ",")
    rows = json.loads(succeeded("predict", folder / "numbers", path, "--json"))
    assert [row["series"] for row in rows[::2]] == [7, 123]
    model = sluicegate.load(folder / "numbers")
    assert model.predict(table.to_pandas())["series"].tolist() == [7, 7, 123, 123]


def test_what_could_be_two_series_is_refused(folder):
    model = sluicegate.load(folder / "forecaster")
    with pytest.raises(DataError, match=r"number 123, which may be the text '00123' or the text '123' of training"):
        model.predict(long_table([123]))
    with pytest.raises(DataError, match=r"the text '7' and the text '07', which may both be the number 7 of training"):
        sluicegate.load(folder / "numbers").predict(long_table(["7", "07"]))


def test_series_that_only_look_like_those_of_training_are_told_apart(folder):
    model = sluicegate.load(folder / "forecaster")
    assert model.predict(long_table(["0123"]))["series"].unique().to_list() == ["0123"]
    assert model.notes[0].startswith("Series '0123' (not '00123') was not there in training")
    assert model.predict(long_table([9]))["series"].unique().to_list() == [9]
    assert model.notes[0].startswith("Series the number 9 was not there in training")
    numbers = sluicegate.load(folder / "numbers")
    assert numbers.predict(long_table(["007", "x"]))["series"].unique(maintain_order=True).to_list() == ["7", "x"]


def test_classes_and_texts_of_csv_are_as_they_are_written(folder):
    rows = answered(succeeded("predict", folder / "classifier", folder / "texts.csv"))
    assert {"probability_None", "probability_01", "probability_1"} < rows[0].keys()
    assert {row["label"] for row in rows} <= set(CLASSES)
    report = json.loads(succeeded("evaluate", folder / "classifier", folder / "texts.csv", "--json"))
    assert report["facts"]["classes"] == "3"


@pytest.mark.parametrize("out", [False, True])
def test_texts_of_digits(folder, tmp_path, out):
    (tmp_path / "t.csv").write_text("text\n2023\n007\n")
    model, words = sluicegate.load(folder / "classifier"), ["predict", folder / "classifier", tmp_path / "t.csv"]
    if out:
        succeeded(*words, "--out", tmp_path / "out.csv")
    rows = answered((tmp_path / "out.csv").read_text() if out else succeeded(*words))
    expected = model.predict(["2023", "007"])["probability_01"]
    np.testing.assert_allclose([float(row["probability_01"]) for row in rows], expected, rtol=1e-6)
    assert model.predict(pd.DataFrame({"text": [2023]}))["probability_01"][0] == pytest.approx(expected[0])


@pytest.mark.parametrize("kind", [int, bool])
def test_labels_come_back_as_they_went_in_and_are_found_in_text(tmp_path, kind):
    table = pd.DataFrame({"text": ["fine film", "dull film"] * 6, "label": [kind(1), kind(0)] * 6})
    model = TextClassifier(folds=2, epochs=1, hidden=4, embedding=4).fit(table, progress=False)
    model.save(tmp_path / "m")
    assert {type(label) for label in sluicegate.load(tmp_path / "m").predict(table)["label"].tolist()} == {kind}
    table.to_csv(tmp_path / "t.csv", index=False)
    expected = model.evaluate(table).metrics
    assert json.loads(succeeded("evaluate", tmp_path / "m", tmp_path / "t.csv", "--json"))["metrics"] == pytest.approx(
        expected
    )
    assert model.explain("fine film", str(kind(1))).equals(model.explain("fine film", kind(1)))


def test_a_label_that_is_missing_among_numbers_is_named(tmp_path):
    table = pd.DataFrame({"text": ["a", "b"] * 6, "label": [1.0, 2.0, np.nan, *[1.0, 2.0, 1.0] * 3]})
    with pytest.raises(DataError, match=r"label column 'label' is empty in row 2: give each row a class, or leave"):
        TextClassifier().fit(table)
    recordings = [np.ones((5, 1))] * 12
    with pytest.raises(DataError, match="'label' is empty in recording 2 of the recordings"):
        SeriesClassifier().fit(recordings, [1.0, 2.0, float("nan"), *[1.0, 2.0, 1.0] * 3])


def test_recordings_of_a_csv_file(tmp_path, monkeypatch):
    for module in (baselines, fitted):
        monkeypatch.setattr(module, "has_minirocket", lambda: False)
    rows = [(f"0{n}", t, t % (2 + n % 2), ("NA", "1")[n % 2]) for n in range(8) for t in range(12)]
    pl.DataFrame(rows, schema=["id", "t", "x", "label"], orient="row").write_csv(tmp_path / "t.csv")
    words = ["--series", "id", "--time", "t", "--folds", 2, "--steps", 2, "--hidden", 4]
    succeeded("fit", "classify-series", tmp_path / "t.csv", *words, "--out", tmp_path / "m")
    rows = answered(succeeded("predict", tmp_path / "m", tmp_path / "t.csv"))
    assert [row["id"] for row in rows] == [f"0{n}" for n in range(8)]
    assert {"probability_NA", "probability_1"} < rows[0].keys()


def test_the_line_of_an_empty_label(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        rows = [(f"first {i}\nsecond\nthird", "" if i == 7 else "ab"[i % 2]) for i in range(12)]
        csv.writer(file).writerows([("text", "label"), *rows])
    done = run("fit", "classify-text", tmp_path / "t.csv", "--out", tmp_path / "m")
    assert "label column 'label' is empty in line 23 to line 25 of t.csv: give each row a class" in done.stderr

"""Ids, classes and texts keep the types that they had in training, whatever file or frame is read later."""

import csv
import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate import Forecaster, SeriesClassifier, TextClassifier
from sluicegate.cli.app import app
from sluicegate.cli.commands.study import columns_and_settings
from sluicegate.data import frames
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classify_series import baselines, trained

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
    table, beside = model.open_file(folder / "ids.csv")
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


def test_two_columns_tell_series_apart(tmp_path):
    """Trained on a CSV file, asked with a frame in which one of them holds numbers."""
    table = pl.concat([long_table(["01", "02"]).with_columns(shop=pl.lit(shop)) for shop in ("x", "y")])
    table.write_csv(tmp_path / "t.csv")
    words = ["--time", "t", "--target", "y", "--series", "shop", "--series", "id", "--horizon", 2]
    quick = [part for name, value in TINY.items() for part in (f"--{name}", value)]
    succeeded("fit", "forecast", tmp_path / "t.csv", *words, *quick, "--out", tmp_path / "m")
    rows = answered(succeeded("predict", tmp_path / "m", tmp_path / "t.csv"))
    assert list(rows[0])[:4] == ["shop", "id", "time", "target"]
    pairs = [("x", "01"), ("x", "02"), ("y", "01"), ("y", "02")]
    assert [(row["shop"], row["id"]) for row in rows[::2]] == pairs
    model = sluicegate.load(tmp_path / "m")
    frame = (
        table.with_columns(pl.col("id").cast(pl.Int64)).sample(fraction=1, shuffle=True, seed=0).sort("t").to_pandas()
    )
    found = model.predict(frame).drop_duplicates(["shop", "id"])
    assert sorted(zip(found["shop"], found["id"], strict=True)) == pairs
    assert not model.notes
    assert model.evaluate(table, start=30, baselines=()).facts["series"] == "4"
    new = model.predict(frame[frame["id"] == 1].assign(id=3))
    assert sorted(set(zip(new["shop"], new["id"], strict=True))) == [("x", 3), ("y", 3)]
    with pytest.raises(ConfigError, match=r"`series` \(=shop, time\) holds 'time', which the answer calls a column"):
        Forecaster(2).fit(table, time="t", target="y", series=["shop", "time"])


def test_a_single_series_has_no_column_of_its_name(tmp_path):
    table = long_table(["a"]).drop("id")
    model = Forecaster(2, **TINY).fit(table, time="t", target="y", progress=False)
    model.save(tmp_path / "m")
    assert model.predict().columns == ["time", "target", "mean", "q10", "q50", "q90"]
    assert answered(succeeded("predict", tmp_path / "m"))[0].keys() == set(model.predict().columns)


@pytest.mark.parametrize(("kind", "frame"), [("pandas", pd.DataFrame), ("pyarrow", pa.Table), ("polars", pl.DataFrame)])
def test_a_loaded_model_answers_in_the_frames_of_its_training(tmp_path, monkeypatch, kind, frame):
    table = long_table(["a"])
    data = table.to_pandas() if kind == "pandas" else table.to_arrow() if kind == "pyarrow" else table
    Forecaster(2, **TINY).fit(data, time="t", target="y", progress=False).save(tmp_path / "m")
    assert isinstance(sluicegate.load(tmp_path / "m").predict(), frame)
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    assert isinstance(sluicegate.load(tmp_path / "m").predict(), pl.DataFrame)


def test_a_study_notes_a_single_series_column_as_before():
    for given, noted in ((["id"], "id"), (["shop", "id"], ["shop", "id"])):
        assert columns_and_settings("forecast", {"series": given, "time": None}, ())[1] == {"series": noted}


def test_recordings_of_a_csv_file(tmp_path, monkeypatch):
    for module in (baselines, trained):
        monkeypatch.setattr(module, "has_minirocket", lambda: False)
    rows = [(f"0{n}", t, t % (2 + n % 2), ("NA", "1")[n % 2]) for n in range(8) for t in range(12)]
    table = pl.DataFrame(rows, schema=["id", "t", "x", "label"], orient="row")
    table.write_csv(tmp_path / "t.csv")
    words = ["--series", "id", "--time", "t", "--folds", 2, "--steps", 2, "--hidden", 4]
    succeeded("fit", "classify-series", tmp_path / "t.csv", *words, "--out", tmp_path / "m")
    rows = answered(succeeded("predict", tmp_path / "m", tmp_path / "t.csv"))
    assert [row["id"] for row in rows] == [f"0{n}" for n in range(8)]
    assert {"probability_NA", "probability_1"} < rows[0].keys()
    pairs = table.with_columns(who=pl.lit("p"))
    model = SeriesClassifier(folds=2, steps=2, hidden=4).fit(pairs, series=["who", "id"], time="t", progress=False)
    model.save(tmp_path / "pairs")
    said = sluicegate.load(tmp_path / "pairs").predict(pairs)
    assert said.columns[:3] == ["who", "id", "label"]
    assert said["id"].to_list() == [f"0{n}" for n in range(8)]


def test_the_line_of_an_empty_label(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        rows = [(f"first {i}\nsecond\nthird", "" if i == 7 else "ab"[i % 2]) for i in range(12)]
        csv.writer(file).writerows([("text", "label"), *rows])
    done = run("fit", "classify-text", tmp_path / "t.csv", "--out", tmp_path / "m")
    assert "label column 'label' is empty in line 23 to line 25 of t.csv: give each row a class" in done.stderr

"""The text classifier from the command line."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from sluicegate import TextClassifier
from sluicegate.cli.app import app
from sluicegate.data import read_table
from sluicegate.errors import DataError

QUICK = [
    "--epochs",
    "20",
    "--folds",
    "2",
    "--hidden",
    "4",
    "--embedding",
    "4",
    "--batch",
    "16",
    "--learning-rate",
    "0.02",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, and a model trained on it."""
    folder = tmp_path_factory.mktemp("texts")
    rows = [(f"{who} is {word}", label) for who in ("it", "she", "the film", "this") for word, label in WORDS * 3]
    pl.DataFrame(rows, schema=["review", "mood"], orient="row").write_csv(folder / "table.csv")
    done = run(
        "fit",
        "classify-text",
        folder / "table.csv",
        "--text",
        "review",
        "--label",
        "mood",
        "--out",
        folder / "m",
        *QUICK,
    )
    assert done.exit_code == 0, done.output
    return folder


WORDS = [("fine", "good"), ("great", "good"), ("dull", "bad"), ("poor", "bad")]


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_predicts(folder):
    done = run("predict", folder / "m", folder / "table.csv", "--out", folder / "said.csv")
    assert done.exit_code == 0, done.output
    said = pl.read_csv(folder / "said.csv")
    assert said.columns == ["label", "probability", "probability_bad", "probability_good"]
    assert (said["label"] == pl.read_csv(folder / "table.csv")["mood"]).mean() > 0.9


def test_evaluates(folder):
    done = run("evaluate", folder / "m", folder / "table.csv", "--report", folder / "r.html", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert set(found["baselines"]) == {"majority_class", "tfidf_logistic_regression", "nb_svm"}
    assert "What is taken for what" in (folder / "r.html").read_text()


def test_other_tasks_options_are_refused(folder):
    done = run("evaluate", folder / "m", folder / "table.csv", "--stride", "2")
    assert done.exit_code == 1
    assert "`--stride` is no option for a model of the task classify-text" in done.stderr
    done = run("predict", folder / "m", folder / "table.csv", "--future", folder / "table.csv")
    assert done.exit_code == 1
    assert "--future" in done.stderr


def test_a_missing_column_leaves_nothing_behind(folder):
    done = run("fit", "classify-text", folder / "table.csv", "--label", "mood", "--out", folder / "other")
    assert done.exit_code == 1
    assert (
        done.stderr.strip().splitlines()[-1].startswith("Error: there is no column 'text'")
        or "no column 'text'" in done.stderr
    )
    assert sorted(path.name for path in folder.iterdir() if "other" in path.name) == []


def test_vectors_that_cannot_be_used_leave_nothing_behind(folder):
    (folder / "bad.vec").write_text("it 1 2\nis 1\n")
    fit = ("fit", "classify-text", folder / "table.csv", "--text", "review", "--label", "mood")
    done = run(*fit, "--vectors", folder / "bad.vec", "--out", folder / "other")
    assert done.exit_code == 1
    found = "line 2 holds 1 numbers behind the word: expected 2 as before; correct or remove it"
    assert done.stderr.strip() == f"error: {folder / 'bad.vec'} {found}"
    assert sorted(path.name for path in folder.iterdir() if "other" in path.name) == []


def test_vectors(folder):
    (folder / "good.vec").write_text("it 1 2\nis 1 -2\nfine 0 1\n")
    fit = ("fit", "classify-text", folder / "table.csv", "--text", "review", "--label", "mood", "--epochs", "1")
    done = run(*fit, "--vectors", folder / "good.vec", "--out", folder / "vectored", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["report"]["facts"]["vectors"] == "3 of 10 words from good.vec"


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_predicts_part_by_part_what_it_predicts_as_a_whole(folder, monkeypatch, ending):
    """And no more than a part is ever held: what is predicted is written before the next part is read."""
    whole, parts = folder / f"whole{ending}", folder / f"parts{ending}"
    assert run("predict", folder / "m", folder / "table.csv", "--out", whole).exit_code == 0
    lengths, predict = [], TextClassifier.predict

    def counted(task, data, **options):
        lengths.append(len(data))
        return predict(task, data, **options)

    monkeypatch.setattr(TextClassifier, "predict", counted)
    monkeypatch.setattr(TextClassifier, "rows_at_once", 10)
    done = run("predict", folder / "m", folder / "table.csv", "--out", parts, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"out": str(parts), "rows": 48}
    assert lengths == [10, 10, 10, 10, 8]
    first, second = (read_table(path) for path in (whole, parts))
    assert first["label"].equals(second["label"])
    for name in first.columns[1:]:  # a batch of other texts rounds otherwise
        np.testing.assert_allclose(first[name], second[name], atol=1e-6)
    whole.unlink()
    parts.unlink()


def test_a_fault_far_down_leaves_no_file(folder, monkeypatch):
    monkeypatch.setattr(TextClassifier, "rows_at_once", 10)
    predict = TextClassifier.predict

    def fails(task, data, origin):
        if origin.row(0).startswith("line 32 "):
            raise DataError(f"{origin.row(3)} is at fault")
        return predict(task, data, origin=origin)

    monkeypatch.setattr(TextClassifier, "predict", fails)
    for ending in ("csv", "parquet"):
        done = run("predict", folder / "m", folder / "table.csv", "--out", folder / f"never.{ending}")
        assert done.exit_code == 1
        assert done.stderr.strip() == "error: line 35 of table.csv is at fault"
    assert [path.name for path in folder.iterdir() if "never" in path.name] == []

"""What is wrong with a table of texts is said in one sentence, with exit status 1 and nothing written."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app

QUICK = ("--epochs", 2, "--folds", 2, "--hidden", 4, "--embedding", 4, "--threads", 1)
ROWS = [(f"{who} is {word}", label) for who in ("it", "she") for word, label in [("fine", "good"), ("dull", "bad")] * 4]
TABLE = pl.DataFrame(ROWS, schema=["text", "label"], orient="row")


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def labels(first, *more):
    return TABLE.with_columns(label=pl.Series([first, *more, *(["good", "bad"] * 8)][: len(TABLE)]))


def refused(folder, *words):
    before = sorted(path.name for path in folder.iterdir())
    done = run(*words)
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert sorted(path.name for path in folder.iterdir()) == before
    return line


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (TABLE, ["--text", "txt"], "there is no column 'txt' in table.csv: did you mean 'text'?"),
        (TABLE, ["--label", "class"], "there is no column 'class' in table.csv"),
        (TABLE, ["--group", "author"], "there is no column 'author' in table.csv"),
        (TABLE, ["--label", "text"], "column 'text' is asked for twice: give each column one role"),
        (TABLE.with_columns(label=pl.lit("good")), [], "holds the single class 'good'"),
        (labels("odd"), [], "class 'odd' has one row in line 2 of table.csv: expected two at least"),
        (labels(None), [], "label column 'label' is empty in line 2 of table.csv: give each row a class"),
        (labels("NaN"), [], "class 'NaN' has one row in line 2 of table.csv: expected two at least"),
        (TABLE.with_columns(label=pl.int_range(16) / 7), [], "class '0.0' and 15 more have one row each"),
        (TABLE.with_columns(author=pl.lit("a")), ["--group", "author"], "all rows are of one group: expected two"),
        (TABLE.head(0), [], "holds no rows: expected at least one row below the header"),
        (
            pl.DataFrame({"text": ["a"] * 200_000, "label": np.arange(200_000) // 2}),
            [],
            "holds 100,000 classes: expected at most 1,000",
        ),
    ],
    ids=range(12),
)
def test_tables_that_cannot_be_trained_on(tmp_path, content, options, words):
    content.write_csv(tmp_path / "table.csv")
    assert words in refused(
        tmp_path, "fit", "classify-text", tmp_path / "table.csv", "--out", tmp_path / "m", *QUICK, *options
    )


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('{"text": "a", "label": ["x"]}\n{"text": "b", "label": ["y"]}\n', "label column 'label' in table.jsonl is of"),
        ('{"text": "\\udfff", "label": "x"}\n', "table.jsonl cannot be read as jsonl"),
        ('{"text": "a", "label": "x"}\n[1]\n', "table.jsonl line 2 is not a JSON object"),
    ],
)
def test_lines_of_json_that_cannot_be_read(tmp_path, lines, words):
    (tmp_path / "table.jsonl").write_text(lines * 2)
    assert words in refused(tmp_path, "fit", "classify-text", tmp_path / "table.jsonl", "--out", tmp_path / "m", *QUICK)


def test_labels_of_mixed_types_are_texts(tmp_path):
    """In a file there is but one type that holds them all."""
    lines = [{"text": f"{word} {i}", "label": label} for i in range(6) for word, label in [("fine", 1), ("dull", "x")]]
    (tmp_path / "table.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run("fit", "classify-text", tmp_path / "table.jsonl", "--out", tmp_path / "m", *QUICK, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "m" / "config.json").read_text())["classes"] == ["1", "x"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A model of blank texts, control characters, signs, letters from right to left, and rows that occur again."""
    folder = tmp_path_factory.mktemp("odd")
    texts = ["", "  ", None, "\x07bell \x1b[31m", "😀👩‍👩‍👧", "فيلم جميل", "שלום עולם", "same", "same", "same"] * 4
    table = pl.DataFrame({"text": texts, "label": ["a", "b"] * 20, "author": ["x", "y", None, "z"] * 10})
    table.write_csv(folder / "table.csv")
    words = ("fit", "classify-text", folder / "table.csv", "--group", "author", "--out", folder / "m", *QUICK)
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout)["report"]


def test_odd_texts_are_learnt_from_and_blank_ones_counted(odd):
    folder, report = odd
    assert "12 of the texts are blank." in report["notes"]
    done = run("predict", folder / "m", folder / "table.csv", "--out", folder / "said.csv")
    assert done.exit_code == 0, done.output
    said = pl.read_csv(folder / "said.csv")
    assert len(said) == 40
    assert said["probability"].is_finite().all()


def test_halves_of_surrogate_pairs_in_a_file_are_no_fault(odd):
    folder, _ = odd
    (folder / "half.jsonl").write_text('{"text": "\\ud800 fine"}\n{"text": "dull \\ud800"}\n')
    done = run("predict", folder / "m", folder / "half.jsonl", "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)) == 2


def test_a_class_that_training_did_not_have(odd):
    folder, _ = odd
    pl.DataFrame({"text": ["x"], "label": ["new"]}).write_csv(folder / "new.csv")
    said = refused(folder, "evaluate", folder / "m", folder / "new.csv", "--report", folder / "r.html")
    assert "line 2 of new.csv has the class 'new' (1 such rows in all), which training did not have" in said


def test_tables_that_cannot_be_predicted(odd):
    folder, _ = odd
    pl.DataFrame({"review": ["x"]}).write_csv(folder / "other.csv")
    for out in ((), ("--out", folder / "never.csv"), ("--out", folder / "never.parquet")):
        assert "there is no column 'text' in other.csv" in refused(
            folder, "predict", folder / "m", folder / "other.csv", *out
        )

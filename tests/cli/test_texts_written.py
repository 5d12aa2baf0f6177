"""Translation and summaries from the command line: files of all kinds, predictions, figures, what cannot be read."""

import gzip
import json
from io import StringIO

import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from sluicegate.training.checkpoint import Checkpoint

KNOBS = [
    *("--hidden", 8, "--embedding", 8, "--layers", 1, "--subwords", 60, "--beam", 2),
    *("--epochs", 1, "--batch", 16, "--threads", 1),
]
ROWS = [
    (f"ein {who} rennt {n}", f"a {into} runs {n}") for n in range(6) for who, into in (("Hund", "dog"), ("Mann", "man"))
]


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words):
    found = run(*words)
    assert found.exit_code == 0, found.output
    return found


def refused(folder, *words):
    before = sorted(path.name for path in folder.iterdir())
    found = run(*words)
    assert found.exit_code == 1, found.output
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert line.startswith("error: ")
    assert sorted(path.name for path in folder.iterdir()) == before
    return line


def write(path, names):
    """The pairs in a file of the kind that its ending says."""
    table, plain = (
        pl.DataFrame(ROWS, schema=list(names), orient="row"),
        path.with_suffix("") if path.suffix == ".gz" else path,
    )
    {
        ".csv": table.write_csv,
        ".tsv": lambda to: table.write_csv(to, separator="\t"),
        ".jsonl": table.write_ndjson,
        ".parquet": table.write_parquet,
    }[plain.suffix](plain)
    if plain != path:
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two text files, a table, and models trained on them."""
    folder = tmp_path_factory.mktemp("written")
    for name, column in (("t.de", 0), ("t.en", 1)):
        (folder / name).write_text("".join(f"{row[column]}\n" for row in ROWS))
    (folder / "t.txt").write_text((folder / "t.de").read_text())
    write(folder / "t.csv", ("body", "subject"))
    pair = f"{folder / 't.de'},{folder / 't.en'}"
    done("fit", "translate", pair, "--validation", pair, "--out", folder / "m", *KNOBS)
    done("fit", "summarize", folder / "t.csv", "--text", "body", "--summary", "subject", "--out", folder / "s", *KNOBS)
    return folder


KINDS = ["csv", "tsv", "jsonl", "parquet", "csv.gz", "tsv.gz", "jsonl.gz", "parquet.gz"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_every_kind_are_evaluated_alike(folder, tmp_path, kind):
    pair = f"{folder / 't.de'},{folder / 't.en'}"
    expected = json.loads(done("evaluate", folder / "m", pair, "--json").stdout)
    found = json.loads(
        done("evaluate", folder / "m", write(tmp_path / f"t.{kind}", ("source", "target")), "--json").stdout
    )
    assert found == expected
    assert set(found["baselines"]) == {"word_by_word"}


@pytest.mark.parametrize("kind", ["tsv.gz", "jsonl.gz"])
def test_trains_on_files_that_are_packed(folder, tmp_path, kind):
    path = write(tmp_path / f"t.{kind}", ("source", "target"))
    done("fit", "translate", path, "--validation", path, "--out", tmp_path / "m", *KNOBS)
    files = [(place / "m" / "weights.safetensors").read_bytes() for place in (tmp_path, folder)]
    assert files[0] == files[1]


def test_predicts_a_table_and_the_lines_of_a_text(folder, tmp_path):
    table = write(tmp_path / "t.csv", ("source", "target"))
    said = json.loads(done("predict", folder / "m", table, "--json").stdout)
    assert said == json.loads(done("predict", folder / "m", folder / "t.txt", "--json").stdout)
    assert [row["text"] for row in said] == sluicegate.load(folder / "m").translate([row[0] for row in ROWS])[
        "text"
    ].to_list()
    done("predict", folder / "m", table, "--out", tmp_path / "said.parquet")
    assert pl.read_parquet(tmp_path / "said.parquet").to_dicts() == said
    printed = done("predict", folder / "s", folder / "t.csv").stdout
    assert printed.startswith("row,alternative,text,score,confidence\n")
    (first, *_), said = (
        pl.read_csv(StringIO(printed)).rows(named=True),
        sluicegate.load(folder / "s").predict([ROWS[0][0]]),
    )
    assert first["text"] == said["text"][0]
    assert [*map(float, str(first["confidence"]).split())] == pytest.approx(said["confidence"][0].to_list(), rel=1e-5)


def test_a_report_is_written(folder):
    done("evaluate", folder / "s", folder / "t.csv", "--report", folder / "r.html")
    assert "What was looked at" in (folder / "r.html").read_text()
    found = json.loads(done("evaluate", folder / "s", folder / "t.csv", "--json").stdout)
    assert set(found["metrics"]) == {"rougeL", "rouge1", "rouge2"}
    assert set(found["baselines"]) == {"first_sentence", "tfidf_sentence", "tfidf_keywords"}


def test_goes_on_where_it_was_stopped(folder, tmp_path, monkeypatch):
    words = ("fit", "summarize", folder / "t.csv", "--text", "body", "--summary", "subject", *KNOBS, "--epochs", 3)
    done(*words, "--out", tmp_path / "whole")
    written = Checkpoint.write

    def once(*arguments):
        written(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", once)
        assert run(*words, "--out", tmp_path / "m").exit_code != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.checkpoint", "whole"]
    found = done(*words, "--out", tmp_path / "m", "--resume")
    assert "going on from" in found.stderr
    files = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "m")]
    assert files[0] == files[1]


def test_what_cannot_be_read(folder, tmp_path):
    (tmp_path / "short.en").write_text("a dog\n")
    out = ("--out", tmp_path / "m", *KNOBS)
    said = refused(tmp_path, "fit", "translate", f"{folder / 't.de'},{tmp_path / 'short.en'}", *out)
    assert "line 2 of " in said
    assert f"{folder / 't.de'} has no partner, for {tmp_path / 'short.en'} ends at line 1 of 12" in said
    said = refused(tmp_path, "fit", "translate", f"{folder / 't.de'},{tmp_path / 'none.en'}", *out)
    assert "none.en is not there or is not a file" in said
    said = refused(tmp_path, "fit", "translate", folder / "t.csv", *out)
    assert "there is no column 'source' in t.csv" in said
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"source,target\na,b\n" * 50)[:-9])
    said = refused(tmp_path, "fit", "translate", tmp_path / "cut.csv.gz", *out)
    assert "cut.csv.gz is a damaged gzip file" in said
    write(tmp_path / "odd.csv", ("source", "target"))
    said = refused(tmp_path, "evaluate", folder / "m", tmp_path / "odd.csv", "--label", "target")
    assert "`--label` is no option for a model of the task translate" in said


def test_lines_are_named_in_packed_files_too(folder, tmp_path):
    (tmp_path / "bad.csv.gz").write_bytes(gzip.compress(b"source,target\na,b\nc,d,e\n"))
    said = refused(tmp_path, "fit", "translate", tmp_path / "bad.csv.gz", "--out", tmp_path / "m", *KNOBS)
    assert "bad.csv.gz line 3 holds 3 values: expected 2" in said
    (tmp_path / "latin.csv.gz").write_bytes(gzip.compress("source,target\ngrün,b\n".encode("latin-1")))
    said = refused(tmp_path, "fit", "translate", tmp_path / "latin.csv.gz", "--out", tmp_path / "m", *KNOBS)
    assert "latin.csv.gz line 2 is not UTF-8" in said

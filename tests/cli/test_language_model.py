"""The language model from the command line: from plain text, gzip'd or not, and from tables."""

import gzip
import json

import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app

LINES = [f"{who} {does} the {what} ." for who in ("he", "she") for does in ("sees", "hears") for what in ("cat", "dog")]
TEXT = "\n".join(LINES * 12) + "\n"
QUICK = ["--hidden", 8, "--embedding", 8, "--batch", 8, "--piece", 10, "--epochs", 4, "--learning-rate", 0.02]


def run(*words, rows=""):
    return CliRunner().invoke(app, [str(word) for word in words], input=rows)


def fitted(data, out, *more):
    done = run("fit", "language-model", data, "--out", out, *QUICK, *more)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Texts, and a model trained on one."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "a.txt").write_text(TEXT)
    (folder / "b.tokens.gz").write_bytes(gzip.compress(TEXT.encode()))
    table = pl.DataFrame({"body": ["\n".join(LINES[i : i + 2]) for i in range(6)] * 8})
    table.write_csv(folder / "t.csv")
    table.write_csv(folder / "t.tsv", separator="\t")
    table.write_parquet(folder / "t.parquet")
    table.write_ndjson(folder / "t.jsonl")
    fitted(folder / "a.txt", folder / "m")
    return folder


def test_plain_text_is_one_text_and_a_line_is_a_line(folder):
    fitted(folder / "b.tokens.gz", folder / "gz")
    models = [sluicegate.load(folder / name) for name in ("m", "gz")]
    direct = sluicegate.LanguageModel(hidden=8, embedding=8, batch=8, piece=10, epochs=4, learning_rate=0.02)
    direct.fit([TEXT], progress=False)
    expected = direct.perplexity([TEXT])
    assert [model.perplexity([TEXT]) for model in models] == [expected, expected]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.jsonl"])
def test_of_a_table_each_row_is_a_text(folder, name):
    fitted(folder / name, folder / f"of-{name}", "--text", "body", "--validation", folder / name, "--epochs", 1)
    done = run("predict", folder / f"of-{name}", folder / name, "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert len(rows) == 48
    assert rows[0].keys() == {"row", "words", "log_probability", "perplexity"}


def test_predicts_and_evaluates(folder):
    done = run("predict", folder / "m", folder / "b.tokens.gz", "--out", folder / "said.csv")
    assert done.exit_code == 0, done.output
    assert pl.read_csv(folder / "said.csv")["words"].to_list() == [len(LINES * 12) * 6]
    done = run("evaluate", folder / "m", folder / "a.txt", "--json", "--report", folder / "r.html")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert set(found["baselines"]) == {"five_gram"}
    assert "Learning curve" in (folder / "r.html").read_text()
    learnt = json.loads(run("evaluate", folder / "m", folder / "a.txt", "--json", "--dynamic", 0.1).stdout)
    assert learnt["metrics"]["perplexity"] < found["metrics"]["perplexity"]
    cached = json.loads(run("evaluate", folder / "m", folder / "a.txt", "--json", "--cache", 50).stdout)
    assert cached["facts"]["cache"].startswith("50 tokens")


def test_streams(folder):
    rows = "\n".join(json.dumps({"text": word}) for word in ("he", "sees the", "cat"))
    done = run("stream", folder / "m", "--state", folder / "state", rows=rows)
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["tokens"] for answer in answers] == [1, 2, 1]
    stream = sluicegate.load(folder / "m").open_stream()
    assert answers[0] == json.loads(json.dumps(stream.push("he")))
    on = run("stream", folder / "m", "--state", folder / "state", rows='{"text": "."}\n{"words": "he"}')
    said = [json.loads(line) for line in on.stdout.splitlines()]
    stream.push(["sees the", "cat"])
    assert said[0] == stream.push(".")
    assert "expected a text" in said[1]["error"]


def test_an_interrupted_run_is_gone_on_with(folder, monkeypatch):
    from sluicegate.training import checkpoint

    write, written = checkpoint.Checkpoint.write, []

    def interrupted(self, *arguments):
        write(self, *arguments)
        written.append(self.step)
        if len(written) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoint, "write", interrupted)
        done = run("fit", "language-model", folder / "a.txt", "--out", folder / "again", *QUICK)
    assert done.exit_code != 0
    assert (folder / "again.checkpoint").exists()
    done = fitted(folder / "a.txt", folder / "again", "--resume")
    assert "going on from" in done.stderr
    for name in ("weights.safetensors", "config.json", "subwords.json", "arrays.safetensors"):
        assert (folder / "again" / name).read_bytes() == (folder / "m" / name).read_bytes(), name


def test_what_cannot_be_read_is_told_in_a_sentence(folder):
    (folder / "blank.txt").write_text("\n \n")
    for name, says in (("blank.txt", "is blank"), ("none.txt", "is not there"), ("t.csv", "no column 'text'")):
        done = run("fit", "language-model", folder / name, "--out", folder / "none")
        assert done.exit_code == 1
        assert says in done.stderr
        assert not (folder / "none").exists()

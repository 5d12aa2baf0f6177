"""The action recognizer from the command line."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app
from sluicegate.tasks.recognize_actions import baselines, trained

QUICK = ["--steps", "150", "--folds", "2", "--hidden", "12", "--batch", "16", "--learning-rate", "0.02"]


@pytest.fixture(autouse=True)
def _without_minirocket(monkeypatch):
    for module in (baselines, trained):
        monkeypatch.setattr(module, "has_minirocket", lambda: False)


@pytest.fixture
def table(tmp_path):
    """A table of clips in which a body of three joints moves to the side or upwards."""
    rng, rows = np.random.default_rng(0), []
    for number in range(16):
        steps = np.sin(np.arange(20) * 0.4 + rng.uniform(0, 6))
        clip = np.repeat(np.array([[[0.0, 0], [0, 1], [1, 1]]]), 20, axis=0)
        clip[:, 2, number % 2] += steps
        np.save(tmp_path / f"{number}.npy", clip)
        rows.append({"file": f"{number}.npy", "kind": ("side", "up")[number % 2], "who": f"p{number // 4}"})
    pl.DataFrame(rows).write_csv(tmp_path / "table.csv")
    return tmp_path / "table.csv"


def run(*words, **more):
    return CliRunner().invoke(app, [str(word) for word in words], **more)


@pytest.fixture
def model(table):
    columns = ["--path", "file", "--label", "kind", "--group", "who", "--layout", "0-1 1-2"]
    done = run("fit", "recognize-actions", table, *columns, "--out", table.parent / "m", *QUICK)
    assert done.exit_code == 0, done.output
    return table.parent / "m"


def test_a_table(model, table):
    folder = table.parent
    done = run("predict", model, table, "--out", folder / "said.csv")
    assert done.exit_code == 0, done.output
    said = pl.read_csv(folder / "said.csv")
    assert said.columns == ["clip", "label", "probability", "probability_side", "probability_up"]
    assert said["label"].to_list() == ["side", "up"] * 8
    done = run("evaluate", model, table, "--group", "who", "--report", folder / "r.html", "--json")
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["baselines"]) == {"majority_class", "time_warping", "summary_statistics"}
    assert "Accuracy by group" in (folder / "r.html").read_text()


def test_clips_by_their_paths(model, table):
    done = run("predict", model, table.parent / "0.npy", table.parent / "1.npy", "--json")
    assert done.exit_code == 0, done.output
    assert [row["label"] for row in json.loads(done.stdout)] == ["side", "up"]


def test_rows_of_json(model, table):
    clip = np.load(table.parent / "1.npy")
    lines = "".join(json.dumps({"joints": step.tolist()}) + "\n" for step in clip)
    done = run("stream", model, input=lines)
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 20
    assert answers[-1]["label"] == "up"
    assert set(answers[-1]) == {"label", "probability", "since", "probability_side", "probability_up"}


def one_sentence(done, words):
    assert done.exit_code == 1
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_what_cannot_be_used_leaves_nothing_behind(model, table, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    np.save(tmp_path / "other.npy", np.zeros((5, 4, 2)))
    out = tmp_path / "said.csv"
    one_sentence(run("predict", model, tmp_path / "other.npy", "--out", out), "has 4 joints in 2 dimensions")
    one_sentence(run("predict", model, tmp_path / "none.npy", "--out", out), "is not there")
    one_sentence(run("predict", model, tmp_path / "a.txt", tmp_path / "0.npy"), "a.txt is no clip, by its ending")
    assert not out.exists()
    columns = ["--path", "file", "--label", "kind", "--layout", "coco"]
    done = run("fit", "recognize-actions", table, *columns, "--out", tmp_path / "n", *QUICK)
    one_sentence(done, "the skeletons have 3 joints, and the layout 'coco' has 17")
    assert not (tmp_path / "n").exists()

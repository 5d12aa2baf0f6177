"""The series classifier from the command line."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app
from sluicegate.tasks.classify_series import baselines, trained

QUICK = ["--steps", "30", "--folds", "2", "--hidden", "8", "--batch", "16", "--learning-rate", "0.02"]


@pytest.fixture(autouse=True)
def _without_minirocket(monkeypatch):
    for module in (baselines, trained):
        monkeypatch.setattr(module, "has_minirocket", lambda: False)


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    return [np.sin(np.arange(20 + i % 5) * (0.3, 1.1)[i % 2] + rng.uniform(0, 6))[:, None] for i in range(24)]


@pytest.fixture
def table(parts, tmp_path):
    rows = [
        {"id": f"r{i}", "t": t, "swing": float(v[0]), "kind": ("slow", "fast")[i % 2], "who": i // 4}
        for i, part in enumerate(parts)
        for t, v in enumerate(part)
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "table.csv")
    return tmp_path / "table.csv"


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_table(table):
    folder, columns = table.parent, ["--series", "id", "--time", "t", "--label", "kind"]
    done = run("fit", "classify-series", table, *columns, "--group", "who", "--out", folder / "m", *QUICK)
    assert done.exit_code == 0, done.output
    pl.read_csv(table).drop("kind", "who").write_csv(folder / "other.csv")
    done = run("predict", folder / "m", folder / "other.csv", "--out", folder / "said.csv")
    assert done.exit_code == 0, done.output
    said = pl.read_csv(folder / "said.csv")
    assert said.columns == ["id", "label", "probability", "probability_fast", "probability_slow"]
    assert (said["label"] == pl.Series(["slow", "fast"] * 12)).mean() > 0.9
    done = run("evaluate", folder / "m", table, "--group", "who", "--report", folder / "r.html", "--json")
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["baselines"]) == {"majority_class", "nearest_neighbour", "summary_statistics"}
    assert "Accuracy by group" in (folder / "r.html").read_text()


def test_an_npz_file(parts, tmp_path):
    path = tmp_path / "r.npz"
    np.savez(
        path,
        X=np.concatenate(parts),
        lengths=[len(part) for part in parts],
        y=[i % 2 for i in range(24)],
        who=[i // 4 for i in range(24)],
    )
    done = run("fit", "classify-series", path, "--label", "y", "--group", "who", "--out", tmp_path / "m", *QUICK)
    assert done.exit_code == 0, done.output
    done = run("predict", tmp_path / "m", path, "--json")
    assert [row["label"] for row in json.loads(done.stdout)] == [i % 2 for i in range(24)]
    done = run("evaluate", tmp_path / "m", path, "--group", "who", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["metrics"]["accuracy"] > 0.9


def test_arrays_by_other_names(parts, tmp_path):
    path, kinds = tmp_path / "r.npz", np.array([i % 2 for i in range(24)])
    longest = max(map(len, parts))
    padded = np.stack([np.pad(part, ((0, longest - len(part)), (0, 0)), constant_values=np.nan) for part in parts])
    np.savez(path, x_train=padded, y_train=kinds, x_test=padded[:6], y_test=kinds[:6])
    train = ["--array", "x_train", "--label", "y_train", "--out", tmp_path / "m"]
    done = run("fit", "classify-series", path, *train, *QUICK)
    assert done.exit_code == 0, done.output
    done = run("predict", tmp_path / "m", path, "--array", "x_test", "--json")
    assert [row["label"] for row in json.loads(done.stdout)] == kinds[:6].tolist()
    done = run("evaluate", tmp_path / "m", path, "--array", "x_test", "--label", "y_test", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["facts"]["recordings"] == "6, of 20 to 24 steps"
    pl.DataFrame({"id": [0, 0], "x": [0.0, 1.0]}).write_csv(tmp_path / "t.csv")
    done = run("predict", tmp_path / "m", tmp_path / "t.csv", "--array", "x_test")
    assert done.exit_code == 1
    assert "names an array of an .npz file, and t.csv is none" in " ".join(done.stderr.split())


def test_ts_files(parts, tmp_path):
    head = "@univariate true\n@classLabel {}\n@data\n"
    lines = [",".join(f"{value:.4f}" for value in part[:, 0]) for part in parts]
    labelled = [f"{line}:{('Slow', 'Fast')[i % 2]}" for i, line in enumerate(lines)]
    (tmp_path / "lab.ts").write_text(head.format("true Slow Fast") + "\n".join(labelled))
    (tmp_path / "unlab.ts").write_text(head.format("false") + "\n".join(lines))
    done = run("fit", "classify-series", tmp_path / "lab.ts", "--out", tmp_path / "m", *QUICK)
    assert done.exit_code == 0, done.output
    done = run("predict", tmp_path / "m", tmp_path / "unlab.ts", "--json")
    assert [row["label"] for row in json.loads(done.stdout)] == ["Slow", "Fast"] * 12
    done = run("evaluate", tmp_path / "m", tmp_path / "unlab.ts")
    assert done.exit_code == 1
    assert "the recordings have no labels" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--label", "kinds"], "there is no array 'kinds'"),
        (["--label", "y", "--series", "id"], "`--series` names a column, and r.npz is no table: leave it out"),
        (["--label", "y", "--window", "1"], "`window` (=1) must be"),
        (["--label", "who"], "have one row each, the first in recording 0 of r.npz"),
    ],
)
def test_what_is_wrong_leaves_nothing_behind(tmp_path, words, said):
    np.savez(tmp_path / "r.npz", X=np.zeros((4, 5, 1)), y=[0, 0, 1, 1], who=[0, 1, 2, 2])
    done = run("fit", "classify-series", tmp_path / "r.npz", *words, "--out", tmp_path / "m")
    assert done.exit_code == 1
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]

"""The remedies that the command line offers work when they are obeyed, and no file of the user's is lost."""

import re
import shutil

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from sluicegate.cli.training import fit_and_save
from sluicegate.errors import BundleError, ConfigError, DataError
from sluicegate.training.checkpoint import is_checkpoint

QUICK = ("--epochs", 1, "--folds", 1, "--hidden", 4, "--embedding", 4, "--threads", 1)
ROWS = [(f"{who} is {word}", label) for who in ("it", "she") for word, label in [("fine", "good"), ("dull", "bad")] * 5]
TABLE = pl.DataFrame(ROWS, schema=["text", "label"], orient="row").with_columns(author=pl.lit("x"))


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words):
    done = run(*words)
    assert done.exit_code == 1, done.output
    return done.stderr


def succeeded(*words):
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    TABLE.write_csv(folder / "t.csv")
    succeeded("fit", "classify-text", folder / "t.csv", "--out", folder / "m", *QUICK)
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said", "obeyed"),
    [
        (["--out", "p.xlsx"], "choose one of these", ["--out", "p.csv"]),
        (["--out", "."], "choose one of these", ["--out", "p.tsv"]),
        (["--out", "taken.csv"], "give the path of a file", ["--out", "taken.csv/p.csv"]),
        (["--out", "t.csv"], "which would be lost: give the path of another file", ["--out", "p.jsonl"]),
        (["--out", "link.csv"], "which would be lost: give the path of another file", ["--out", "p.parquet"]),
        (["--future", "t.csv"], "leave it out", []),
        (["--array", "X"], "leave it out", []),
    ],
    ids=range(7),
)
def test_predictions(place, words, said, obeyed):
    (place / "taken.csv").mkdir()
    (place / "link.csv").symlink_to("t.csv")
    before = (place / "t.csv").read_bytes()
    assert said in refused("predict", "m", "t.csv", *words)
    assert (place / "t.csv").read_bytes() == before
    done = succeeded("predict", "m", "t.csv", *obeyed)
    found = pl.read_csv(done.stdout.encode()) if not obeyed else sluicegate.data.read_table(place / obeyed[1])
    assert found["label"].to_list() == sluicegate.load("m").predict(TABLE)["label"].to_list()


@pytest.mark.parametrize(
    ("words", "said", "obeyed"),
    [
        (["--report", "r.pdf"], "must end in .html", ["--report", "r.html"]),
        (["--start", "5"], "leave it out", []),
        (["--stride", "2"], "leave it out", []),
        (["--baseline", "AutoETS"], "leave it out", []),
        (["--group", "Author"], "did you mean 'author'?", ["--group", "author"]),
    ],
    ids=range(5),
)
def test_evaluations(place, words, said, obeyed):
    assert said in refused("evaluate", "m", "t.csv", *words)
    assert '"accuracy"' in succeeded("evaluate", "m", "t.csv", "--json", *obeyed).stdout
    assert not list(place.glob("r.pdf"))


def test_places_for_models(place):
    (place / "file").write_text("precious")
    (place / "notes").mkdir()
    (place / "notes" / "n.txt").write_text("precious")
    (place / "m" / "manifest.json").write_text("{")
    for out, words in (
        ("file", "choose another path, or move it away"),
        ("notes", "choose a new or an empty folder, or move that away"),
        ("m", "choose a new or an empty folder, or move that away"),
    ):
        assert words in refused("fit", "classify-text", "t.csv", "--out", out, *QUICK)
        (place / out).rename(place / f"{out}-away")
    assert "save the model again to a new or an empty folder" in refused("predict", "m-away", "t.csv")
    assert "give the folder that a model was saved to" in refused("predict", "m", "t.csv")
    assert (place / "file-away").read_text() == (place / "notes-away" / "n.txt").read_text() == "precious"


class Interrupted(sluicegate.TextClassifier):
    """A task that writes a checkpoint or not before it is interrupted, or is saved."""

    def __init__(self, writes=False, error=None):
        super().__init__()
        self.writes, self.error = writes, error

    def train(self, checkpoint):
        if self.writes:
            _checkpoint(checkpoint)
        if self.error:
            raise self.error

    def save(self, out):
        out.mkdir()


def _checkpoint(path):
    import torch

    from sluicegate.training.checkpoint import Checkpoint

    layer = torch.nn.Linear(1, 1)
    weights = dict(layer.named_parameters())
    Checkpoint.start(weights, {}).write(
        path, weights, {}, {name: {} for name in weights}, str(np.random.default_rng().random())
    )


def fit(task, out, *, resume=False):
    try:
        fit_and_save(task.train, lambda: task.save(out), out, resume=resume)
    except KeyboardInterrupt:
        return


def test_an_interrupted_run_is_told_what_can_be_resumed(tmp_path, capsys):
    """The checkpoint of an earlier run, of other settings perhaps, is none of this one."""
    out, checkpoint = tmp_path / "m", tmp_path / "m.checkpoint"
    fit(Interrupted(False, KeyboardInterrupt()), out)
    assert "nothing had been written yet" in capsys.readouterr().err
    fit(Interrupted(True, KeyboardInterrupt()), out)
    assert f"`--resume` goes on from {checkpoint}" in capsys.readouterr().err
    before = checkpoint.read_bytes()
    fit(Interrupted(False, KeyboardInterrupt()), out)
    said = capsys.readouterr().err
    assert "will be replaced; `--resume` would have gone on from it" in said
    assert "nothing had been written yet" in said
    assert checkpoint.read_bytes() == before
    fit(Interrupted(False, KeyboardInterrupt()), out, resume=True)
    said = capsys.readouterr().err
    assert f"going on from {checkpoint}" in said
    assert f"`--resume` goes on from {checkpoint}" in said


def test_a_file_that_is_no_checkpoint_is_not_replaced(tmp_path):
    out, taken = tmp_path / "m", tmp_path / "m.checkpoint"
    taken.write_text("precious")
    with pytest.raises(BundleError, match="move it away, or choose another folder"):
        fit(Interrupted(True), out)
    assert taken.read_text() == "precious"
    taken.rename(tmp_path / "away")
    fit(Interrupted(True), out)
    assert out.is_dir()
    assert not taken.exists()
    fit(Interrupted(True), tmp_path / "other")
    _checkpoint(taken)
    assert is_checkpoint(taken)


def test_a_checkpoint_of_other_settings_is_moved_away(place, capsys):
    words = ("fit", "classify-text", "t.csv", "--out", "new", *QUICK)
    _checkpoint(place / "new.checkpoint")
    before = (place / "new.checkpoint").read_bytes()
    assert "move it away and train without resuming, which would replace it" in refused(*words, "--resume")
    assert (place / "new.checkpoint").read_bytes() == before
    (place / "new.checkpoint").rename("away")
    succeeded(*words)
    assert (place / "away").read_bytes() == before
    for content in (b"", b"no checkpoint", before[:-9]):
        (place / "new.checkpoint").write_bytes(content)
        assert re.search("is damaged .*: move it away, and train without resuming", refused(*words, "--resume"))
        assert (place / "new.checkpoint").read_bytes() == content


def test_options_of_recordings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("r.npz", X=np.ones((2, 3, 1)), y=["a", "b"])
    (tmp_path / "r.ts").write_text("@classLabel true\n@data\n1,2:a\n")
    pl.DataFrame({"id": [0, 0], "x": [1.0, 2.0]}).write_csv("r.csv")

    def read(name, **given):
        return sluicegate.SeriesClassifier.open_training_file(tmp_path / name, {"labels": "y"} | given)

    with pytest.raises(ConfigError, match=r"`--series` names a column, and r\.npz is no table: leave it out"):
        read("r.npz", series=["id"])
    with pytest.raises(ConfigError, match=r"`--channel` names a column, and r\.npz is no table: leave it out"):
        read("r.npz", channels=["x"])
    with pytest.raises(DataError, match="it holds X, y; name one of them by `label`"):
        read("r.npz", labels="label")
    assert read("r.npz")[0].labels.to_list() == ["a", "b"]
    with pytest.raises(DataError, match=r"leave `groups` .* out"):
        read("r.ts", groups="who")
    assert len(read("r.ts")[0]) == 1
    with pytest.raises(ConfigError, match="leave it out"):
        read("r.csv", series=["id"], array="X")
    assert read("r.csv", series=["id"])[1]["series"] == ["id"]

"""What cannot be followed or learnt from is refused in one sentence, with the file and its line."""

import polars as pl
import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app
from tests.tasks.track.walkers import seen_of, walkers, write_detections, write_folder

KNOBS = ["--hidden", 8, "--steps", 6, "--age", 1, "--threads", 1]


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(folder, *words):
    """The one line of a command that fails, and leaves nothing behind."""
    before = sorted(path.name for path in folder.rglob("*"))
    found = run(*words)
    assert found.exit_code == 1, found.output
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert line.startswith("error: ")
    assert sorted(path.name for path in folder.rglob("*")) == before
    return line


@pytest.fixture
def folder(tmp_path):
    table = walkers(3, 40)
    write_folder(tmp_path / "all" / "a", table, seen_of(table))
    return tmp_path


def test_the_command_line(folder):
    model, boxes = folder / "model", folder / "boxes.txt"
    found = run("fit", "track", folder / "all", "--out", model, *KNOBS)
    assert found.exit_code == 0, found.output
    assert "hota" in found.stdout
    write_detections(boxes, seen_of(walkers(3, 20)))
    found = run("predict", model, boxes)
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines()[0] == "video,frame,id,x,y,width,height,confidence,row"
    found = run("predict", model, boxes, "--out", folder / "tracks.csv")
    assert found.exit_code == 0, found.output
    found = run("predict", model, boxes, "--smooth", "--out", folder / "tracks.txt")
    assert found.exit_code == 0, found.output
    line = (folder / "tracks.txt").read_text().splitlines()[0].split(",")
    assert len(line) == 10
    assert line[:2] == ["1", "1"]
    found = run("evaluate", model, folder / "all", "--detections", folder / "all")
    assert found.exit_code == 0, found.output
    for line, message in (
        ("4,-1,10,10,-5,20,0.9", "line 2 of"),
        ("4,-1,10,10,nan,20,0.9", "finite numbers"),
        ("4,-1,10,10,5,20,inf", "the score inf"),
        ("2,-1,10,10,5,20,0.9", "in order of their frames"),
        ("3.5,-1,10,10,5,20,0.9", "expected a whole number"),
        ("4,-1,10,10,5", "line 2 holds 5 numbers"),
        ("4,-1,10,10,five,20,0.9", "expected numbers"),
        ("99999999999,-1,10,10,5,20,0.9", "number them from 1"),
    ):
        boxes.write_text(f"3,-1,10,10,5,20,0.9\n{line}\n")
        assert message in refused(folder, "predict", model, boxes)
        assert message in refused(folder, "predict", model, boxes, "--out", folder / "other.csv")
    (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nseqLength=9\nimWidth=100\nimHeight=100\n")
    boxes.write_text("3,-1,400,10,5,20,0.9\n")
    assert "outside the picture of 100 x 100" in refused(folder, "predict", model, boxes)
    assert "is not there" in refused(folder, "predict", model, folder / "none.txt")


def test_what_cannot_be_learnt_from(folder):
    truth = folder / "all" / "a" / "gt" / "gt.txt"
    out = ["--out", folder / "model", *KNOBS]
    for text, message in (
        ("1,1,5,5,9,9,1\n1,1,50,5,9,9,1\n", "the second box of the object 1 in frame 1"),
        ("1,1,5,5,9,9,1\n2,1,50,5,9,-9,1\n", "height -9"),
        ("1,1,5,5,9,9,1\n1,2,50,5,9,9,1\n", "no object has 3 boxes"),
        ("1,1,5,5,9,9,0\n", "there are no boxes"),
    ):
        truth.write_text(text)
        assert message in refused(folder, "fit", "track", folder / "all", *out)
    truth.unlink()
    assert "has no gt/gt.txt" in refused(folder, "fit", "track", folder / "all", *out)
    (folder / "empty").mkdir()
    assert "holds no sequences" in refused(folder, "fit", "track", folder / "empty", *out)
    assert "is no folder" in refused(folder, "fit", "track", folder / "none", *out)
    table = pl.DataFrame({"frame": [1], "x": [1.0], "y": [1.0], "width": [1.0], "height": [1.0]})
    table.write_csv(folder / "boxes.csv")
    assert "no column 'id'" in refused(folder, "fit", "track", folder / "boxes.csv", *out)

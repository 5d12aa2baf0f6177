"""What cannot be trained on or transcribed is refused in one sentence, with the file and its line."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from sluicegate.errors import ConfigError, DataError, NotFittedError
from tests.tasks.transcribe.tones import QUICK, RATE, make_table, say

soundfile = pytest.importorskip("soundfile")

KNOBS = ["--hidden", 8, "--layers", 1, "--epochs", 1, "--versions", 1, "--threads", 1]


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
    """A table of recordings whose paths are relative to it."""
    table = make_table(16)
    (tmp_path / "clips").mkdir()
    names = [f"clips/{row}.wav" for row in range(len(table))]
    for name, clip in zip(names, table["audio"], strict=True):
        soundfile.write(tmp_path / name, clip.to_numpy(), RATE)
    pl.DataFrame({"path": names, "text": table["text"], "speaker": table["speaker"]}).write_csv(tmp_path / "calls.csv")
    return tmp_path


def test_the_command_line(folder):
    model, table = folder / "model", folder / "calls.csv"
    found = run("fit", "transcribe", table, "--group", "speaker", "--out", model, *KNOBS)
    assert found.exit_code == 0, found.output
    assert "sentence accuracy" in " ".join(found.stdout.split())
    clips = [folder / "clips" / "0.wav", folder / "clips" / "1.wav"]
    for data, rows in (([table], 16), (clips, 2), (clips[:1], 1), ([folder / "clips"], 16)):
        found = run("predict", model, *data)
        assert found.exit_code == 0, found.output
        assert found.stdout.splitlines()[0] == "row,text,begin,end,confidence"
        assert len(found.stdout.splitlines()) == rows + 1
    found = run("evaluate", model, table, "--group", "speaker")
    assert found.exit_code == 0, found.output
    assert "wer of s1" in " ".join(found.stdout.split())
    assert "is no recording, by its ending" in refused(folder, "predict", model, table, clips[0])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "3.wav (line 5 of calls.csv) is not there"),
        (lambda path: path.write_bytes(b"no sound"), "3.wav (line 5 of calls.csv) cannot be read as audio"),
        (lambda path: path.write_bytes(b""), "3.wav (line 5 of calls.csv) is empty, it has no bytes"),
        (lambda path: path.write_bytes(path.read_bytes()[:999]), "3.wav (line 5 of calls.csv) was cut short"),
        (lambda path: soundfile.write(path, np.zeros(0), RATE), "3.wav (line 5 of calls.csv) has no samples"),
        (
            lambda path: soundfile.write(path, np.full(99, np.nan), RATE, subtype="FLOAT"),
            "3.wav (line 5 of calls.csv) holds nan as its sample 0",
        ),
    ],
)
def test_a_recording_that_cannot_be_read(folder, spoil, message):
    spoil(folder / "clips" / "3.wav")
    assert message in refused(folder, "fit", "transcribe", folder / "calls.csv", "--out", folder / "model", *KNOBS)


def test_recordings_of_odd_kinds_are_taken(folder):
    clip = say(["one"], 0)
    loud = np.clip(clip * 50, -1, 1)
    high = np.repeat(clip, 24)
    soundfile.write(folder / "clips" / "0.wav", loud, RATE)
    soundfile.write(folder / "clips" / "1.wav", high, 192_000)
    soundfile.write(folder / "clips" / "2.wav", np.stack([clip] * 8, 1), RATE)
    soundfile.write(folder / "clips" / "4.wav", np.zeros(4000), RATE)
    found = run("fit", "transcribe", folder / "calls.csv", "--out", folder / "model", *KNOBS)
    assert found.exit_code == 0, found.output


def test_columns_and_folders(folder, tmp_path):
    table, model = folder / "calls.csv", folder / "model"
    assert "no column 'said'" in refused(folder, "fit", "transcribe", table, "--text", "said", "--out", model)
    assert "is no folder: give one" in refused(folder, "fit", "transcribe", table, "--noise", table, "--out", model)
    line = refused(folder, "fit", "transcribe", folder / "clips", "--out", model)
    assert "0.wav has no text beside it: write what is said into 0.txt" in line
    (folder / "empty").mkdir()
    assert "there are no recordings in" in refused(folder, "fit", "transcribe", folder / "empty", "--out", model)


def fit(table, **more):
    return sluicegate.Transcriber(**QUICK | {"epochs": 1}).fit(table, audio="audio", progress=False, **more)


def test_arrays_need_a_rate():
    with pytest.raises(DataError, match="of which the rate is not known: give `rate` in Hz"):
        fit(make_table(8))
    with pytest.raises(DataError, match="has the rate 5"):
        fit(make_table(8), rate=5)


def test_texts_that_say_nothing():
    with pytest.raises(DataError, match="every text is blank"):
        fit(make_table(8).with_columns(text=pl.lit("")), rate=RATE)
    with pytest.raises(DataError, match=r"column .text. .* is of type Int"):
        fit(make_table(8).with_columns(text=pl.lit(1)), rate=RATE)


def test_recordings_that_are_too_short_or_too_long_for_training_are_told():
    table = make_table(12)
    odd = pl.DataFrame(
        {
            "audio": [np.zeros(300, np.float32), np.zeros(41 * RATE, np.float32)],
            "text": ["one two three four " * 9, "one"],
            "speaker": ["s1", "s2"],
        }
    )
    held = make_table(6, seed=1)
    task = fit(pl.concat([table, odd]), rate=RATE, validation=held)
    assert [note.split(":")[0] for note in task.report.notes] == [
        "1 recording was longer than 40 s left out of training",
        "1 recording was too short for the text that goes with them left out of training.",
    ]
    with pytest.raises(DataError, match="every recording is longer than 40 s, or too short"):
        fit(odd, rate=RATE, validation=held)


def test_characters_that_training_never_saw(trained):
    table = make_table(4).with_columns(text=pl.lit("żółw ☃"))
    assert trained.evaluate(table).metrics["sentence_accuracy"] == 0


def test_a_single_speaker_and_a_single_recording():
    assert fit(make_table(12).with_columns(speaker=pl.lit("a")), rate=RATE, group="speaker").report is not None
    with pytest.raises(DataError, match="there is one recording: expected two at least"):
        fit(make_table(1), rate=RATE)


def test_what_is_no_recording(trained, tmp_path):
    for wrong, message in (
        (None, "there are no recordings: give a table, paths, or arrays"),
        ([], "there are no recordings in the list"),
        ([say(["one"]), "a.wav"], "recording 1 is str: expected all to be paths, or all to be arrays"),
        (tmp_path / "no.wav", "no.wav is not there"),
        (np.array(["a"]), "expected"),
    ):
        with pytest.raises(DataError, match=message):
            trained.transcribe(wrong)
    with pytest.raises(NotFittedError):
        sluicegate.Transcriber().transcribe(say(["one"]))
    with pytest.raises(ConfigError, match="`phrases` has no phrases"):
        trained.transcribe(say(["one"]), phrases=[])

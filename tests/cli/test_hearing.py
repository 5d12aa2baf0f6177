"""`sluicegate stream` of a transcriber: audio in, a line for words, for what else may follow, and for ends."""

import io
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from tests.tasks.transcribe.tones import RATE, fitted, make_table, say

pytest.importorskip("kaldi_native_fbank", reason="the extra `speech` is not installed")
soundfile = pytest.importorskip("soundfile", reason="the extra `speech` is not installed")

WORDS = ["two", "one", "three", "four"]
COMMAND = [sys.executable, "-m", "sluicegate", "stream"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "tones"
    fitted(make_table()).save(folder)
    return folder


@pytest.fixture(scope="module")
def samples():
    """Three utterances, and a second of silence behind all but the last."""
    parts = [say(words, row) for row, words in enumerate([["two"], ["one", "three"], ["four"]])]
    quiet = np.zeros(RATE, np.float32)
    return (np.concatenate([parts[0], quiet, parts[1], quiet, parts[2]]) * 2**15).astype("<i2")


def run(*arguments, given=b""):
    result = CliRunner().invoke(app, ["stream", *map(str, arguments)], input=given)
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def words_in(said):
    return [word["text"] for line in said for word in line["words"]]


def refused(*arguments, given=b""):
    result, said = run(*arguments, given=given)
    assert (result.exit_code, said) == (1, [])
    (line,) = result.stderr.splitlines()
    return line


def test_raw_samples_are_answered(model, samples):
    result, said = run(model, given=samples.tobytes())
    assert result.exit_code == 0, result.output
    assert words_in(said) == WORDS
    assert [set(line) for line in said] == [{"words", "partial", "endpoint"}] * len(said)
    assert sum(line["endpoint"] for line in said) == 3
    told = [line["partial"] for line in said]
    for line, before, partial in zip(said, ["", *told], told, strict=False):
        assert line["words"] or line["endpoint"] or partial != before
    stream = sluicegate.load(model).open_stream()
    expected = [*stream.push(samples)["words"], *stream.finish()["words"]]
    assert [word for line in said for word in line["words"]] == expected


def test_nothing_is_answered_by_nothing(model):
    for given in (b"", bytes(RATE)):
        result, said = run(model, given=given)
        assert (result.exit_code, said) == (0, [])


@pytest.mark.parametrize("rate", [RATE, 44100])
def test_rates_and_headers(model, samples, rate):
    soxr = pytest.importorskip("soxr")
    high = soxr.resample(samples, RATE, rate)
    _, raw = run(model, "--rate", rate, given=high.tobytes())
    assert words_in(raw) == WORDS
    file = io.BytesIO()
    soundfile.write(file, high, rate, format="WAV")
    assert run(model, given=file.getvalue())[1] == raw
    file = io.BytesIO()
    soundfile.write(file, np.stack([high, high], axis=1), rate, format="WAV")
    assert run(model, given=file.getvalue())[1] == raw


def test_the_next_start_goes_on(model, samples, tmp_path):
    state, cut = tmp_path / "state", 960 * (len(samples) // 1920)
    _, whole = run(model, "--state", tmp_path / "other", given=samples.tobytes())
    _, first = run(model, "--state", state, given=samples[:cut].tobytes())
    _, second = run(model, "--state", state, given=samples[cut:].tobytes())
    assert words_in(first) + words_in(second) == words_in(whole)
    assert "was 8000 before" in refused(model, "--state", state, "--rate", 16000, given=samples.tobytes())


def test_an_utterance_ends_after_so_much_silence(model, samples):
    assert sum(line["endpoint"] for line in run(model, "--endpoint", 3, given=samples.tobytes())[1]) == 1
    assert "endpoint" in refused(model, "--endpoint", -1)


def test_what_is_no_audio_is_refused(model, samples):
    assert "holds OGG" in refused(model, given=b"OggS" + bytes(100))
    assert "has the rate 5" in refused(model, "--rate", 5, given=samples.tobytes())


def test_the_microphone(model, samples, monkeypatch):
    @contextmanager
    def opened(rate):
        assert rate == RATE
        yield io.BytesIO(samples.tobytes()).read

    monkeypatch.setattr("sluicegate.data.microphone.open_microphone", opened)
    assert words_in(run(model, "--microphone")[1]) == WORDS
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "sluicegate[speech]" in refused(model, "--microphone")


def test_options_of_tasks_that_do_not_hear():
    saved = Path(__file__).parents[1] / "tasks" / "saved" / "forecast-rnn"
    for option in (["--rate", 8000], ["--microphone"], ["--endpoint", 1]):
        assert f"`{option[0]}` is no option for a model of the task forecast" in refused(saved, *option)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_live_words_come_at_once_and_a_signal_tells_the_last(model, samples, sent, status):
    first = 8000 + len(say(["two"], 0))
    with subprocess.Popen([*COMMAND, str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(samples[:first].tobytes())
        process.stdin.flush()
        said = []
        while "two" not in words_in(said):  # though the audio goes on
            said.append(json.loads(process.stdout.readline()))
        process.stdin.write(samples[first:].tobytes())
        process.stdin.flush()
        while not said[-1]["partial"].endswith("four"):
            said.append(json.loads(process.stdout.readline()))
        process.send_signal(sent)
        said += [json.loads(line) for line in process.stdout]
        assert process.wait(60) == status
    assert words_in(said) == WORDS

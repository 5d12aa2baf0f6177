"""A report's recordings can be played, and their spectrograms show what is in them."""

import io
import sys

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="the extra `speech` is not installed")
pytest.importorskip("jiwer", reason="the extra `speech` is not installed")

import soundfile

from sluicegate.errors import MissingExtra
from sluicegate.metrics.transcription import counted
from sluicegate.tasks.transcribe import listening
from sluicegate.tasks.transcribe.listening import Heard, clip_of, worst

RATE = 8000


def tone(pitch, seconds=1.0):
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_the_worst_first_and_none_that_is_right():
    said = ["one two three four", "five", "six seven", "", "eight"]
    written = ["one two three", "nine", "six seven", "oh", "eight eight eight"]
    assert worst(counted(written, said)) == [4, 1, 3, 0]  # 200 %, 100 % twice, 25 %
    assert worst(counted(written, said), most=2) == [4, 1]
    assert worst(counted(said, said)) == []


def test_what_is_played_is_the_recording():
    samples = np.concatenate([tone(500), tone(1500)])
    clip = clip_of("a.wav", samples, RATE, "low high", [Heard("low", 0.0, 1.0), Heard("up", 1.0, 2.0)])
    sound, rate = soundfile.read(io.BytesIO(clip.sound))
    assert rate == RATE
    assert len(sound) == pytest.approx(2 * RATE, abs=1200)
    assert abs(np.fft.rfft(sound[: RATE // 2])).argmax() * 2 == pytest.approx(500, abs=4)
    assert clip.heading == "a.wav"
    assert len(clip.sound) < 10_000
    written, said = clip.passages
    assert written.parts == (("low", 1.0), (" ", 0.0), ("up", -1.0))
    assert said.parts == (("low high", 0.0),)
    assert ">low</text>" in clip.picture.svg
    assert "data:image/png;base64," in clip.picture.svg


def test_of_a_long_recording_the_first_seconds_are_shown():
    clip = clip_of("a.wav", tone(500, 15), RATE, "", [Heard("afterwards", 12.0, 13.0)])
    assert clip.heading == "a.wav, the first 10 s"
    assert "afterwards" not in clip.picture.svg
    sound, _ = soundfile.read(io.BytesIO(clip.sound))
    assert len(sound) == pytest.approx(10 * RATE, abs=1200)


def test_silence_and_next_to_nothing_are_no_fault():
    for samples in (np.zeros(RATE, np.float32), np.zeros(10, np.float32), np.zeros(0, np.float32)):
        clip = clip_of("a.wav", samples, RATE, "", [])
        assert clip.passages[0].parts == (("(nothing)", 0.0),)


def test_the_spectrogram_is_dark_where_the_sound_is():
    samples = np.concatenate([tone(500, 2), np.zeros(RATE, np.float32), tone(3000, 2)])
    shades = listening._shaded(samples, RATE)[:, :, 3].astype(int)
    lines, columns, _ = listening._shaded(samples, RATE).shape
    assert lines <= 48
    assert columns <= 320
    assert shades[:, : columns // 3].mean(1).argmax() == pytest.approx(500 / 4000 * lines, abs=1)
    assert shades[:, -columns // 3 :].mean(1).argmax() == pytest.approx(3000 / 4000 * lines, abs=1)
    assert shades[:, columns // 2].max() == 0


def test_without_soundfile(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r"sluicegate\[speech\]"):
        clip_of("a.wav", tone(500), RATE, "", [])

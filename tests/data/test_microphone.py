"""The microphone, played by a stand-in: its samples as bytes, and what is said where there is none."""

import sys
from types import ModuleType

import numpy as np
import pytest

from sluicegate.data.microphone import open_microphone
from sluicegate.errors import DataError, MissingExtra

SAMPLES = np.arange(1000, dtype="<i2")


class PortAudioError(Exception):
    pass


class RawInputStream:
    def __init__(self, *, samplerate, channels, dtype):
        if samplerate == 9000:
            raise PortAudioError("Invalid sample rate", -9997)
        assert (channels, dtype) == (1, "int16")
        self.at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, frames):
        self.at += frames
        return memoryview(SAMPLES[self.at - frames : self.at]), False


@pytest.fixture
def devices(monkeypatch):
    module = ModuleType("sounddevice")
    module.RawInputStream, module.PortAudioError = RawInputStream, PortAudioError
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def test_it_is_read_like_a_file(devices):
    with open_microphone(8000) as read:
        found = read(12) + read(188)
    np.testing.assert_array_equal(np.frombuffer(found, "<i2"), SAMPLES[:100])


def test_a_rate_that_it_does_not_have(devices):
    with pytest.raises(DataError, match=r"at 9,000 Hz \(Invalid sample rate\)"), open_microphone(9000):
        pass


def test_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtra, match=r"sluicegate\[speech\]"), open_microphone(8000):
        pass
    monkeypatch.delitem(sys.modules, "sounddevice")
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataError, match="needs PortAudio"), open_microphone(8000):
        pass

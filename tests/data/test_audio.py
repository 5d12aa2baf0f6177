"""Audio of every kind, rate and number of channels; what is none is refused in one sentence."""

import re

import numpy as np
import pytest

from sluicegate.data.audio import array_blocks, audio_blocks, audio_rate, from_array, one_channel, read_audio
from sluicegate.errors import DataError

soundfile = pytest.importorskip("soundfile")

RATE = 16000


def tone(rate=RATE, seconds=1.0):
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def written(path, samples=None, rate=RATE, **more):
    soundfile.write(path, tone(rate) if samples is None else samples, rate, **more)
    return path


@pytest.mark.parametrize(
    ("ending", "rate", "more"),
    [
        ("wav", 44100, {}),
        ("wav", 192000, {"subtype": "PCM_24"}),
        ("wav", 8000, {"subtype": "ULAW"}),
        ("flac", 22050, {}),
        ("ogg", 44100, {}),
        ("opus", 48000, {"format": "OGG", "subtype": "OPUS"}),
        ("mp3", 44100, {}),
    ],
)
def test_kinds_of_files(tmp_path, ending, rate, more):
    path = written(tmp_path / f"a.{ending}", rate=rate, **more)
    found = read_audio(path, RATE)
    assert audio_rate(path) == rate
    assert abs(len(found) - RATE) < 0.1 * RATE
    spectrum = np.abs(np.fft.rfft(found))
    assert abs(np.argmax(spectrum) / len(found) * RATE - 440) < 5
    assert np.abs(found).max() == pytest.approx(0.3, abs=0.05)


def test_other_kinds_are_read_by_pyav(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="stereo")
        samples = np.stack([tone(44100)] * 2)
        for begin in range(0, samples.shape[1] - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, begin : begin + 1024]), "fltp", "stereo")
            frame.sample_rate = 44100
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found = read_audio(path, RATE)
    assert audio_rate(path) == 44100
    assert abs(np.argmax(np.abs(np.fft.rfft(found))) / len(found) * RATE - 440) < 5


def test_channels_are_averaged(tmp_path):
    channels = np.stack([tone() * share for share in (0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 0.0)], axis=1)
    path = written(tmp_path / "a.wav", channels, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(path, RATE), channels.mean(1), atol=1e-6)
    np.testing.assert_allclose(from_array(channels, RATE, RATE, named="it"), channels.mean(1), atol=1e-6)


def test_blocks_are_the_whole(tmp_path):
    path = written(tmp_path / "a.wav", np.tile(tone(44100), 11), 44100)
    blocks = list(audio_blocks(path, RATE))
    assert len(blocks) > 5
    assert max(len(block) for block in blocks) < 5 * RATE
    assert np.array_equal(np.concatenate(blocks), read_audio(path, RATE))


def test_blocks_of_an_array_are_the_whole():
    samples = np.random.default_rng(0).uniform(-1, 1, (150_000, 2))
    blocks = list(array_blocks(samples, 44100, RATE, named="it"))
    assert len(blocks) == 4
    np.testing.assert_array_equal(np.concatenate(blocks), from_array(samples, 44100, RATE, named="it"))
    samples[140_000, 1] = np.nan
    with pytest.raises(DataError, match="it holds nan as its sample 140,000"):
        from_array(samples, 44100, RATE, named="it")


def test_whole_numbers_are_scaled():
    whole = (tone() * 32768).astype(np.int16)
    np.testing.assert_allclose(one_channel(whole, "it"), tone(), atol=1e-4)
    np.testing.assert_allclose(one_channel(whole.astype(np.int32) * 65536, "it"), tone(), atol=1e-4)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda at: at / "no.wav", r"no.wav is not there: give the path of a recording"),
        (lambda at: at, r"is a folder: give the path"),
        (lambda at: _wrote(at / "a.wav", b""), r"a.wav is empty, it has no bytes"),
        (lambda at: _wrote(at / "a.wav", b"RIFF or not" * 9), r"a.wav cannot be read as audio \(.*\): save it as WAV"),
        (lambda at: _wrote(at / "a.m4a", b"no sound" * 9), r"a.m4a cannot be read as audio \(.*\): save it as WAV"),
        (lambda at: written(at / "a.wav", tone()[:0]), r"a.wav has no samples: expected a recording"),
        (lambda at: cut(written(at / "a.wav")), r"a.wav was cut short, the last [\d,]+ bytes"),
        (lambda at: cut(written(at / "a.ogg")), r"a.ogg was cut short, its last page is missing"),
        (lambda at: cut(written(at / "a.flac")), r"a.flac (is damaged|was cut short)"),
        (
            lambda at: written(at / "a.wav", np.where(np.arange(99) == 7, np.nan, 0.0), subtype="FLOAT"),
            r"a.wav holds nan as its sample 7: expected finite numbers",
        ),
        (lambda at: written(at / "a.wav", np.zeros((5, 65))), r"a.wav has 65 channels: expected 64 at most"),
        (lambda at: written(at / "a.wav", rate=500), r"a.wav has the rate 500: expected whole Hz from 1,000"),
    ],
)
def test_what_is_no_recording(tmp_path, make, message):
    with pytest.raises(DataError, match=message) as found:
        read_audio(make(tmp_path), RATE)
    assert "\n" not in str(found.value)


def _wrote(path, content):
    path.write_bytes(content)
    return path


def test_the_line_of_a_table_is_told(tmp_path):
    with pytest.raises(DataError, match=re.escape("a.wav (line 3 of calls.csv) is not there")):
        read_audio(tmp_path / "a.wav", RATE, where=" (line 3 of calls.csv)")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 2, 2)), r"it is an array of shape \(2, 2, 2\)"),
        (np.array(["a"]), r"type <U1: expected \[samples\]"),
        (np.array([[1.0], [1.0, 2.0]], dtype=object), "type object"),
        (np.zeros((2, 8000)), r"is it the other way round"),
        (np.array([0.0, np.inf]), r"it holds inf as its sample 1"),
        (np.zeros(0), "it has no samples"),
        (np.zeros(4, bool), "type bool"),
    ],
)
def test_what_is_no_array_of_samples(samples, message):
    with pytest.raises(DataError, match=message):
        from_array(samples, RATE, RATE, named="it")


@pytest.mark.parametrize("rate", [0, -1, 16000.5, True, 10**9])
def test_what_is_no_rate(rate):
    with pytest.raises(DataError, match=r"it has the rate .*: expected whole Hz"):
        from_array(tone(), rate, RATE, named="it")

"""Samples that come as bytes: raw or behind a WAV header, of whatever sizes programs write, and what is none."""

import io
import struct

import numpy as np
import pytest

from sluicegate.data.pcm import PIECE, read_pcm
from sluicegate.errors import ConfigError, DataError

SAMPLES = np.random.default_rng(0).integers(-(2**15), 2**15, 3000).astype("<i2")


def wav(samples, rate=11025, kind=1, bits=16, size=None, before=b"", after=b""):
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * 2 * channels, 2 * channels, bits)
    if kind == 0xFFFE:
        form += struct.pack("<HHIH14s", 22, bits, 0, 1, bytes(14))
    size = samples.nbytes if size is None else size
    chunks = before + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 36 + size & 0xFFFFFFFF) + b"WAVE" + chunks + samples.tobytes() + after


def heard(content, rate=None):
    own, pieces = read_pcm(io.BytesIO(content).read, rate, 8000)
    return own, list(pieces)


def test_raw_samples_come_in_pieces():
    rate, pieces = heard(SAMPLES.tobytes())
    assert rate == 8000
    assert {len(piece) for piece in pieces[:-1]} == {round(PIECE * 8000)}
    np.testing.assert_array_equal(np.concatenate(pieces)[:, 0], SAMPLES)
    assert heard(SAMPLES.tobytes(), 22050)[0] == 22050
    assert heard(b"") == (8000, [])
    np.testing.assert_array_equal(heard(SAMPLES[:3].tobytes())[1][0][:, 0], SAMPLES[:3])


@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [1, 0xFFFE])
@pytest.mark.parametrize("before", [b"", b"LIST\x03\x00\x00\x00abc\x00"])
def test_a_wav_header_tells_the_rate(size, kind, before):
    rate, pieces = heard(wav(SAMPLES, size=size, kind=kind, before=before))
    assert rate == 11025
    np.testing.assert_array_equal(np.concatenate(pieces)[:, 0], SAMPLES)


def test_channels_and_what_follows_the_samples():
    both = SAMPLES.reshape(-1, 2)
    _, pieces = heard(wav(both, after=b"LIST\x04\x00\x00\x00abcd"), 11025)
    np.testing.assert_array_equal(np.concatenate(pieces), both)


def test_half_a_sample_is_left_out_and_told(caplog):
    _, pieces = heard(SAMPLES.tobytes()[:-1])
    np.testing.assert_array_equal(np.concatenate(pieces)[:, 0], SAMPLES[:-1])
    assert "ends within a sample" in caplog.text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(SAMPLES, kind=3, bits=32), "32 bits and of kind 3"),
        (wav(SAMPLES, bits=24), "24 bits"),
        (wav(SAMPLES, rate=5), "has the rate 5"),
        (wav(SAMPLES.reshape(-1, 100)), "100 channels"),
        (wav(SAMPLES)[:30], "is damaged"),
        (wav(SAMPLES)[:36], "ends before any samples"),
        (b"RIFF\0\0\0\0WAVEdata" + bytes(40), "ends before any samples"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f" + bytes(40), "ends before any samples"),
        (b"OggS" + bytes(40), "holds OGG"),
        (b"fLaC" + bytes(40), "holds FLAC"),
    ],
)
def test_what_is_no_such_audio(content, expected):
    with pytest.raises(DataError, match=expected):
        heard(content)


def test_rates_that_differ_or_are_none():
    with pytest.raises(ConfigError, match="which says 11025"):
        heard(wav(SAMPLES), 8000)
    with pytest.raises(DataError, match="has the rate 5"):
        heard(SAMPLES.tobytes(), 5)

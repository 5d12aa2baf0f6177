"""Cepstra are of 39 values, 10 ms apart, and neither loudness nor a steady colour counts."""

import sys

import numpy as np
import pytest

pytest.importorskip("kaldi_native_fbank", reason="the extra `speech` is not installed")

from sluicegate.errors import MissingExtra
from sluicegate.tasks.transcribe.baselines.cepstra import cepstra


def sound(rate=8000, seconds=1.0):
    time = np.arange(int(rate * seconds)) / rate
    rng = np.random.default_rng(0)
    return (0.1 * np.sin(2 * np.pi * (300 + 500 * time) * time) + rng.normal(0, 0.01, len(time))).astype(np.float32)


def test_frames_and_values():
    found = cepstra(sound(), 8000)
    assert found.shape == (98, 39)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-3)


def test_differences_are_the_slope_of_a_straight_line():
    found = cepstra(sound(), 8000).astype(np.float64)
    frames = np.arange(-2, 3)
    slopes = [np.polyfit(frames, found[at + frames, 3], 1)[0] for at in range(2, 96)]
    assert np.corrcoef(slopes, found[2:96, 16])[0, 1] == pytest.approx(1, abs=1e-4)


def test_loudness_does_not_count():
    np.testing.assert_allclose(cepstra(sound(), 8000), cepstra(sound() * 0.1, 8000), atol=0.02)


def test_what_is_very_short_or_silent_is_no_fault():
    assert cepstra(sound()[:10], 8000).shape == (1, 39)
    assert cepstra(np.zeros(0, np.float32), 16000).shape == (1, 39)
    silent = cepstra(np.zeros(8000, np.float32), 8000)
    assert np.isfinite(silent).all()
    np.testing.assert_allclose(silent, 0, atol=1e-4)  # a logarithm of about -200, rounded


def test_without_kaldi_native_fbank(monkeypatch):
    monkeypatch.setitem(sys.modules, "kaldi_native_fbank", None)
    with pytest.raises(MissingExtra, match=r"sluicegate\[speech\]"):
        cepstra(sound(), 8000)

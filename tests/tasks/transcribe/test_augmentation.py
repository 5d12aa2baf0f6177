"""Versions of recordings: other speeds, narrow bands, and the same by the same seed."""

import numpy as np
import pytest

from sluicegate.tasks.transcribe.augmentation import at_speed, band_limited, masked, version
from sluicegate.tasks.transcribe.noises import Noises

RATE = 8000


def tone(pitch=800, seconds=1.0):
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def pitch_of(samples):
    return np.abs(np.fft.rfft(samples)).argmax() / len(samples) * RATE


@pytest.mark.parametrize("speed", [0.87, 1.0, 1.15])
def test_speed_changes_length_and_pitch(speed):
    found = at_speed(tone(), speed)
    assert len(found) == pytest.approx(RATE / speed, rel=1e-3)
    assert pitch_of(found) == pytest.approx(800 * speed, rel=1e-2)


def test_bands_are_limited():
    both = tone(200) + tone(1000) + tone(3500)
    power = np.abs(np.fft.rfft(band_limited(both, RATE, 350.0, 3200.0)))
    assert power[1000] > 20 * power[200]
    assert power[1000] > 20 * power[3500]


def test_a_version_is_that_of_its_seed():
    one, same, other = (version(tone(), RATE, Noises(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one[:2000], other[:2000])
    assert np.abs(one).max() <= 1


def test_an_empty_or_silent_recording_stays_one():
    for samples in (np.zeros(1, np.float32), np.zeros(4000, np.float32)):
        for seed in range(20):
            assert np.isfinite(version(samples, RATE, Noises(), np.random.default_rng(seed))).all()


def test_masks_set_bands_and_times_to_their_mean():
    frames = np.ones((100, 30), np.float32)
    found = masked(frames, 10, np.random.default_rng(3)).reshape(100, 3, 10)
    assert 0.5 < found.mean() < 1
    assert frames.all()
    bands = (found == 0).all((0, 1))
    times = (found == 0).all((1, 2))
    assert np.array_equal(found == 0, np.broadcast_to(bands, found.shape) | times[:, None, None])

"""Noise to mix in, and to hear alone."""

import numpy as np
import pytest

from sluicegate.tasks.transcribe.noises import Noises, voices_of

RATE = 8000


def tone(seconds):
    return (0.3 * np.sin(2 * np.pi * 300 * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def test_noise_is_of_unit_power_and_of_any_length():
    for noises in (Noises(), Noises([tone(0.1)], voices=[tone(0.2)])):
        for count in (1, 50, 9000):
            found = noises.draw(count, np.random.default_rng(count))
            assert found.shape == (count,)
            assert found.dtype == np.float32
            assert np.sqrt(np.mean(found**2)) == pytest.approx(1, abs=0.05) or count == 1


def test_noise_alone_is_of_many_loudnesses_and_some_is_digital_silence():
    found = list(Noises(voices=[tone(0.2)]).alone(40, np.random.default_rng(0)))
    assert [number for number, one in enumerate(found) if not one.any()] == [0, 20]
    assert all(np.abs(one).max() <= 1 and 0.29 <= len(one) / RATE <= 5 for one in found)
    loudness = [20 * np.log10(np.sqrt(np.mean(one**2))) for one in found if one.any()]
    assert min(loudness) < -55
    assert max(loudness) > -20


def test_voices_are_the_beginnings_of_some_recordings():
    speech = [np.full(RATE * 6, row, np.float32) for row in range(300)]
    found = voices_of(speech, RATE)
    assert len(found) == 100
    assert {len(one) for one in found} == {5 * RATE}
    assert (found[0][0], found[-1][0]) == (0, 299)
    assert voices_of([], RATE) == []

"""Sounds without words: of unit power, of any length, of their kind, and the same by the same seed."""

import numpy as np
import pytest

from sluicegate.tasks.transcribe.sounds import (
    babble,
    calls,
    coloured,
    knocks,
    machine,
    music,
    noise,
    shaped,
    sound,
    swell,
    unit,
)

RATE = 8000
KINDS = [noise, machine, knocks, calls, music]
VOICES = [np.random.default_rng(seed).standard_normal(500 + seed).astype(np.float32) for seed in range(3)]


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_its_colour(slope):
    found = coloured(2**16, slope, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(found)) ** 2
    low, high = power[100:200].mean(), power[10_000:20_000].mean()
    assert np.log(low / high) / np.log(15_000 / 150) == pytest.approx(slope, abs=0.15)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_sounds_are_of_unit_power_and_of_any_length(rate):
    generator = np.random.default_rng(rate)
    for count in (1, 2, 50, 9000):
        for _ in range(60):
            found = sound(count, rate, VOICES, generator)
            assert found.shape == (count,)
            assert np.isfinite(found).all()
            assert np.sqrt(np.mean(found**2)) == pytest.approx(1, abs=0.01) or count < 50


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_that_of_its_seed(kind):
    one, same, other = (kind(6000, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_music_is_tones_and_knocks_are_short():
    def peaks(found):
        power = np.sort(np.abs(np.fft.rfft(found * np.hanning(len(found)))) ** 2)[::-1]
        return power[: len(power) // 20].sum() / power.sum()

    tones = [peaks(music(8000, RATE, np.random.default_rng(seed))) for seed in range(9)]
    rough = [peaks(coloured(8000, 0.0, np.random.default_rng(seed))) for seed in range(9)]
    assert min(tones) > 0.5 > max(rough)
    bursts = [unit(knocks(8000, RATE, np.random.default_rng(seed))) for seed in range(9)]
    assert np.median([np.mean(found**4) for found in bursts]) > 6  # 3 is that of noise


def test_babble_is_of_several_voices():
    apart = [np.zeros(900, np.float32) for _ in range(60)]
    for at, voice in enumerate(apart):
        voice[10 * at] = 1
    counts = [np.count_nonzero(babble(900, apart, np.random.default_rng(seed))) for seed in range(20)]
    assert min(counts) >= 2  # the same one may be drawn again
    assert max(counts) <= 8


def test_loudness_and_resonances_leave_the_length():
    generator = np.random.default_rng(0)
    for count in (1, 2, 777):
        loudness = swell(count, RATE, generator)
        assert loudness.shape == (count,)
        assert 0 < loudness.min() <= loudness.max() <= 1
        assert shaped(np.ones(count), RATE, generator).shape == (count,)
    assert not unit(np.zeros(5)).any()

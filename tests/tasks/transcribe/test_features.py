"""Features: the same bits however audio comes, the numbers that others compute, and a scale."""

import numpy as np
import pytest

from sluicegate.tasks.transcribe.features import Scale, bins_of, levels, log_mels, stacked, window_of

RATES = [8000, 16000]


def noise(rate, seconds=2.0):
    return (0.1 * np.random.default_rng(0).standard_normal(int(rate * seconds))).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_each_frame_is_of_its_own_samples(rate):
    samples, shift = noise(rate), rate // 100
    whole = log_mels(samples, rate)
    assert whole.shape == (1 + (len(samples) - window_of(rate)) // shift, bins_of(rate))
    for frame in (0, 17, len(whole) - 1):
        alone = log_mels(samples[frame * shift : frame * shift + window_of(rate)], rate)
        assert np.array_equal(alone, whole[frame : frame + 1])


def test_long_audio_is_computed_in_parts():
    samples = noise(8000, 35.0)
    assert np.array_equal(log_mels(samples, 8000)[2990:3100], log_mels(samples[2990 * 80 : 3099 * 80 + 200], 8000))


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_is_in_its_band(rate):
    time = np.arange(rate) / rate
    found = [
        log_mels(np.sin(2 * np.pi * pitch * time).astype(np.float32), rate)[10].argmax() for pitch in (300, 1000, 3000)
    ]
    assert found == sorted(found)
    mel = 1127 * np.log(1 + np.array([300, 1000, 3000, 20, rate / 2]) / 700)
    expected = (mel[:3] - mel[3]) / (mel[4] - mel[3]) * (bins_of(rate) + 1) - 1
    np.testing.assert_allclose(found, expected, atol=1.0)


def test_a_factor_is_added_to_the_logarithms():
    samples = noise(8000)
    np.testing.assert_allclose(log_mels(samples, 8000) - log_mels(samples / 2, 8000), np.log(4), atol=1e-3)


def test_silence_is_not_below_the_floor():
    assert (log_mels(np.zeros(800, np.float32), 8000) == 4.0).all()
    assert log_mels(np.zeros(199, np.float32), 8000).shape == (0, 40)


def test_the_scale_is_that_of_all_frames():
    several = [log_mels(noise(8000, seconds), 8000) for seconds in (0.5, 1.5)]
    of_all = Scale.of(several)
    scale = Scale(of_all.mean, of_all.spread, follows=False)
    found = np.concatenate([scale.apply(mels, scale.begin())[0] for mels in several])
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(found.std(0), 1, atol=3e-2)


def test_levels_are_in_decibels():
    samples = noise(8000)
    loud, quiet = (levels(log_mels(samples * factor, 8000)) for factor in (1.0, 0.1))
    np.testing.assert_allclose(loud - quiet, 20, atol=1e-3)


def test_bands_are_heard_against_the_mean_of_what_was_heard():
    mels = log_mels(noise(8000, 20), 8000)
    scale = Scale.of([mels])
    plain, _ = scale.apply(mels, scale.begin())
    bright = mels + scale.spread * np.linspace(-0.4, 0.4, mels.shape[1], dtype=np.float32)  # another microphone
    found, room = scale.apply(bright, scale.begin())
    assert np.abs(found[:10] - plain[:10]).mean() > 0.1
    np.testing.assert_allclose(found[-100:], plain[-100:], atol=0.25)
    assert room.heard == 1000
    _, room = scale.apply(mels + np.float32(9), scale.begin())
    assert (np.abs(room.mean) <= 0.5).all()  # what is as loud as that is no voice


def test_pauses_say_nothing_of_a_room():
    mels = log_mels(noise(8000, 3), 8000)
    scale = Scale.of([mels])
    _, before = scale.apply(mels, scale.begin())
    pause = log_mels(np.zeros(8000 * 60, np.float32), 8000)
    _, after = scale.apply(pause, before)
    assert (after.mean == before.mean).all()
    assert after.heard == before.heard


def test_any_cuts_give_the_same_bits():
    mels = log_mels(noise(8000, 2), 8000) + np.float32(1)
    scale, found = Scale.of([mels[:50]]), []
    whole, _ = scale.apply(mels, scale.begin())
    room = scale.begin()
    for part in np.split(mels, [1, 2, 40, 41, 150]):
        bands, room = scale.apply(part, room)
        found.append(bands)
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_three_frames_are_stacked():
    mels = np.arange(8 * 2, dtype=np.float32).reshape(8, 2)
    assert stacked(mels).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]

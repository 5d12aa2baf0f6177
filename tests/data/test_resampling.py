"""Audio at another rate: as soxr makes it of the whole, the same bits however it is cut, and from a state on."""

import numpy as np
import pytest

from sluicegate.data.resampling import BEFORE, SEGMENT, Resampler

soxr = pytest.importorskip("soxr")

RATES = [(44100, 16000), (8000, 16000), (48000, 8000), (7999, 16000), (192000, 8000), (22050, 8000)]


def noise(rate, seconds=9.3):
    return np.random.default_rng(0).standard_normal(int(rate * seconds)).astype(np.float32)


def whole(samples, rate, wanted):
    resampler = Resampler(rate, wanted)
    return np.concatenate([resampler.push(samples), resampler.finish()])


@pytest.mark.parametrize(("rate", "wanted"), RATES)
def test_it_is_soxrs(rate, wanted):
    samples = noise(rate)
    expected = soxr.resample(samples, rate, wanted, quality="MQ")
    found = whole(samples, rate, wanted)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=5e-5)


@pytest.mark.parametrize(("rate", "wanted"), RATES[:4])
def test_no_bit_hangs_on_how_it_is_cut_or_on_a_restored_state(rate, wanted):
    samples, generator = noise(rate), np.random.default_rng(1)
    resampler, found, begin = Resampler(rate, wanted), [], 0
    while begin < len(samples):
        count = int(generator.integers(1, 2 * rate))
        found.append(resampler.push(samples[begin : begin + count]))
        begin += count
        if generator.random() < 0.5:
            numbers, held = resampler.state()
            assert len(held) <= (SEGMENT + BEFORE + 1) * rate
            resampler = Resampler(rate, wanted)
            resampler.restore(numbers["segment"], numbers["next"], held)
    found.append(resampler.finish())
    assert np.array_equal(np.concatenate(found), whole(samples, rate, wanted))


@pytest.mark.parametrize("seconds", [0, SEGMENT, 2 * SEGMENT])
def test_where_a_segment_ends(seconds):
    samples = noise(44100, seconds)
    assert len(whole(samples, 44100, 16000)) == seconds * 16000


def test_the_same_rate_is_left_alone():
    samples = noise(8000, 1)
    assert np.array_equal(whole(samples, 8000, 8000), samples)

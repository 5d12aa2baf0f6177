"""Streams: the same words however audio is cut and at whatever rate, from snapshots on, and without end."""

import numpy as np
import pytest

from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError
from tests.tasks.transcribe.tones import RATE, fitted, make_table, say

soxr = pytest.importorskip("soxr")


@pytest.fixture(scope="module")
def long():
    """Three utterances with a second of silence behind each."""
    quiet = np.zeros(RATE, np.float32)
    return np.concatenate(
        [part for row, words in enumerate([["two"], ["one", "three"], ["four"]]) for part in (say(words, row), quiet)]
    )


def answered(stream, samples, cuts, rate=None):
    """All answers to samples that are cut at some places, and that of the end."""
    found = [stream.push(part, rate) for part in np.split(samples, cuts)]
    return [*found, stream.finish()]


def words_in(answers):
    return [word for answer in answers for word in answer["words"]]


def test_no_word_hangs_on_how_audio_is_cut(trained, long):
    generator = np.random.default_rng(0)
    whole = words_in(answered(trained.open_stream(), long, []))
    assert [word["text"] for word in whole] == ["two", "one", "three", "four"]
    for cuts in (range(160, len(long), 160), np.sort(generator.integers(0, len(long), 40)), range(1, 300)):
        assert words_in(answered(trained.open_stream(), long, list(cuts))) == whole


def test_one_utterance_is_told_as_by_transcribe(trained):
    samples = say(["one", "four", "two"], 3)
    found = words_in(answered(trained.open_stream(), samples, range(160, len(samples), 160)))
    assert found == [word._asdict() for word in trained.transcribe(samples).words]


def test_lattices_are_those_of_the_whole(trained, long):
    listener = trained.trained.listener
    whole = np.concatenate(list(listener.lattices([long])))
    heard, found = listener.begin(), []
    for part in np.split(long, range(77, len(long), 77)):
        lattice, levels, heard = listener.hear(part, heard)
        assert len(levels) == len(lattice)
        found.append(lattice)
    found = np.concatenate(found)
    assert np.array_equal(found, whole[: len(found)])
    assert len(whole) - len(found) <= 9


def test_utterances_end_in_silence(trained, long):
    answers = answered(trained.open_stream(), long, range(160, len(long), 160))
    ends = [number * 160 / RATE for number, answer in enumerate(answers[:-1], 1) if answer["endpoint"]]
    assert len(ends) == 3
    last = [word for word in words_in(answers) if word["text"] in ("two", "three", "four")]
    for end, word in zip(ends, last, strict=True):
        assert 0.4 < end - word["end"] < 0.9
    assert sum(answer["endpoint"] for answer in answered(trained.open_stream(endpoint=5.0), long, [])[:-1]) == 0


def test_partial_words_come_soon(trained):
    samples = np.concatenate([say(["two"], 1), np.zeros(RATE, np.float32)])
    stream = trained.open_stream()
    spoken = len(say(["two"], 1)) / RATE
    for number, part in enumerate(np.split(samples, range(160, len(samples), 160)), 1):
        if stream.push(part)["partial"] == "two":
            assert number * 160 / RATE < spoken + 0.2
            return
    pytest.fail("the word never came")


@pytest.mark.parametrize("rate", [44100, 16000])
def test_another_rate(trained, long, rate):
    high = soxr.resample(long, RATE, rate)
    whole = words_in(answered(trained.open_stream(), high, [], rate))
    assert [word["text"] for word in whole] == ["two", "one", "three", "four"]
    cuts = range(rate // 50, len(high), rate // 50)
    assert words_in(answered(trained.open_stream(), high, cuts, rate)) == whole


@pytest.mark.parametrize("rate", [8000, 44100])
def test_snapshots(trained, long, rate):
    samples = soxr.resample(long, RATE, rate) if rate != RATE else long
    parts = np.split(samples, range(rate // 10, len(samples), rate // 10))
    stream, found = trained.open_stream(), []
    for part in parts:
        found.append(stream.push(part, rate))
        snapshot, stream = stream.snapshot(), trained.open_stream()
        stream.restore(snapshot)
    found.append(stream.finish())
    assert words_in(found) == words_in(answered(trained.open_stream(), samples, [], rate))
    stream.restore(stream.snapshot())
    with pytest.raises(StreamError):
        stream.push(parts[0], rate)


def test_damaged_snapshots(trained, long):
    stream = trained.open_stream()
    stream.push(long[:3000])
    snapshot = bytearray(stream.snapshot())
    snapshot[-3] ^= 1
    before = stream.snapshot()
    with pytest.raises(SnapshotError):
        stream.restore(bytes(snapshot))
    assert stream.snapshot() == before
    with pytest.raises(SnapshotError, match="another model"):
        fitted(make_table(24), epochs=1, seed=3).open_stream().restore(before)


def test_memory_does_not_grow(trained, long):
    stream, sizes = trained.open_stream(), []
    for _ in range(12):
        for part in np.split(long, range(800, len(long), 800)):
            stream.push(part)
        sizes.append(len(stream.snapshot()))
    assert max(sizes[6:]) <= max(sizes[:6]) + 64


def test_phrases_and_words_that_are_awaited(trained):
    samples = say(["one", "four"], 3)
    assert words_in(answered(trained.open_stream(phrases=["two", "three"]), samples, [])) == []
    found = words_in(answered(trained.open_stream(phrases=["one four", "two"]), samples, []))
    assert [word["text"] for word in found] == ["one", "four"]


def test_what_is_no_audio(trained, long):
    stream = trained.open_stream()
    before = stream.snapshot()
    for wrong in (np.array([0.0, np.nan]), np.array(["a"]), np.zeros((2, 2, 2))):
        with pytest.raises(DataError):
            stream.push(wrong)
    with pytest.raises(DataError, match="has the rate 5"):
        stream.push(long, 5)
    assert stream.snapshot() == before
    stream.push(long[:100], 16000)
    with pytest.raises(DataError, match=r"`rate` \(=44100\) was 16000 before"):
        stream.push(long[:100], 44100)
    with pytest.raises(ConfigError, match="endpoint"):
        trained.open_stream(endpoint=0)
    with pytest.raises(ConfigError, match="both `words` and `phrases`"):
        trained.open_stream(words=["one"], phrases=["two"])


@pytest.mark.parametrize("rate", [8000, 44100])
def test_many_utterances_are_told_as_by_transcribe(trained, rate):
    """Utterances of up to five words, pauses from a tenth of a second to more than one, and noise that is loud."""
    generator, parts = np.random.default_rng(7), []
    for row in range(24):
        words = [str(word) for word in generator.choice(["one", "two", "three", "four"], generator.integers(1, 6))]
        pause = generator.choice([0.0, 0.003, 0.1]) * generator.standard_normal(int(generator.uniform(0.1, 1.3) * RATE))
        parts += [say(words, row), pause.astype(np.float32)]
    samples = np.concatenate(parts)
    samples = soxr.resample(samples, RATE, rate) if rate != RATE else samples
    whole = [word._asdict() for word in trained.transcribe(samples, rate=rate).words]
    assert len(whole) > 40
    for size in (rate // 50, 9 * rate):
        assert words_in(answered(trained.open_stream(), samples, range(size, len(samples), size), rate)) == whole

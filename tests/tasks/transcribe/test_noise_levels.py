"""The word error rate in noise: by seed, of recordings that are short, in noise as loud as it is said to be."""

import json

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="the extra `speech` is not installed")

from sluicegate.data import Source
from sluicegate.errors import DataError
from sluicegate.metrics.transcription import counted
from sluicegate.tasks.transcribe.augmentation import Noises
from sluicegate.tasks.transcribe.noise_levels import by_noise, mixed_with
from sluicegate.tasks.transcribe.reading import recordings_of
from tests.tasks.transcribe.tones import RATE, make_table, say

soundfile = pytest.importorskip("soundfile", reason="the extra `speech` is not installed")


def measured(trained, table):
    recordings, _ = recordings_of(table, {"audio": "audio", "text": "text"}, Source(), rate=RATE)
    written = [one.text for one in trained.transcribe([clip.to_numpy() for clip in table["audio"]])]
    clean = counted(written, list(table["text"]))
    return by_noise(trained.trained, trained.config, recordings, clean, Noises())


def test_noise_is_as_loud_as_it_is_said_to_be():
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal(8000)).astype(np.float32)
    noise = rng.standard_normal(8000).astype(np.float32)
    for level in (20, 10, 0):
        added = mixed_with(samples, noise, level) - samples
        assert 20 * np.log10(np.std(samples) / np.std(added)) == pytest.approx(level, abs=0.2)
    assert np.abs(mixed_with(9 * samples, noise, 0)).max() == pytest.approx(1.0)
    np.testing.assert_array_equal(mixed_with(np.zeros(8000, np.float32), noise, 0), np.zeros(8000))


def test_the_same_seed_gives_the_same_figures(trained):
    table = make_table(12, seed=5)
    found = measured(trained, table)
    assert list(found.counts) == ["clean", "20 dB", "10 dB", "0 dB"]
    assert {len(counts) for counts in found.counts.values()} == {12}
    assert len({counts[:, 1].sum() for counts in found.counts.values()}) == 1
    again = measured(trained, table)
    assert all(np.array_equal(again.counts[name], counts) for name, counts in found.counts.items())
    bars = found.bars()
    assert bars["bins"] == [f"{name}\n(12)" for name in found.counts]
    assert bars["figures"]["model"][0] <= bars["figures"]["model"][3]


def test_long_recordings_and_silence_are_not_mixed(trained, monkeypatch):
    table = make_table(6, seed=5)
    assert measured(trained, table.with_columns(text=table["text"].str.head(0))) is None
    monkeypatch.setattr("sluicegate.tasks.transcribe.noise_levels._SECONDS", 0.1)
    assert len(measured(trained, table).counts["0 dB"]) == 1
    monkeypatch.setattr("sluicegate.tasks.transcribe.noise_levels._LONGEST", 0.01)
    assert measured(trained, table) is None


def test_noise_from_a_folder(trained, tmp_path):
    table = make_table(6, seed=5)
    with pytest.raises(DataError, match="is no folder"):
        trained.evaluate(table, noise=tmp_path / "none")
    soundfile.write(tmp_path / "hum.wav", say(["one", "two", "three"]), RATE)
    report = trained.evaluate(table, noise=tmp_path)
    assert "1 recording of noise" in report.facts["wer in noise at 10 dB"]
    assert "noise" not in report.facts["wer without noise"]
    assert "random colours" in trained.report.facts["wer in noise at 0 dB"]
    assert "wer in noise at 20 dB" in json.dumps(report.as_dict())

"""The transcriber learns, keeps the promises of every task, and takes recordings in every form."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sluicegate
from sluicegate.tasks.checks import Case, checks
from tests.tasks.transcribe.tones import QUICK, RATE, TONES, fitted, make_table, say

soundfile = pytest.importorskip("soundfile")

CHUNK = 400


def chunks(words, seed=5):
    samples = say(words, seed)
    return [samples[begin : begin + CHUNK] for begin in range(0, len(samples), CHUNK)]


def told(task, rows):
    """What may be said after these chunks, without a stream: the last word that nothing follows is still open."""
    trained = task.trained
    search = trained.search(task.config.beam)
    lattice, _, _ = trained.listener.hear(np.concatenate(rows), trained.listener.begin())
    search.push(lattice)
    words = search.take()
    return {"words": [word._asdict() for word in words], "partial": search.best().text, "endpoint": False}


@pytest.fixture(scope="module")
def case():
    few = make_table(24)
    return Case(
        make=lambda seed, **knobs: sluicegate.Transcriber(seed=seed, **QUICK | {"epochs": 2} | knobs),
        fit=lambda task: task.fit(few, audio="audio", rate=RATE, progress=False),
        data=few,
        rows=chunks(["two", "one"]),
        offline=told,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_it_writes_what_is_said(trained):
    said = [["two"], ["one", "three"], ["four", "four", "one", "two"], []]
    found = trained.transcribe([say(words, seed=77 + row) for row, words in enumerate(said)])
    assert [one.text for one in found] == [" ".join(words) for words in said]


def test_words_are_where_they_are_said(trained):
    samples = np.concatenate([np.zeros(RATE, np.float32), say(["two"], 1), np.zeros(RATE, np.float32), say(["one"], 2)])
    first, second = trained.transcribe(samples).words
    assert (first.text, second.text) == ("two", "one")
    assert 1.0 < first.begin < first.end < 1.6
    begin = 2 + len(say(["two"], 1)) / RATE
    assert begin < second.begin < second.end < begin + 0.6
    assert 0 <= first.confidence <= 1


def test_all_forms_of_recordings(trained, tmp_path):
    clips = [say(["one"], 1), say(["two", "three"], 2)]
    paths = [tmp_path / "a.wav", tmp_path / "b.flac"]
    for path, clip in zip(paths, clips, strict=True):
        soundfile.write(path, clip, RATE, subtype="PCM_16")
    texts = ["one", "two three"]
    assert [trained.transcribe(path).text for path in paths] == texts
    assert [one.text for one in trained.transcribe(paths)] == texts
    assert [trained.transcribe((clip, RATE)).text for clip in clips] == texts
    assert trained.transcribe(np.stack([clips[0]] * 2, 1)).text == "one"
    assert trained.predict(tmp_path)["text"].to_list() == texts
    assert trained.predict(clips, rate=RATE)["text"].to_list() == texts
    table = pd.DataFrame({"audio": [str(path) for path in paths]})
    found = trained.predict(table)
    assert isinstance(found, pd.DataFrame)
    assert found["text"].tolist() == texts
    assert [len(part) for part in found["begin"]] == [1, 2]


def test_a_recording_does_not_depend_on_its_company(trained):
    clips = [say(["one", "two"], seed) for seed in range(3)]
    assert trained.transcribe(clips) == [trained.transcribe(clip) for clip in clips]


def test_any_rate_and_number_of_channels(trained):
    soxr = pytest.importorskip("soxr")
    high = soxr.resample(say(["three", "one"], 3), RATE, 44100)
    assert trained.transcribe((high, 44100)).text == "three one"
    assert trained.transcribe((np.stack([high] * 8, 1), 44100)).text == "three one"


def test_it_learns_from_a_folder(table, tmp_path):
    for row, (clip, text) in enumerate(zip(table["audio"], table["text"], strict=True)):
        soundfile.write(tmp_path / f"{row:02}.wav", clip.to_numpy(), RATE)
        (tmp_path / f"{row:02}.txt").write_text(text)
    task = sluicegate.Transcriber(**QUICK).fit(tmp_path, progress=False)
    assert task.transcribe(say(["one", "four"], 9)[None][0], rate=RATE).text == "one four"


@pytest.mark.parametrize("cell", ["lstm", "rnn", "mingru", "ligru"])
def test_cells(cell, table):
    task = fitted(table, cell=cell, epochs=2)
    assert task.trained.shape.cell == cell
    assert np.isfinite(task.trained.curve.validation).all()


def test_both_ways(table):
    task = fitted(table, streaming=False)
    assert task.transcribe(say(["one", "four"], 9)).text == "one four"
    with pytest.raises(sluicegate.ConfigError, match="streaming=False"):
        task.open_stream()
    long = np.concatenate([say(["one", "four", "two"], seed) for seed in range(60)])
    assert len(long) > 40 * RATE
    found = task.transcribe(long).text.split()
    assert abs(len(found) - 180) <= 2


def test_characters_and_a_language_model(table):
    task = fitted(table, subwords=0, epochs=60, language_weight=0.5)
    assert set("".join(TONES)) < set(task.trained.alphabet.tokens)
    assert task.transcribe(say(["one", "four"], 9)).text == "one four"
    assert task.transcribe(say(["one", "four"], 9), phrases=["four", "one four"]).text == "one four"
    assert task.transcribe(say(["one"], 9), words=["one", "two"]).text == "one"


def test_silence_and_noise_say_nothing(trained):
    rng = np.random.default_rng(0)
    for samples in (np.zeros(3 * RATE, np.float32), np.zeros(100, np.float32), 0.01 * rng.standard_normal(3 * RATE)):
        assert trained.transcribe(samples.astype(np.float32)).words == []


def test_an_empty_text_is_silence(table):
    quiet = [0.002 * np.random.default_rng(seed).standard_normal(3000).astype(np.float32) for seed in range(6)]
    silent = pl.DataFrame({"audio": quiet, "text": ["", None, " ", "", "", ""], "speaker": ["s9"] * 6})
    task = fitted(pl.concat([table, silent]))
    assert [one.text for one in task.transcribe([*quiet, say(["four"], 8)])] == [""] * 6 + ["four"]


def test_groups_stay_together_and_are_told_apart(table):
    task = sluicegate.Transcriber(**QUICK | {"epochs": 2})
    task.fit(table, audio="audio", group="speaker", rate=RATE, progress=False)
    assert int(task.report.facts["recordings"]) == 8  # of one speaker of six
    report = task.evaluate(table, groups="speaker")
    assert {f"wer of s{number}" for number in range(6)} < report.facts.keys()
    assert report.metrics["sentence_accuracy"] <= 100
    assert {"most_frequent_text", "hidden_markov"} <= report.baselines.keys()


def test_a_killed_run_goes_on(table, tmp_path):
    state, knobs = tmp_path / "state", {"audio": "audio", "rate": RATE, "progress": False}
    whole = sluicegate.Transcriber(**QUICK | {"epochs": 3}).fit(table, **knobs)
    sluicegate.Transcriber(**QUICK | {"epochs": 3}).fit(table, checkpoint=state, **knobs)
    again = sluicegate.Transcriber(**QUICK | {"epochs": 3}).fit(table, checkpoint=state, resume=True, **knobs)
    assert again.files()["weights.safetensors"] == whole.files()["weights.safetensors"]
    with pytest.raises(sluicegate.ConfigError, match="other data or settings"):
        sluicegate.Transcriber(**QUICK | {"epochs": 4}).fit(table, checkpoint=state, resume=True, **knobs)


def test_the_saved_model(trained, tmp_path):
    trained.save(tmp_path / "model")
    again = sluicegate.load(tmp_path / "model")
    samples = say(["one", "four"], 9)
    assert again.transcribe(samples) == trained.transcribe(samples)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["tokens"] == list(trained.trained.alphabet.tokens)
    assert "hidden markov" in (tmp_path / "model" / "MODEL_CARD.md").read_text()


def test_words_that_are_added(table, tmp_path):
    task = fitted(table, subwords=0, epochs=2, language_weight=0.5)
    before = task.fingerprint
    assert task.add_words(["otto"], weight=3.0) is task
    assert task.fingerprint != before
    assert task.trained.search(4).best(final=True).text == ""
    task.save(tmp_path / "model")
    assert sluicegate.load(tmp_path / "model").trained.added == {"otto": 3.0}
    for wrong in ("two words", "", "xyz"):
        with pytest.raises(sluicegate.ConfigError, match="is no single word in what the network can write"):
            task.add_words([wrong])

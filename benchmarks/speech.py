"""The transcriber on public recordings: how many words it gets wrong, beside simple methods, and how fast it is.

    SLUICEGATE_DATA=path/to/data python benchmarks/speech.py [--seeds 3] [--only digits strings] [--write FILE]

`speech_data.py` says what is measured on. The defaults are used throughout. Training is stopped by recordings of people
or takes that are held out of the training part for it; nothing is chosen on a test part. Figures are means over seeds;
of strings, each seed leaves another speaker out.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from document import Section, measure_sections, on_data
from speech_data import (
    RATE,
    SPEAKERS,
    Parts,
    asterisk,
    noise_folder,
    noises,
    ocean,
    official,
    read,
    strings,
    with_noise,
    without,
)
from writing import Figures

import sluicegate
from sluicegate.metrics.transcription import scored

MEASURES = ("wer", "cer", "sentence_accuracy")
CHUNK = 0.02  # seconds of a push to a stream
TRAINED_ON, TESTED_ON = 1500, 210  # strings of digits
DECIBELS = (10.0, 0.0)


def fitted(parts: Parts, seed: int, **options: Any) -> tuple[sluicegate.Transcriber, float]:
    """A transcriber with the defaults, and how many seconds its training took."""
    train, validation, _ = parts
    begin = time.perf_counter()
    model = sluicegate.Transcriber(seed=seed).fit(train, group="speaker", validation=validation, **options)
    return model, time.perf_counter() - begin


def measure_digits(data: Path, seeds: int) -> list[str]:
    """The official split of the spoken digits."""
    figures, parts = Figures(MEASURES), official(data)
    for seed in range(seeds):
        model, fitting = fitted(parts, seed)
        figures.add(model.evaluate(parts[2]).rows, fitting)
    return list(figures.lines())


def measure_speakers(data: Path, seeds: int) -> list[str]:
    """Each speaker of the digits left out once."""
    figures, by_speaker = Figures(MEASURES), {}
    for speaker in SPEAKERS:
        parts, found = without(data, speaker), []
        for seed in range(seeds):
            model, fitting = fitted(parts, seed)
            rows = model.evaluate(parts[2]).rows
            figures.add(rows, fitting)
            found.append(rows["model"]["sentence_accuracy"])
        by_speaker[speaker] = statistics.mean(found)
    told = ", ".join(f"{speaker} {figure:.1f}" for speaker, figure in by_speaker.items())
    return [*figures.lines(), "", f"The sentence accuracy of the model, by the speaker that is left out: {told}."]


def string_parts(data: Path, speaker: str, folder: Path, seed: int) -> Parts:
    """Strings of digits of all speakers but one, and of that one."""
    train, validation, test = without(data, speaker)
    return (
        strings(train, folder / "train", TRAINED_ON, 3 * seed),
        strings(validation, folder / "validation", TRAINED_ON // 10, 3 * seed + 1),
        strings(test, folder / "test", TESTED_ON, 3 * seed + 2),
    )


def measure_strings(data: Path, seeds: int) -> list[str]:
    """Strings of digits of a speaker that is left out, clean, and in noises of kinds that no training has."""
    lines, figures = [], {}
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            parts = string_parts(data, SPEAKERS[seed % len(SPEAKERS)], folder, seed)
            model, fitting = fitted(parts, seed, noise=noise_folder(data, folder / "noise"))
            tests = {"clean": parts[2]} | {
                f"{level:.0f} dB": with_noise(parts[2], data, folder / f"{level:.0f}", level, seed)
                for level in DECIBELS
            }
            for level, test in tests.items():
                figures.setdefault(level, Figures(MEASURES)).add(model.evaluate(test).rows, fitting)
    for level, found in figures.items():
        lines += ["", f"**{level}**", "", *found.lines()]
    return lines[1:]


def measure_asterisk(data: Path, seeds: int) -> list[str]:
    """Prompts of one speaker, with what is known of the words of the training texts and without."""
    figures, parts = Figures(MEASURES), asterisk(data)
    for seed in range(seeds):
        model, fitting = fitted(parts, seed)
        rows = dict(model.evaluate(parts[2]).rows)
        rows["model, without the language model"] = unaided(model, parts[2])
        figures.add(rows, fitting)
    return list(figures.lines())


def unaided(model: sluicegate.Transcriber, test: pl.DataFrame) -> dict[str, float]:
    """The figures of a model whose search knows nothing of words."""
    trained = model.trained
    written = [
        trained.transcribe([read(path, trained.rate)], trained.search(model.config.beam, weight=0.0)).text
        for path in test["path"]
    ]
    return scored(written, test["text"].to_list())._asdict()


def measure_ocean(data: Path, seeds: int) -> list[str]:
    """Sentences of people whose mother tongue is another, told apart by age."""
    parts = ocean(data)
    figures, ages = Figures(MEASURES), Figures(("wer", "cer"))
    for seed in range(seeds):
        model, fitting = fitted(parts, seed)
        figures.add(model.evaluate(parts[2]).rows, fitting)
        texts = model.predict(parts[2])["text"]
        told = parts[2].with_columns(texts.alias("written"))
        by_age = {
            name: scored(some["written"].to_list(), some["text"].to_list())._asdict()
            for (name,), some in told.group_by("group", maintain_order=True)
        }
        ages.add({"model": by_age["adult"], "of children under 12": by_age["child"]}, fitting)
    return [*figures.lines(), "", "By age; the model's are those of adults.", "", *ages.lines()]


def measure_hours(data: Path, seeds: int) -> list[str]:
    """How the same goes with the hours of training data."""
    train, validation, test = ocean(data)
    lines = ["| share of the training speakers | wer | cer |", "| --- | --- | --- |"]
    speakers = train["speaker"].unique(maintain_order=True)
    for share in (0.125, 0.25, 0.5, 1.0):
        some = speakers.gather(np.random.default_rng(0).permutation(len(speakers))[: round(share * len(speakers))])
        rows = []
        for seed in range(seeds):
            model, _ = fitted((train.filter(pl.col("speaker").is_in(some.implode())), validation, test), seed)
            rows.append(scored(model.predict(test)["text"].to_list(), test["text"].to_list()))
        lines.append(
            f"| {share:.3g} | {statistics.mean(r.wer for r in rows):.1f} | {statistics.mean(r.cer for r in rows):.1f} |"
        )
    return lines


def measure_speed(data: Path, seeds: int) -> list[str]:
    """How long a model of strings of digits takes, how soon it tells what is said, and what it hears in noise alone."""
    del seeds
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        parts = string_parts(data, SPEAKERS[0], folder, 0)
        model, _ = fitted(parts, 0, noise=noise_folder(data, folder / "noise"))
        torch.set_num_threads(1)
        rows = [
            ("transcribing, real-time factor on one core", f"{real_time_factor(model, parts[2]):.4f}"),
            *latencies(model, parts[2]),
            ("8 streams in turns, a 20 ms chunk each, p99", f"{1000 * live(model, parts[2], 8):.2f} ms"),
            *hour_of_noise(model, data),
        ]
    return ["| what | figure |", "| --- | --- |", *(f"| {what} | {figure} |" for what, figure in rows)]


def real_time_factor(model: sluicegate.Transcriber, test: pl.DataFrame) -> float:
    """Seconds that a second of recordings takes."""
    sounds = [read(path, RATE) for path in test["path"]]
    begin = time.perf_counter()
    for sound in sounds:
        model.transcribe(sound, rate=RATE)
    return (time.perf_counter() - begin) / (sum(map(len, sounds)) / RATE)


def chunks(sound: np.ndarray) -> Iterator[np.ndarray]:
    """What a microphone gives, a part at a time."""
    size = int(CHUNK * RATE)
    yield from (sound[begin : begin + size] for begin in range(0, len(sound), size))


def latencies(model: sluicegate.Transcriber, test: pl.DataFrame) -> list[tuple[str, str]]:
    """How long after its sound a word is told, and after the last one the end: of strings that were written rightly."""
    words, ends = [], []
    rng = np.random.default_rng(0)
    for path, text, over in zip(test["path"], test["text"], test["ends"].to_list(), strict=True):
        stream = model.open_stream()
        sound = np.concatenate([read(path, RATE), rng.normal(0, 1e-3, 2 * RATE).astype(np.float32)])
        told, done, times = [], None, []
        for number, chunk in enumerate(chunks(sound), 1):
            answer = stream.push(chunk, rate=RATE)
            told += [word["text"] for word in answer["words"]]
            if done is None:
                times.append((number * CHUNK, [*told, *answer["partial"].split()]))
            if answer["endpoint"] and told == text.split():
                done = number * CHUNK
        if done is not None:
            ends.append(done - over[-1])
            words += [first_told(times, text.split()[: at + 1]) - end for at, end in enumerate(over)]
    return [
        ("partial word after its sound, median and p95", f"{spread(words)} ms"),
        ("endpoint after the last sound, median and p95", f"{spread(ends)} ms"),
        ("strings of which that was measured", f"{len(ends)} of {len(test)}"),
    ]


def first_told(times: Sequence[tuple[float, list[str]]], words: Sequence[str]) -> float:
    """When an answer first began with these words."""
    return next(second for second, told in times if told[: len(words)] == list(words))


def spread(seconds: Sequence[float]) -> str:
    """The median and the 95 % quantile in ms."""
    return " and ".join(f"{1000 * np.quantile(seconds, share):.0f}" for share in (0.5, 0.95)) if seconds else "n/a"


def live(model: sluicegate.Transcriber, test: pl.DataFrame, count: int) -> float:
    """The 99 % quantile of the seconds that a push takes, of streams that take turns."""
    streams = [model.open_stream() for _ in range(count)]
    sound = np.concatenate([read(path, RATE) for path in test["path"][:30]])
    taken = []
    for chunk in chunks(sound):
        for stream in streams:
            begin = time.perf_counter()
            stream.push(chunk, rate=RATE)
            taken.append(time.perf_counter() - begin)
    return float(np.quantile(taken, 0.99))


def hour_of_noise(model: sluicegate.Transcriber, data: Path) -> list[tuple[str, str]]:
    """What a stream hears in an hour of silence and of noises, of all kinds, and the memory that it takes."""
    kinds = {**noises(data, held_out=False), **noises(data, held_out=True)}
    rng = np.random.default_rng(0)
    sounds = [read(path, RATE) for paths in kinds.values() for path in paths]
    stream, heard, seconds, before = model.open_stream(), 0, 0.0, peak()
    while seconds < 3600:
        sound = sounds[int(rng.integers(len(sounds)))] if rng.random() < 0.8 else np.zeros(5 * RATE, np.float32)
        for begin in range(0, len(sound), RATE):
            heard += len(stream.push(sound[begin : begin + RATE], rate=RATE)["words"])
        seconds += len(sound) / RATE
    heard += len(stream.finish()["words"])
    return [
        ("words heard in an hour of noise and silence", f"{heard}"),
        ("memory that the hour took beyond what there was", f"{peak() - before:.0f} MiB"),
    ]


def peak() -> float:
    """The most memory that the process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


SECTIONS: dict[str, Section] = {
    "speech:digits": on_data("FSDD, spoken digits, official split", measure_digits),
    "speech:speakers": on_data("FSDD, each speaker left out once", measure_speakers),
    "speech:strings": on_data("Strings of one to seven digits, a speaker left out", measure_strings),
    "speech:asterisk": on_data("Prompts of a telephone system, a tenth held out", measure_asterisk),
    "speech:ocean": on_data("speechocean762, official split", measure_ocean),
    "speech:hours": on_data("speechocean762, by how much is trained on", measure_hours),
    "speech:speed": on_data("How fast it is, and what it hears in noise", measure_speed),
}


if __name__ == "__main__":
    measure_sections(SECTIONS, __doc__, seeds=3)

"""The recordings that `benchmarks/speech.py` measures on, as tables of paths, texts and speakers.

The data folder holds `speech/FSDD` (spoken digits of six people), `speech/asterisk-en` (prompts of one speaker),
`speech/speechocean762` (Zhang et al. 2021: people whose mother tongue is Mandarin) and `noise/ESC-10` (Piczak 2015).
"""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import numpy as np
import polars as pl
import soundfile
import soxr

Parts = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
"""The training, validation and test parts: tables of `path`, `text` and `speaker`, and of what else is known."""

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
RATE = 8000  # of FSDD
HELD_OUT = ("dog-bark", "rain")  # kinds of noise that no training has: one that comes and goes, one that stays


def digits(data: Path) -> pl.DataFrame:
    """Spoken digits, one a recording."""
    rows = []
    for path in sorted((data / "speech/FSDD/recordings").glob("*.wav")):
        digit, speaker, take = path.stem.split("_")
        rows.append((str(path), NAMES[int(digit)], speaker, int(take)))
    return pl.DataFrame(rows, schema=["path", "text", "speaker", "take"], orient="row")


def official(data: Path) -> Parts:
    """The official split: takes 0 to 4 of each digit and speaker are the test part, 5 to 9 stop the training."""
    table, take = digits(data), pl.col("take")
    return table.filter(take >= 10), table.filter((take >= 5) & (take < 10)), table.filter(take < 5)


def without(data: Path, speaker: str) -> Parts:
    """One speaker is the test part; the training is stopped by the last takes of the others."""
    table, other = digits(data), pl.col("speaker") != speaker
    late = pl.col("take") >= 45
    return table.filter(other & ~late), table.filter(other & late), table.filter(~other)


def read(path: str, rate: int) -> np.ndarray:
    """A recording as one channel, at a rate."""
    samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    mono: np.ndarray = soxr.resample(samples.mean(1), found, rate)
    return mono


def strings(table: pl.DataFrame, folder: Path, count: int, seed: int) -> pl.DataFrame:
    """Strings of one to seven digits of one speaker with silences of 50 to 250 ms, written to a folder.

    Their table has `ends` too: for each digit, the second in which it is over.

    Args:
        table: of digits.
        folder: for the recordings.
        count: how many strings.
        seed: of the choice.
    """
    rng = np.random.default_rng(seed)
    speakers = table["speaker"].unique(maintain_order=True).to_list()
    of_speaker = {speaker: table.filter(pl.col("speaker") == speaker) for speaker in speakers}
    sound = {path: read(path, RATE) for path in table["path"]}
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        speaker = speakers[number % len(speakers)]
        own = of_speaker[speaker]
        said = rng.integers(0, len(own), 1 + number // len(speakers) % 7).tolist()
        parts = [quiet(rng)]
        ends = []
        for at in said:
            parts.append(sound[own["path"][at]])
            ends.append(sum(map(len, parts)) / RATE)
            parts.append(quiet(rng))
        path = folder / f"{number:05d}.wav"
        soundfile.write(path, np.concatenate(parts), RATE, subtype="PCM_16")
        rows.append((str(path), " ".join(own["text"][at] for at in said), speaker, ends))
    return pl.DataFrame(rows, schema=["path", "text", "speaker", "ends"], orient="row")


def quiet(rng: np.random.Generator) -> np.ndarray:
    """A short silence, with as little noise as a good room has."""
    samples = int(rng.uniform(0.05, 0.25) * RATE)
    found: np.ndarray = rng.normal(0, 1e-3, samples).astype(np.float32)
    return found


def noises(data: Path, *, held_out: bool) -> dict[str, list[str]]:
    """The recordings of noise of the kinds that no training has, or of the others."""
    kinds = sorted(path for path in (data / "noise/ESC-10").iterdir() if path.is_dir())
    return {
        kind.name: sorted(str(path) for path in kind.glob("*.ogg"))
        for kind in kinds
        if (kind.name in HELD_OUT) == held_out
    }


def noise_folder(data: Path, folder: Path) -> Path:
    """A folder with the noises that a training may have."""
    folder.mkdir(parents=True)
    for kind, paths in noises(data, held_out=False).items():
        for path in paths:
            (folder / f"{kind}-{Path(path).name}").symlink_to(path)
    return folder


def mixed(speech: np.ndarray, noise: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    """Speech with a part of a noise, that many decibels below it; the mean square of the part decides.

    A part that is nearly silent, as between two barks, is drawn again.
    """
    noise = np.tile(noise, -(-len(speech) // len(noise)) + 1)
    loud = np.sqrt(np.mean(noise**2))
    for _ in range(20):
        begin = int(rng.integers(0, len(noise) - len(speech)))
        part = noise[begin : begin + len(speech)]
        if (power := np.sqrt(np.mean(part**2))) > 0.3 * loud:
            break
    found = speech + part * (np.sqrt(np.mean(speech**2)) / max(power, 1e-9) * 10 ** (-decibels / 20))
    result: np.ndarray = (found / max(1.0, np.abs(found).max())).astype(np.float32)
    return result


def with_noise(table: pl.DataFrame, data: Path, folder: Path, decibels: float, seed: int) -> pl.DataFrame:
    """The same recordings with noises of the kinds that no training has, written to a folder."""
    rng = np.random.default_rng((seed, int(decibels)))
    paths = [path for kind in noises(data, held_out=True).values() for path in kind]
    known = {path: read(path, RATE) for path in paths}
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for path in table["path"]:
        noise = known[paths[int(rng.integers(len(paths)))]]
        made.append(str(folder / Path(path).name))
        soundfile.write(made[-1], mixed(read(path, RATE), noise, decibels, rng), RATE, subtype="PCM_16")
    return table.with_columns(pl.Series("path", made))


def asterisk(data: Path) -> Parts:
    """Prompts of one speaker, without capitals and marks; parts share no text, and the test part is a tenth."""
    folder = data / "speech/asterisk-en"
    rows = []
    for line in gzip.decompress((folder / "core-sounds-en.txt.gz").read_bytes()).decode().splitlines():
        name, found, text = line.partition(": ")
        path = folder / "en_US_f_Allison" / f"{name}.wav"
        words = re.sub(r"[^a-z0-9']+", " ", re.sub(r"\[.*?\]", "", text.lower())).strip()
        if found and words and path.exists():
            rows.append((str(path), words, "allison"))
    table = pl.DataFrame(rows, schema=["path", "text", "speaker"], orient="row")
    return by_text(table, (0.8, 0.9))


def by_text(table: pl.DataFrame, bounds: tuple[float, float]) -> Parts:
    """Parts of a table that share no text."""
    texts = table["text"].unique().sort()
    place = np.random.default_rng(0).permutation(len(texts)) / len(texts)
    share = table["text"].replace_strict(texts, place)
    low, high = bounds
    return table.filter(share < low), table.filter((share >= low) & (share < high)), table.filter(share >= high)


def ocean(data: Path) -> Parts:
    """Sentences of people whose mother tongue is Mandarin; a tenth of the training speakers stops the training."""
    folder = data / "speech/speechocean762"
    train, test = (ocean_part(folder / f"{part}.tsv") for part in ("train", "test"))
    speakers = train["speaker"].unique().sort()
    held = speakers.gather(np.random.default_rng(0).permutation(len(speakers))[: len(speakers) // 10])
    of_them = pl.col("speaker").is_in(held.implode())
    return train.filter(~of_them), train.filter(of_them), test


def ocean_part(path: Path) -> pl.DataFrame:
    """A part as it is published."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return pl.DataFrame(
        {
            "path": [str(path.parent / row["audio"]) for row in rows],
            "text": [row["text"] for row in rows],
            "speaker": [row["speaker"] for row in rows],
            "age": [int(row["age"]) for row in rows],
            "group": ["child" if int(row["age"]) < 12 else "adult" for row in rows],
        }
    )

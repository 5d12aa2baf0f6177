"""Recordings in which each word is a tone, for the tests of transcribers."""

import numpy as np
import polars as pl

import sluicegate

RATE = 8000
TONES = {"one": 400, "two": 700, "three": 1200, "four": 1900}
QUICK = {
    "hidden": 24,
    "layers": 1,
    "epochs": 30,
    "batch": 8,
    "versions": 1,
    "learning_rate": 2e-2,
    "dropout": 0.0,
    "beam": 4,
}


def say(words, seed=0, rate=RATE):
    """A recording of words, of a tenth or two of a second each, and a little noise."""
    rng = np.random.default_rng(seed)
    parts = [np.zeros(rate // 20)]
    for word in words:
        time = np.arange(int(rng.uniform(0.14, 0.22) * rate)) / rate
        parts += [0.3 * np.sin(2 * np.pi * TONES[word] * time) * np.hanning(len(time))]
        parts += [np.zeros(int(rng.uniform(0.04, 0.1) * rate))]
    found = np.concatenate(parts)
    return (found + 0.003 * rng.standard_normal(len(found))).astype(np.float32)


def make_table(rows=48, seed=0, most=3):
    """A table of recordings of one to three words."""
    rng = np.random.default_rng(seed)
    texts = [[str(word) for word in rng.choice(list(TONES), rng.integers(1, most + 1))] for _ in range(rows)]
    clips = [say(text, seed=1000 * seed + row) for row, text in enumerate(texts)]
    return pl.DataFrame(
        {
            "audio": clips,
            "text": [" ".join(text) for text in texts],
            "speaker": [f"s{row % 6}" for row in range(rows)],
        }
    )


def fitted(table, **knobs):
    task = sluicegate.Transcriber(**QUICK | knobs)
    return task.fit(table, audio="audio", rate=RATE, progress=False)

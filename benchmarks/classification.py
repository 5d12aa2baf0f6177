"""The classifiers on public data: how often they are right, and how long they take.

    SLUICEGATE_DATA=path/to/data python benchmarks/classification.py [--seeds 3] [--only sst2 smartwatch] [--write FILE]

The data folder holds `sentiment/SST2/{train,dev,test}.tsv` (Socher et al. 2013, sentences only),
`sentiment/TREC/TREC.{train,test}` (Li & Roth 2002), `sentiment/MR/rt-polarity.{neg,pos}` (Pang & Lee 2005) and
`wearable/seglearn-watch/watch_f32.npz` (Burns & Whyne 2018). The defaults are used throughout: no pretrained vectors,
and no data but the set's own training part. MR is cut into ten folds by class, each tested once by a model trained on
the other nine; of the smartwatch, each person's recordings are tested by a model of the other nine people's.
`robust` harms the training part of some of MR's folds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from document import measure_sections, on_data

import sluicegate
from sluicegate.data import read_recordings
from sluicegate.tasks.classification.splitting import folds_of

METHODS = ("model", "tfidf_logistic_regression", "nb_svm", "majority_class")
SHOWN = ("accuracy", "macro_f1", "log_loss", "ece")


def table_of(rows: list[tuple[str, str]]) -> pl.DataFrame:
    """Texts and labels as a table."""
    return pl.DataFrame(rows, schema=["text", "label"], orient="row")


def sst2(data: Path, part: str) -> pl.DataFrame:
    """Sentences of SST-2."""
    lines = (data / "sentiment/SST2" / f"{part}.tsv").read_text(encoding="utf-8").splitlines()
    return table_of([(line.rsplit("\t", 1)[0], line.rsplit("\t", 1)[1]) for line in lines if line])


def trec(data: Path, part: str) -> pl.DataFrame:
    """Questions of TREC and their six coarse classes."""
    lines = (data / "sentiment/TREC" / f"TREC.{part}").read_text(encoding="latin-1").splitlines()
    return table_of([(line.split(" ", 1)[1], line.split(":", 1)[0]) for line in lines if line])


def mr(data: Path) -> pl.DataFrame:
    """Sentences of MR."""
    rows = []
    for label in ("neg", "pos"):
        lines = (data / "sentiment/MR" / f"rt-polarity.{label}").read_text(encoding="latin-1").splitlines()
        rows += [(line.strip(), label) for line in lines if line.strip()]
    return table_of(rows)


class Figures:
    """What was measured, run by run."""

    def __init__(self) -> None:
        self.metrics: dict[str, list[dict[str, float]]] = {}
        self.fitting: list[float] = []
        self.speed: list[float] = []

    def run(self, train: pl.DataFrame, test: pl.DataFrame, seed: int) -> None:
        """Train with the defaults, and evaluate on the test part, blended and alone."""
        begin = time.perf_counter()
        model = sluicegate.TextClassifier(seed=seed, blend=True).fit(train)
        self.fitting.append(time.perf_counter() - begin)
        self.metrics.setdefault("blended", []).append(model.evaluate(test).metrics)
        # The blend takes part in nothing but probabilities: without it, this is what the defaults train.
        assert model._trained is not None
        model._trained = replace(model._trained, decision=replace(model._trained.decision, blend=None))
        begin = time.perf_counter()
        model.predict(train)
        self.speed.append(len(train) / (time.perf_counter() - begin))
        report = model.evaluate(test)
        for name, row in report.rows.items():
            self.metrics.setdefault(name, []).append(row)

    def lines(self) -> list[str]:
        """The figures as a table, and how long it took."""
        lines = ["| method | " + " | ".join(name.replace("_", " ") for name in SHOWN) + " |", "| --- |" + " --- |" * 4]
        for name in ("model", "blended", *METHODS[1:]):
            means = [statistics.mean(row[metric] for row in self.metrics[name]) for metric in SHOWN]
            spread = statistics.pstdev(row["accuracy"] for row in self.metrics[name])
            cells = [f"{100 * means[0]:.2f} ± {100 * spread:.2f}", *(f"{mean:.4f}" for mean in means[1:])]
            lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
        fit, speed = statistics.median(self.fitting), statistics.median(self.speed)
        return [*lines, "", f"`fit` takes {fit:.0f} s, and `predict` classifies {speed:,.0f} texts a second."]


def measure_sst2(data: Path, seeds: int) -> list[str]:
    """The test part, by models of the training part."""
    figures = Figures()
    for seed in range(seeds):
        figures.run(sst2(data, "train"), sst2(data, "test"), seed)
    return figures.lines()


def measure_trec(data: Path, seeds: int) -> list[str]:
    """The test part, by models of the training part."""
    figures = Figures()
    for seed in range(seeds):
        figures.run(trec(data, "train"), trec(data, "test"), seed)
    return figures.lines()


def measure_mr(data: Path, seeds: int) -> list[str]:
    """Ten folds, once."""
    del seeds
    figures, table = Figures(), mr(data)
    fold = folds_of(np.array(table["label"] == "pos", dtype=np.int64), None, 10, 0)
    for number in range(10):
        inside = pl.Series(fold == number)
        figures.run(table.filter(~inside), table.filter(inside), number)
    return figures.lines()


def share_of(train: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """Some of the training rows."""
    return train[np.sort(rng.permutation(len(train))[: round(share * len(train))])]


def flipped(train: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """The training rows with some labels wrong."""
    labels = train["label"].to_numpy().copy()
    rows = rng.permutation(len(train))[: round(share * len(train))]
    labels[rows] = np.where(labels[rows] == "pos", "neg", "pos")
    return train.with_columns(label=pl.Series(labels, dtype=pl.String))


def unequal(train: pl.DataFrame, times: float, rng: np.random.Generator) -> pl.DataFrame:
    """All negative rows, and so many times fewer positive ones."""
    positive = np.flatnonzero(train["label"].to_numpy() == "pos")
    negative = np.flatnonzero(train["label"].to_numpy() == "neg")
    kept = rng.permutation(positive)[: round(len(negative) / times)]
    return train[np.sort(np.concatenate([negative, kept]))]


Harm = Callable[[pl.DataFrame, float, np.random.Generator], pl.DataFrame]
HARMS: tuple[tuple[str, Harm, tuple[float, ...]], ...] = (
    ("{:.0%} of the training part", share_of, (0.05, 0.1, 0.25, 0.5)),
    ("{:.0%} of the training labels flipped", flipped, (0.1, 0.2, 0.4)),
    ("classes 1:{:.0f} in training", unequal, (1, 10, 50)),
)


def macro_f1(train: pl.DataFrame, test: pl.DataFrame, seed: int) -> tuple[float, float]:
    """That of the model with its defaults, and of TF-IDF with logistic regression, in percent."""
    report = sluicegate.TextClassifier(seed=seed).fit(train).evaluate(test)
    return 100 * report.metrics["macro_f1"], 100 * report.baselines["tfidf_logistic_regression"]["macro_f1"]


def measure_robust(data: Path, seeds: int) -> list[str]:
    """Few rows, wrong labels and unequal classes; each seed tests another fold of MR."""
    table = mr(data)
    fold = folds_of(np.array(table["label"] == "pos", dtype=np.int64), None, 10, 0)
    lines = ["| training | model | TF-IDF with logistic regression | difference |", "| --- | --- | --- | --- |"]
    for name, harm, strengths in HARMS:
        for strength in strengths:
            found = []
            for seed in range(seeds):
                inside = pl.Series(fold == seed)
                train = harm(table.filter(~inside), strength, np.random.default_rng(seed))
                found.append(macro_f1(train, table.filter(inside), seed))
            model, simple = (statistics.mean(values) for values in zip(*found, strict=True))
            lines.append(f"| {name.format(strength)} | {model:.2f} | {simple:.2f} | {model - simple:+.2f} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return [*lines, "", "Macro F1 in percent; the test part is left as it is."]


def measure_smartwatch(data: Path, seeds: int) -> list[str]:
    """Every person's recordings, by models of the others'."""
    path = data / "wearable/seglearn-watch/watch_f32.npz"
    recordings = read_recordings(path, label="y", group="subject")
    people = recordings.groups.to_numpy()
    right: dict[str, list[list[float]]] = {}
    fitting = []
    for seed in range(seeds):
        runs: dict[str, list[dict[str, float]]] = {}
        for person in np.unique(people):
            known, other = (recordings.take(np.flatnonzero(mine)) for mine in (people != person, people == person))
            begin = time.perf_counter()
            model = sluicegate.SeriesClassifier(seed=seed).fit(known, progress=False)
            fitting.append(time.perf_counter() - begin)
            for name, row in model.evaluate(other).rows.items():
                runs.setdefault(name, []).append(row)
        for name, rows in runs.items():
            right.setdefault(name, []).append([statistics.mean(row[metric] for row in rows) for metric in SHOWN])
        print(f"seed {seed}: {100 * right['model'][-1][0]:.2f}", file=sys.stderr, flush=True)
    lines = ["| method | " + " | ".join(name.replace("_", " ") for name in SHOWN) + " |", "| --- |" + " --- |" * 4]
    for name, means in right.items():
        accuracy = [100 * row[0] for row in means]
        cells = [f"{statistics.mean(accuracy):.2f} ± {statistics.pstdev(accuracy):.2f}"]
        cells += [f"{statistics.mean(row[k] for row in means):.4f}" for k in (1, 2, 3)]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return [*lines, "", f"`fit` takes {statistics.median(fitting):.0f} s."]


def measure_causal(data: Path, seeds: int) -> list[str]:
    """Two people's recordings at a time, by single networks of the others', that read both ways or one way."""
    recordings = read_recordings(data / "wearable/seglearn-watch/watch_f32.npz", label="y", group="subject")
    people = recordings.groups.to_numpy()
    cut = {
        share: replace(recordings, values=tuple(v[: int(share * len(v))] for v in recordings.values)) for share in READ
    }
    lines = [
        "| network | " + " | ".join(f"after {share:.0%}" for share in READ) + " | `fit` |",
        "| --- |" + " --- |" * 4,
    ]
    for name, settings in {"reads both ways": {}, "`causal=True`": {"causal": True}}.items():
        right: dict[float, list[float]] = {share: [] for share in READ}
        fitting = []
        for seed in range(seeds):
            right_on = {share: np.zeros(len(people), bool) for share in READ}
            for pair in np.split(np.unique(people), 5):
                inside = np.isin(people, pair)
                begin = time.perf_counter()
                model = sluicegate.SeriesClassifier(seed=seed, folds=1, **settings)
                model.fit(recordings.take(np.flatnonzero(~inside)), progress=False)
                fitting.append(time.perf_counter() - begin)
                for share in READ:
                    other = cut[share].take(np.flatnonzero(inside))
                    right_on[share][inside] = model.predict(other)["label"].to_numpy() == other.labels.to_numpy()
            for share in READ:
                right[share].append(100 * right_on[share].mean())
            print(f"{name}, seed {seed}: {[values[-1] for values in right.values()]}", file=sys.stderr, flush=True)
        cells = [f"{statistics.mean(right[share]):.1f} ± {statistics.pstdev(right[share]):.1f}" for share in READ]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {statistics.median(fitting):.0f} s |")
    return [*lines, "", "Accuracy in percent after so much of each recording; one network (`folds=1`) each time."]


READ = (0.25, 0.5, 1.0)
SECTIONS = {
    "classification:sst2": on_data("SST-2, sentences only, 6,920 to train and 1,821 to test", measure_sst2),
    "classification:trec": on_data("TREC, six classes, 5,452 to train and 500 to test", measure_trec),
    "classification:mr": on_data("MR, 10,662 sentences in ten folds, each with another seed", measure_mr),
    "classification:smartwatch": on_data(
        "Smartwatch, 140 recordings of 7 exercises by 10 people, each left out once", measure_smartwatch
    ),
    "classification:causal": on_data(
        "Smartwatch, read both ways and one way; two people left out at a time", measure_causal
    ),
    "classification:robust": on_data("MR with few rows, wrong labels and unequal classes", measure_robust),
}


if __name__ == "__main__":
    measure_sections(SECTIONS, __doc__, seeds=3)

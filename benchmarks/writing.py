"""Tasks that write, on public data: how near they come to people, beside simple methods, and how long they take.

    SLUICEGATE_DATA=path/to/data python benchmarks/writing.py [--seeds 3] [--only de-en speed] [--write FILE]

The data folder holds `translation/multi30k/raw` (Elliott et al. 2016, task 1), `summarisation/AESLC` (Zhang & Tetreault
2019), `summarisation/debian-descriptions` and `language/wikitext-2` (Merity et al. 2016). The defaults are used
throughout; every model is trained on the set's own training part alone, stopped by its validation part, and measured
on its test part. The descriptions of Debian's packages are split by the software that a package is of, which its name
and its text tell: no two parts share one.
"""

from __future__ import annotations

import gzip
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from document import Section, measure_sections, on_data
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import sluicegate
from sluicegate.metrics.summaries import NAMES, by_text

Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
"""The training, validation and test parts."""

MULTI30K = ("train", "val", "test_2016_flickr")
AESLC = ("train", "dev", "test")
PEOPLE = ("subject", "ann0", "ann1", "ann2")
LANGUAGES = (
    "lib",
    "python",
    "python3",
    "golang",
    "github",
    "com",
    "rust",
    "node",
    "ruby",
    "r",
    "cran",
    "bioc",
    "php",
    "ghc",
    "elpa",
    "fonts",
)
"""First words of packages' names that tell a language, and not the software."""


def lines_of(path: Path) -> list[str]:
    """Those of a compressed text."""
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def multi30k(data: Path, source: str, target: str) -> Frames:
    """Descriptions of pictures in two languages."""
    folder = data / "translation/multi30k/raw"
    train, val, test = (
        pl.DataFrame({language: lines_of(folder / f"{part}.{language}.gz") for language in (source, target)})
        for part in MULTI30K
    )
    return train, val, test


def aeslc(data: Path) -> Frames:
    """E-mails and their subjects; of the latter two parts, with those that other people wrote."""
    folder = data / "summarisation/AESLC"
    train, dev, test = (
        pl.DataFrame([json.loads(line) for line in lines_of(folder / f"{part}.jsonl.gz")]) for part in AESLC
    )
    return train, dev, test


def software(name: str) -> str:
    """What a package is of, by its name."""
    parts = re.sub(r"^lib(?=[a-z])", "", name).split("-")
    while len(parts) > 1 and parts[0] in LANGUAGES:
        parts = parts[1:]
    return re.sub(r"[\d.]+$", "", parts[0]) or parts[0]


def debian(data: Path) -> Frames:
    """Long and short descriptions of packages, in parts that share no software and no long text."""
    folder = data / "summarisation/debian-descriptions"
    rows = [line.split("\t") for line in lines_of(folder / "bookworm_main_descriptions.tsv.gz")]
    frame = pl.DataFrame(rows, schema=["package", "short", "long"], orient="row")
    ties = [[software(name) for name in frame["package"]], frame["long"].to_list()]
    numbers = [pl.Series(tie).rank("dense").to_numpy().astype(np.int64) - 1 for tie in ties]
    places = (numbers[0], numbers[0].max() + 1 + numbers[1])
    size = int(places[1].max()) + 1
    _, found = connected_components(coo_array((np.ones(len(rows)), places), shape=(size, size)), directed=False)
    part_of = np.random.default_rng(0).random(size)[found[places[0]]]
    bounds = (0.0, 0.9, 0.95, 1.0)
    train, dev, test = (frame.filter(pl.Series((part_of >= low) & (part_of < high))) for low, high in pairwise(bounds))
    return train, dev, test


def wikitext(data: Path) -> list[str]:
    """The texts of WikiText-2, whose rare words were replaced."""
    folder = data / "language/wikitext-2"
    return ["\n".join(lines_of(folder / f"wiki.{part}.tokens.gz")) for part in ("train", "valid", "test")]


class Figures:
    """What was measured, run by run."""

    def __init__(self, measures: Sequence[str]) -> None:
        self.measures = measures
        self.rows: dict[str, list[list[float]]] = {}
        self.fitting: list[float] = []

    def add(self, rows: dict[str, dict[str, float]], fitting: float) -> None:
        """The figures of a run."""
        for name, row in rows.items():
            self.rows.setdefault(name, []).append([row[measure] for measure in self.measures])
        self.fitting.append(fitting)
        print(f"{self.rows['model'][-1]} in {fitting:.0f} s", file=sys.stderr, flush=True)

    def lines(self) -> Iterator[str]:
        """A table."""
        yield "| method | " + " | ".join(self.measures) + " |"
        yield "| --- |" + " --- |" * len(self.measures)
        for name, rows in self.rows.items():
            cells = [f"{statistics.mean(each):.2f} ± {statistics.pstdev(each):.2f}" for each in zip(*rows, strict=True)]
            yield f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        yield ""
        minutes = statistics.median(self.fitting) / 60
        yield f"`fit` takes {minutes:.0f} min; up to here, memory was {peak:.1f} GiB at most."


NUMBERED = {
    "de": (
        "Ein Mann mit der Nummer {} rennt über das Feld.",
        "Der Spieler mit der {} auf dem Trikot wirft den Ball.",
        "Um {} Uhr stehen {} Menschen vor einem Laden.",
        "Ein Schild zeigt {} an.",
        "{} Kinder spielen im Wasser.",
    ),
    "en": (
        "A man with the number {} runs across the field.",
        "The player with {} on his shirt throws the ball.",
        "At {} o'clock {} people stand in front of a store.",
        "A sign reads {}.",
        "{} children play in the water.",
    ),
}


def numbers_kept(model: sluicegate.Translator, language: str, times: int = 20) -> str:
    """How many of the numbers in sentences made for it are in their translations."""
    rng = np.random.default_rng(0)
    texts = [
        text.format(*rng.integers(2, 10 ** rng.integers(1, 5, 2, endpoint=True)))
        for text in NUMBERED[language]
        for _ in range(times)
    ]
    written = model.translate(texts)["text"].to_list()
    pairs = [(re.findall(r"\d+", text), re.findall(r"\d+", found)) for text, found in zip(texts, written, strict=True)]
    kept = sum(number in found for numbers, found in pairs for number in numbers)
    return f"Of {sum(len(numbers) for numbers, _ in pairs)} numbers in sentences made for it, {kept} were kept."


def translated(source: str, target: str) -> Callable[[Path, int], Sequence[str]]:
    """What measures translation from one language into another."""

    def measure(data: Path, seeds: int) -> list[str]:
        train, validation, test = multi30k(data, source, target)
        figures, signature = Figures(("bleu", "chrf")), ""
        for seed in range(seeds):
            begin = time.perf_counter()
            model = sluicegate.Translator(seed=seed).fit(train, source=source, target=target, validation=validation)
            fitting = time.perf_counter() - begin
            report = model.evaluate(test)
            figures.add(report.rows, fitting)
            signature = f"`{report.facts['signature of bleu']}`; lowercased {report.facts['bleu, lowercased']}."
        return [*figures.lines(), "", f"The last seed's BLEU: {signature} {numbers_kept(model, source)}"]

    return measure


def measure_aeslc(data: Path, seeds: int) -> list[str]:
    """Subjects of e-mails, beside the original ones, and by the mean of those of four people."""
    train, validation, test = aeslc(data)
    figures = Figures(NAMES)
    for seed in range(seeds):
        begin = time.perf_counter()
        model = sluicegate.Summarizer(seed=seed).fit(train, text="body", summary="subject", validation=validation)
        fitting = time.perf_counter() - begin
        rows = dict(model.evaluate(test).rows)
        written = model.summarize(test["body"])["text"].to_list()
        of_people = [by_text(written, test[name].to_list()).mean(0) for name in PEOPLE]
        rows["model, mean of four people's"] = dict(zip(NAMES, np.mean(of_people, axis=0).tolist(), strict=True))
        figures.add(rows, fitting)
    return list(figures.lines())


def measure_debian(data: Path, seeds: int) -> list[str]:
    """Short descriptions of packages."""
    train, validation, test = debian(data)
    figures = Figures(NAMES)
    for seed in range(seeds):
        begin = time.perf_counter()
        model = sluicegate.Summarizer(seed=seed).fit(train, text="long", summary="short", validation=validation)
        figures.add(model.evaluate(test).rows, time.perf_counter() - begin)
    return list(figures.lines())


def measure_wikitext(data: Path, seeds: int) -> list[str]:
    """Articles of an encyclopedia: the perplexity of a word, with the ends of lines, and with what adapts to a text."""
    train, validation, test = ([text] for text in wikitext(data))
    figures = Figures(("perplexity",))
    for seed in range(seeds):
        begin = time.perf_counter()
        model = sluicegate.LanguageModel(seed=seed).fit(train, validation=validation)
        fitting = time.perf_counter() - begin
        rows = dict(model.evaluate(test).rows)
        rows["model, cache of 2,000"] = model.evaluate(test, cache=2000).metrics
        rows["model, dynamic evaluation"] = model.evaluate(test, dynamic=0.5).metrics
        rows["model, both"] = model.evaluate(test, cache=2000, dynamic=0.5).metrics
        figures.add(rows, fitting)
    begin = time.perf_counter()
    written = model.complete("", max_words=1000)
    speed = len(model.score([written])) / (time.perf_counter() - begin)
    return [*figures.lines(), "", f"Greedily, it writes {speed:,.0f} tokens a second."]


def measure_speed(data: Path, seeds: int) -> list[str]:
    """Decoding by a model that one epoch has taught: it takes the time of one that is finished."""
    del seeds
    train, validation, test = multi30k(data, "de", "en")
    model = sluicegate.Translator(epochs=1).fit(train, source="de", target="en", validation=validation)
    sources = test["de"].to_list()
    begin = time.perf_counter()
    written = model.translate(sources)["text"].to_list()
    together = time.perf_counter() - begin
    subwords = sum(map(len, model.trained.subwords.encode(written)))
    alone = []
    for text in sources[:200]:
        begin = time.perf_counter()
        model.translate([text])
        alone.append(time.perf_counter() - begin)
    return [
        "| what | figure |",
        "| --- | --- |",
        f"| translation, batched, beam 5 | {subwords / together:,.0f} sub-words a second |",
        f"| one sentence, beam 5, median | {1000 * statistics.median(alone):.1f} ms |",
    ]


SECTIONS: dict[str, Section] = {
    "writing:de-en": on_data("Multi30k, German to English, test_2016_flickr", translated("de", "en")),
    "writing:en-de": on_data("Multi30k, English to German, test_2016_flickr", translated("en", "de")),
    "writing:en-fr": on_data("Multi30k, English to French, test_2016_flickr", translated("en", "fr")),
    "writing:aeslc": on_data("AESLC, subjects of e-mails", measure_aeslc),
    "writing:debian": on_data("Debian, short descriptions of packages", measure_debian),
    "writing:wikitext": on_data("WikiText-2, words", measure_wikitext),
    "writing:speed": on_data("How fast they write", measure_speed),
}


if __name__ == "__main__":
    measure_sections(SECTIONS, __doc__, seeds=3)

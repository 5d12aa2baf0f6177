"""The report of a language model: how well it foretells texts beside the 5-gram, where, and what it writes itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float64

from sluicegate.data.counted import counted
from sluicegate.metrics import paired_bootstrap
from sluicegate.tasks.generation.subwords import END
from sluicegate.tasks.generation.verdict import preferred
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.content import Passage

from .corpus import Corpus, Tokens, by_line
from .measuring import Cache, log_likelihood
from .pictures import draw
from .trained import Trained
from .writing import Chance, drawn

MEASURES = (
    Measure(
        "perplexity",
        "exp(-sum of the log-probabilities of all tokens / number of words), of the text's own words, those between "
        "spaces, with each line's end as one: as if so many words were equally probable at each place",
        ideal=1.0,
    ),
    Measure("bits_per_byte", "the same sum in bits, over the bytes of the text in UTF-8, with the ends of lines"),
)

_FREQUENCIES = (0, 1, 10, 100, 1000, 10_000)  # from which words are put together, by how often training had them
_BLOCKS = 400  # of lines, at most, that are drawn to tell whether a difference is noise
_TEXTS = 20  # from which texts are drawn as they are
_SHOWN, _SAMPLES, _WORDS = 3, 3, 60  # worst and typical lines, samples, and their words
_LEAST, _LETTERS = 8, 600  # words of a line that is shown at least, and its letters at most


def report(
    trained: Trained,
    texts: Corpus,
    title: str,
    notes: Sequence[str] = (),
    *,
    cache: Cache | None = None,
    rate: float = 0.0,
) -> Report:
    """Foretell texts, and set the probabilities beside those of the 5-gram.

    Args:
        trained: the model.
        texts: that are foretold.
        title: what was evaluated.
        notes: what a reader should bear in mind.
        cache: a memory of what was read of a text.
        rate: the learning rate of going on learning within a text; 0 is none.
    """
    tokens = texts.tokens(trained.subwords)
    told = log_likelihood(trained.model.networks, tokens, cache=cache, rate=rate)
    counted, frequency = trained.five_gram.by_word(texts.lines)
    lines = {"model": by_line(told, tokens.lines), "five_gram": np.add.reduceat(counted, _begins(texts))}
    metrics = {name: _figures(texts, own) for name, own in lines.items()}
    details: dict[str, Any] = {
        "curve": asdict(trained.curve) | {"per_word": trained.per_word},
        "by_frequency": _by_frequency(trained, texts, tokens, {"model": told, "five_gram": counted}, frequency),
    }
    return Report(
        title=f"Texts: {title}",
        metrics=metrics["model"],
        baselines={"five_gram": metrics["five_gram"]},
        verdict=preferred(
            MEASURES[0].name,
            metrics,
            lambda name: _p_value(texts, lines["model"], lines[name]),
            _same(texts),
            lower=True,
        ),
        facts=_facts(trained, texts, tokens, cache, rate),
        notes=tuple(notes),
        measures=MEASURES,
        draw=partial(draw, details),
        details=details,
        passages=(*_examples(texts, lines), *_samples(trained)),
        passages_title="The worst lines, typical ones, and what the model writes",
    )


def _begins(texts: Corpus) -> np.ndarray:
    """Where lines begin, in words."""
    return np.append(0, np.cumsum(texts.words)[:-1])


def _figures(texts: Corpus, lines: Float64[np.ndarray, " lines"]) -> dict[str, float]:
    total = -float(lines.sum())
    perplexity = math.exp(min(700.0, total / int(texts.words.sum())))
    return {"perplexity": perplexity, "bits_per_byte": total / math.log(2) / texts.bytes}


def _same(texts: Corpus) -> str:
    return f"the same {counted(int(texts.words.sum()), 'word')}"


def _p_value(texts: Corpus, first: Float64[np.ndarray, " lines"], second: Float64[np.ndarray, " lines"]) -> float:
    """Of no difference per word: by bootstrap of the texts where there are many, else of blocks of lines."""
    bounds = np.flatnonzero(texts.begins)
    if len(bounds) < _TEXTS:
        bounds = np.unique(np.linspace(0, len(first), min(_BLOCKS, len(first)) + 1).astype(np.int64)[:-1])
    if len(bounds) < 2:
        return 1.0
    sums = np.stack([np.add.reduceat(values.astype(np.float64), bounds) for values in (first, second, texts.words)], 1)
    return paired_bootstrap(sums, lambda drawn_: (drawn_[:, 0] - drawn_[:, 1]) / drawn_[:, 2])


def _facts(trained: Trained, texts: Corpus, tokens: Tokens, cache: Cache | None, rate: float) -> dict[str, str]:
    shape, words, members = trained.shape, int(texts.words.sum()), len(trained.model.networks)
    facts = {
        "words": f"{words:,} in {counted(len(texts.lines), 'line')}, with their ends",
        "tokens": f"{len(tokens.lines.values):,}, {len(tokens.lines.values) / words:.2f} a word",
        "trained on": counted(trained.words, "word"),
        "model": f"{counted(members, 'network')}: {counted(shape.layers, f'{shape.cell.upper()} layer')} of "
        f"{shape.hidden} units, embeddings of {shape.embedding} that the output shares; "
        f"{sum(weight.numel() for weight in trained.model.parameters()):,} weights",
        "vocabulary": f"{shape.tokens:,} tokens",
        "five gram": "interpolated modified Kneser-Ney (Chen & Goodman 1998), line by line",
    }
    if cache is not None:
        facts["cache"] = (
            f"{cache.size:,} tokens (Grave et al. 2017), share {cache.share:g}, sharpness {cache.sharpness:g}"
        )
    if rate:
        facts["dynamic"] = f"dynamic evaluation (Krause et al. 2018), rate {rate:g}"
    return facts


def _by_frequency(
    trained: Trained,
    texts: Corpus,
    tokens: Tokens,
    told: dict[str, Float64[np.ndarray, " places"]],
    frequency: np.ndarray,
) -> dict[str, Any]:
    """The perplexity of words by how often training had them; of lines whose words are cut alike by both."""
    begins = trained.subwords.kinds.begins.numpy()[tokens.lines.values] | (tokens.lines.values == END)
    begins[tokens.lines.bounds[:-1]] = True
    alike = by_line(begins.astype(np.int64), tokens.lines) == texts.words
    counted = alike[tokens.lines.owner]
    summed = np.add.reduceat(np.where(counted, told["model"], 0.0), np.flatnonzero(begins & counted))
    kept = np.repeat(alike, texts.words)
    group = np.searchsorted(_FREQUENCIES, frequency[kept], side="right") - 1
    several = [number for number in range(len(_FREQUENCIES)) if (group == number).any()]
    return {
        "bins": [f"{_span(number)}\n({int((group == number).sum()):,})" for number in several],
        "figures": {
            name: [math.exp(min(700.0, -float(values[group == number].mean()))) for number in several]
            for name, values in {"model": summed, "five_gram": told["five_gram"][kept]}.items()
        },
    }


def _span(number: int) -> str:
    low = _FREQUENCIES[number]
    if number + 1 == len(_FREQUENCIES):
        return f"{low:,} and more"
    high = _FREQUENCIES[number + 1] - 1
    return f"{low:,}" if high == low else f"{low:,} to {high:,}"


def _examples(texts: Corpus, lines: dict[str, Float64[np.ndarray, " lines"]]) -> list[Passage]:
    """The lines that the model foretells worst, and typical ones."""
    each = {name: np.exp(np.minimum(700.0, -values / texts.words)) for name, values in lines.items()}
    long = np.flatnonzero(texts.words >= min(_LEAST, int(texts.words.max())))
    order = long[np.argsort(-each["model"][long], kind="stable")]
    middle = max(0, len(order) // 2 - _SHOWN // 2)
    chosen = dict.fromkeys(order[middle : middle + _SHOWN].tolist(), "typical")
    chosen |= dict.fromkeys(order[:_SHOWN].tolist(), "worst")
    passages = []
    for row, kind in sorted(chosen.items(), key=lambda pair: (pair[1] == "typical", -each["model"][pair[0]])):
        heading = f"{kind}, perplexity {each['model'][row]:,.0f}, of the 5-gram {each['five_gram'][row]:,.0f}"
        line = texts.lines[row]
        shown = line if len(line) <= _LETTERS else f"{line[:_LETTERS]}…"
        passages.append(Passage(heading, ((shown or "(blank)", 0.0),)))
    return passages


def _samples(trained: Trained) -> list[Passage]:
    """What the model writes of itself."""
    passages = []
    for seed in range(_SAMPLES):
        written = drawn(trained, "", Chance(0.8, None, 0.9, seed), _WORDS)
        heading = f"written with seed {seed}, temperature 0.8, top_p 0.9"
        passages.append(Passage(heading, ((trained.continued("", written) or "(blank)", 0.0),)))
    return passages

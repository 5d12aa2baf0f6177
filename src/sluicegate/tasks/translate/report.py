"""The report of a translator: its figures beside a dictionary's on the same texts, and what it gets wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from sluicegate.metrics.translation import bleu_p_value, interval, lowercased, scored, sentence_chrf, signatures
from sluicegate.tasks.generation.config import WriterConfig
from sluicegate.tasks.generation.explaining import attention
from sluicegate.tasks.generation.pictures import draw
from sluicegate.tasks.generation.search import Beam
from sluicegate.tasks.generation.texts import Texts
from sluicegate.tasks.generation.verdict import verdict
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.content import Passage

from .trained import Trained

MEASURES = (
    Measure(
        "bleu",
        "BLEU in per cent: how many of the words, pairs, triples and runs of four words of the translations are in "
        "their references, cased, by sacrebleu (Papineni et al. 2002; Post 2018)",
        ideal=100.0,
    ),
    Measure(
        "chrf",
        "chrF2 in per cent: the F-score of runs of up to six characters, which forgives a wrong ending (Popović 2015)",
        ideal=100.0,
    ),
)
_BINS = 4  # into which texts are put by length, and by how rare their words are
_SHOWN, _ATTENDED = 4, 2  # worst and typical translations, and attention maps
_WORDS = 18  # of a text that an attention map is drawn of, at most
_LETTERS = 400  # of a text that is shown


def report(trained: Trained, config: WriterConfig, texts: Texts, title: str, notes: Sequence[str] = ()) -> Report:
    """Translate, and set the translations beside those of the dictionary.

    Args:
        trained: the model.
        config: the settings.
        texts: the sources, and their references.
        title: what was evaluated.
        notes: what a reader should bear in mind.
    """
    references = list(texts.targets)
    beam = Beam(config.beam, config.penalty)
    best = [found[0] for found in trained.write(texts.sources, beam)]
    written = {
        "model": [one.text for one in best],
        "word_by_word": [trained.dictionary.translate(text) for text in texts.sources],
    }
    metrics = {name: scored(found, references)._asdict() for name, found in written.items()}
    details: dict[str, Any] = {
        "curve": asdict(trained.curve),
        "attention": _attended(trained, texts.sources, written["model"]),
        **_by_bins(trained, texts, written),
    }
    return Report(
        title=f"From {trained.columns[0]} to {trained.columns[1]}: {title}",
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict("bleu", metrics, written, partial(_compared, references)),
        facts=_facts(trained, config, written["model"], references),
        notes=tuple(notes),
        measures=MEASURES,
        draw=partial(draw, details),
        details=details,
        passages=_examples(texts, written["model"]),
    )


def _compared(references: Sequence[str], first: Sequence[str], second: Sequence[str]) -> float:
    return bleu_p_value(first, second, references)


def _facts(trained: Trained, config: WriterConfig, texts: Sequence[str], references: Sequence[str]) -> dict[str, str]:
    bleu, chrf = signatures(references)
    low, signature = lowercased(texts, references)
    begin, end = interval(texts, references)
    shape, members = trained.shape, len(trained.model.members)
    networks = "1 network" if members == 1 else f"{members} networks"
    return {
        "texts": f"{len(references):,}",
        "trained on": f"{trained.pairs:,} pairs",
        "model": f"{networks}: {shape.layers} bidirectional {shape.cell.upper()} layers of {shape.hidden} units read, 2 "
        f"write with attention; {sum(weight.numel() for weight in trained.model.parameters()):,} weights",
        "vocabulary": f"{shape.tokens:,} sub-words for both languages",
        "search": "greedy" if config.beam == 1 else f"beam of {config.beam}, length penalty {config.penalty:g}",
        "bleu, 95 % of draws": f"{begin:.1f} to {end:.1f}",
        "bleu, lowercased": f"{low:.2f} ({signature})",
        "signature of bleu": bleu,
        "signature of chrf": chrf,
        "word by word": f"{len(trained.dictionary.words):,} words, by IBM Model 1 (Brown et al. 1993)",
    }


def _by_bins(trained: Trained, texts: Texts, written: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """BLEU of texts by their length, and by how rare their words are in training."""
    lengths = np.array([len(text.split()) for text in texts.sources])
    rarity = np.array([_rarity(trained, text) for text in texts.sources])
    return {
        "by_length": _binned(
            "By length",
            "BLEU by the number of words of the source.",
            lengths,
            lambda low, high: f"{low:.0f} to {high:.0f}",
            texts.targets,
            written,
        ),
        "by_rarity": _binned(
            "By how rare the words are",
            "BLEU by the mean number of sub-words that a word of the source is cut into: rare words are cut into more.",
            rarity,
            lambda low, high: f"{low:.2f} to {high:.2f}",
            texts.targets,
            written,
        ),
    }


def _rarity(trained: Trained, text: str) -> float:
    return len(trained.subwords.encode([text])[0]) / max(1, len(text.split()))


def _binned(
    title: str,
    caption: str,
    values: np.ndarray,
    named: Callable[[float, float], str],
    references: Sequence[str],
    written: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    order = np.argsort(values, kind="stable")
    bins = [part for part in np.array_split(order, min(_BINS, len(order))) if len(part)]
    return {
        "title": title,
        "caption": caption,
        "metric": "bleu",
        "bins": [f"{named(values[part].min(), values[part].max())}\n({len(part):,})" for part in bins],
        "figures": {
            name: [scored([found[i] for i in part], [references[i] for i in part]).bleu for part in bins]
            for name, found in written.items()
        },
    }


def _attended(trained: Trained, sources: Sequence[str], written: Sequence[str]) -> list[dict[str, Any]]:
    """The attention maps of some texts that are neither short nor long."""
    fit = [row for row, text in enumerate(written) if text.strip() and 4 <= len(sources[row].split()) <= _WORDS]
    maps = []
    for row in fit[:_ATTENDED]:
        found = attention(trained, sources[row], written[row])
        maps.append({"read": found.read, "written": found.written, "weights": found.weights.round(3).tolist()})
    return maps


def _examples(texts: Texts, written: Sequence[str]) -> tuple[Passage, ...]:
    """The worst translations and the most typical ones, by chrF, beside their references."""
    chrf = np.array([sentence_chrf(one, reference) for one, reference in zip(written, texts.targets, strict=True)])
    order = np.argsort(chrf, kind="stable")
    middle = max(0, len(order) // 2 - _SHOWN // 2)
    chosen = {
        **{int(i): "typical" for i in order[middle : middle + _SHOWN]},
        **{int(i): "worst" for i in order[:_SHOWN]},
    }
    passages = []
    for row, kind in sorted(chosen.items(), key=lambda pair: (pair[1] == "typical", chrf[pair[0]])):
        shared = _shared(written[row], texts.targets[row])
        passages.append(Passage(f"{kind}, chrF {chrf[row]:.0f}: {texts.sources[row][:_LETTERS]}", shared))
        passages.append(Passage("reference", ((texts.targets[row][:_LETTERS], 0.0),)))
    return tuple(passages)


def _shared(text: str, reference: str) -> tuple[tuple[str, float], ...]:
    """The words of a translation, those of the reference marked as for it, the others as against it."""
    left = Counter(reference.split())
    parts: list[tuple[str, float]] = []
    for word in text[:_LETTERS].split():
        found = left[word] > 0
        left[word] -= found
        parts += [(word, 1.0 if found else -1.0), (" ", 0.0)]
    return tuple(parts[:-1]) or (("(blank)", 0.0),)

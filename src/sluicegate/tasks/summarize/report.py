"""The report of a summarizer: its figures beside those of what is taken out of the same texts as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from sluicegate.data.counted import counted
from sluicegate.metrics import clustered
from sluicegate.metrics.summaries import NAMES, by_text
from sluicegate.tasks.generation.report import Yardstick, network_facts, reported
from sluicegate.tasks.generation.texts import Texts
from sluicegate.tasks.report import Measure, Report

from .config import SummarizerConfig
from .extracts import first_sentence
from .trained import Trained

MEASURES = (
    Measure(
        "rougeL",
        "ROUGE-L in per cent: the F1 of the longest run of words, gaps allowed, that a summary shares with its "
        "reference (Lin 2004), by rouge-score, mean over the texts",
        ideal=100.0,
    ),
    Measure("rouge1", "ROUGE-1 in per cent: the F1 of single words", ideal=100.0),
    Measure("rouge2", "ROUGE-2 in per cent: the F1 of pairs of words", ideal=100.0),
)


def report(trained: Trained, config: SummarizerConfig, texts: Texts, title: str, notes: Sequence[str] = ()) -> Report:
    """Summarize, and set the summaries beside what is taken out of the texts.

    Args:
        trained: the model.
        config: the settings.
        texts: the texts, and their references.
        title: what was evaluated.
        notes: what a reader should bear in mind.
    """
    written = {
        "model": [found[0].text for found in trained.write(texts.sources, trained.beam(config))],
        "first_sentence": [first_sentence(text) for text in texts.sources],
        "tfidf_sentence": [trained.weights.sentence(text) for text in texts.sources],
        "tfidf_keywords": [trained.weights.keywords(text) for text in texts.sources],
    }
    return reported(
        f"Summaries of {trained.columns[0]}: {title}",
        trained,
        texts,
        written,
        Yardstick(MEASURES, _figures, _single, "ROUGE-L", lambda references: partial(_compared, references)),
        facts={
            "texts": f"{len(texts):,}",
            **network_facts(trained, config),
            "read": f"the first {counted(trained.reads, 'sub-word')} of a text",
            "words": f"{_words(written['model']):.1f} in a summary, {_words(texts.targets):.1f} in a reference",
        },
        notes=notes,
    )


def _figures(written: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    mean = dict(zip(NAMES, by_text(written, references).mean(0).tolist(), strict=True))
    return {measure.name: mean[measure.name] for measure in MEASURES}


def _single(written: str, reference: str) -> float:
    return float(by_text([written], [reference])[0, NAMES.index("rougeL")])


def _compared(references: Sequence[str], first: Sequence[str], second: Sequence[str]) -> float:
    column = NAMES.index("rougeL")
    differences = by_text(first, references)[:, column] - by_text(second, references)[:, column]
    if len(differences) < 2 or not differences.any():  # a single text tells nothing
        return 1.0
    return clustered(differences, np.ones(len(differences)))


def _words(texts: Sequence[str]) -> float:
    return float(np.mean([len(text.split()) for text in texts]))

"""The report of a translator: its figures beside a dictionary's on the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sluicegate.data.counted import counted
from sluicegate.metrics.translation import bleu_p_value, interval, lowercased, scored, sentence_chrf, signatures
from sluicegate.tasks.generation.config import WriterConfig
from sluicegate.tasks.generation.report import Yardstick, network_facts, reported
from sluicegate.tasks.generation.search import Beam
from sluicegate.tasks.generation.texts import Texts
from sluicegate.tasks.report import Measure, Report

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


def report(trained: Trained, config: WriterConfig, texts: Texts, title: str, notes: Sequence[str] = ()) -> Report:
    """Translate, and set the translations beside those of the dictionary.

    Args:
        trained: the model.
        config: the settings.
        texts: the sources, and their references.
        title: what was evaluated.
        notes: what a reader should bear in mind.
    """
    best = [found[0].text for found in trained.write(texts.sources, Beam(config.beam, config.penalty))]
    word_by_word = [trained.dictionary.translate(text) for text in texts.sources]
    yardstick = Yardstick(
        MEASURES,
        lambda written, references: scored(written, references)._asdict(),
        sentence_chrf,
        "chrF",
        lambda references: partial(bleu_p_value, references),
    )
    return reported(
        f"From {trained.columns[0]} to {trained.columns[1]}: {title}",
        trained,
        texts,
        {"model": best, "word_by_word": word_by_word},
        yardstick,
        facts={
            "texts": f"{len(texts):,}",
            **network_facts(trained, config),
            **_figures(best, texts.targets),
            "word by word": f"{counted(len(trained.dictionary.words), 'word')} found by IBM Model 1 (Brown et al. "
            "1993)",
        },
        notes=notes,
    )


def _figures(written: Sequence[str], references: Sequence[str]) -> dict[str, str]:
    """What others need to compare their figures."""
    bleu, chrf = signatures(references)
    low, signature = lowercased(written, references)
    begin, end = interval(written, references)
    return {
        "bleu, 95 % of draws": f"{begin:.1f} to {end:.1f}",
        "bleu, lowercased": f"{low:.2f} ({signature})",
        "signature of bleu": bleu,
        "signature of chrf": chrf,
    }

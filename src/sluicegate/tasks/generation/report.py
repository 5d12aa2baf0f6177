"""The report of a task that writes: its figures beside simple methods' on the same texts, and what it gets wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from sluicegate.data.counted import counted
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.content import Passage

from .config import WriterConfig
from .explaining import attention
from .pictures import draw
from .texts import Texts
from .trained import TrainedWriter
from .verdict import Compared, verdict

_BINS = 4  # into which texts are put by length, and by how rare their words are
_SHOWN, _ATTENDED = 4, 2  # worst and typical texts, and attention maps
_FEWEST, _WORDS = 4, 18  # words of a source that an attention map is drawn of, and that it shows at most
_LETTERS = 400  # of a text that is shown


@dataclass(frozen=True)
class Yardstick:
    """How texts are measured beside their references.

    Args:
        measures: what the figures mean; the first one decides.
        figures: of texts beside their references, by name.
        single: of one text beside its reference; higher is better.
        named: what `single` is called.
        compared: tests the difference of two methods' texts, beside the references.
    """

    measures: tuple[Measure, ...]
    figures: Callable[[Sequence[str], Sequence[str]], dict[str, float]]
    single: Callable[[str, str], float]
    named: str
    compared: Callable[[Sequence[str]], Compared]


def reported(
    title: str,
    trained: TrainedWriter,
    texts: Texts,
    written: Mapping[str, Sequence[str]],
    yardstick: Yardstick,
    *,
    facts: Mapping[str, str],
    notes: Sequence[str],
) -> Report:
    """Set what was written beside its references.

    Args:
        title: what was evaluated.
        trained: what was learnt.
        texts: the sources, and the references.
        written: the texts of the model and of each simple method.
        yardstick: how they are measured.
        facts: how it was measured.
        notes: what a reader should bear in mind.
    """
    references, decisive = list(texts.targets), yardstick.measures[0].name
    metrics = {name: yardstick.figures(found, references) for name, found in written.items()}
    details: dict[str, Any] = {
        "curve": asdict(trained.curve),
        "attention": _attended(trained, texts.sources, written["model"]),
        **_by_bins(trained, texts, written, yardstick),
    }
    return Report(
        title=title,
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict(decisive, metrics, written, yardstick.compared(references)),
        facts=dict(facts),
        notes=tuple(notes),
        measures=yardstick.measures,
        draw=partial(draw, details),
        details=details,
        passages=_examples(texts, written["model"], yardstick),
        passages_title="The worst texts and typical ones",
        passages_legend="A blue line under a word: the reference has it too; an orange one: it has not.",
    )


def network_facts(trained: TrainedWriter, config: WriterConfig) -> dict[str, str]:
    """What the networks are, for the facts of a report."""
    shape, members = trained.shape, len(trained.model.members)
    layers = "1 bidirectional" if shape.layers == 1 else f"{shape.layers} bidirectional"
    return {
        "trained on": counted(trained.pairs, "pair"),
        "model": f"{counted(members, 'network')}: {layers} {shape.cell.upper()} of {shape.hidden} units read, "
        f"2 layers write with attention; {sum(weight.numel() for weight in trained.model.parameters()):,} weights",
        "vocabulary": f"{shape.tokens:,} sub-words, for what is read and what is written",
        "search": "greedy" if config.beam == 1 else f"beam of {config.beam}, length penalty {config.penalty:g}",
    }


def _by_bins(
    trained: TrainedWriter, texts: Texts, written: Mapping[str, Sequence[str]], yardstick: Yardstick
) -> dict[str, Any]:
    """Figures of texts by their length, and by how rare their words are in training."""
    lengths = np.array([len(text.split()) for text in texts.sources])
    pieces = np.array([len(cut) for cut in trained.subwords.encode(texts.sources)])
    measure = yardstick.measures[0].name
    binned = partial(_binned, references=texts.targets, written=written, yardstick=yardstick)
    return {
        "by_length": {
            "title": "By length",
            "caption": f"{measure} by the number of words of the source (texts in brackets).",
            **binned(lengths, lambda low, high: f"{low:.0f} to {high:.0f}"),
        },
        "by_rarity": {
            "title": "By how rare the words are",
            "caption": f"{measure} by the mean number of sub-words that a word of the source is cut into: the rarer "
            "words are, the more (texts in brackets).",
            **binned(pieces / np.maximum(1, lengths), lambda low, high: f"{low:.2f} to {high:.2f}"),
        },
    }


def _binned(
    values: np.ndarray,
    named: Callable[[float, float], str],
    *,
    references: Sequence[str],
    written: Mapping[str, Sequence[str]],
    yardstick: Yardstick,
) -> dict[str, Any]:
    order = np.argsort(values, kind="stable")
    bins = [part for part in np.array_split(order, min(_BINS, len(order))) if len(part)]
    measure = yardstick.measures[0].name

    def figure(found: Sequence[str], part: np.ndarray) -> float:
        rows = part.tolist()
        return yardstick.figures([found[row] for row in rows], [references[row] for row in rows])[measure]

    return {
        "metric": measure,
        "bins": [f"{named(values[part].min(), values[part].max())}\n({len(part):,})" for part in bins],
        "figures": {name: [figure(found, part) for part in bins] for name, found in written.items()},
    }


def _attended(trained: TrainedWriter, sources: Sequence[str], written: Sequence[str]) -> list[dict[str, Any]]:
    """The attention maps of some texts that are not short: of those that have room, or else of the shortest.

    Of more words than there is room for, those are shown that were looked at most.
    """
    lengths = [len(text.split()) for text in sources]
    fit = [row for row, text in enumerate(written) if text.strip() and lengths[row] >= _FEWEST]
    maps = []
    for row in sorted(fit, key=lambda row: max(0, lengths[row] - _WORDS))[:_ATTENDED]:
        found = attention(trained, sources[row], written[row])
        shown = np.sort(np.argsort(-found.weights.sum(0), kind="stable")[: _WORDS + 1])
        maps.append(
            {
                "read": [found.read[at] for at in shown],
                "written": found.written,
                "weights": found.weights[:, shown].round(3).tolist(),
            }
        )
    return maps


def _examples(texts: Texts, written: Sequence[str], yardstick: Yardstick) -> tuple[Passage, ...]:
    """The worst texts and the most typical ones, beside their references."""
    figures = [yardstick.single(one, reference) for one, reference in zip(written, texts.targets, strict=True)]
    order = np.argsort(figures, kind="stable").tolist()
    middle = max(0, len(order) // 2 - _SHOWN // 2)
    chosen = dict.fromkeys(order[middle : middle + _SHOWN], "typical") | dict.fromkeys(order[:_SHOWN], "worst")
    passages = []
    for row, kind in sorted(chosen.items(), key=lambda pair: (pair[1] == "typical", figures[pair[0]])):
        heading = f"{kind}, {yardstick.named} {figures[row]:.0f}, of: {_short(texts.sources[row])}"
        passages.append(Passage(heading, _shared(_short(written[row]), texts.targets[row])))
        passages.append(Passage("its reference", ((_short(texts.targets[row]), 0.0),)))
    return tuple(passages)


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"


def _shared(text: str, reference: str) -> tuple[tuple[str, float], ...]:
    """The words of a text, those of the reference marked as for it, the others as against it."""
    left = Counter(reference.split())
    parts: list[tuple[str, float]] = []
    for word in text.split():
        found = left[word] > 0
        left[word] -= found
        parts += [(word, 1.0 if found else -1.0), (" ", 0.0)]
    return tuple(parts[:-1]) or (("(blank)", 0.0),)

"""The report of a transcriber: its figures beside simple methods' on the same recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sluicegate.metrics.transcription import Counts, confusions, counted, rates, wer_p_value
from sluicegate.tasks.generation.verdict import preferred
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.figures import figure

from .config import TranscriberConfig
from .reading import Recordings
from .trained import Trained

MEASURES = (
    Measure(
        "wer",
        "the word error rate in per cent: words that are put in another's place, left out or put in, by the words that "
        "were said",
    ),
    Measure("cer", "the same of characters"),
    Measure("sentence_accuracy", "recordings of which every word is right, in per cent", ideal=100.0),
)
_CONFUSED = 8  # pairs of words that are told


def report(
    trained: Trained,
    config: TranscriberConfig,
    recordings: Recordings,
    title: str,
    notes: Sequence[str] = (),
    *,
    groups: Sequence[str] | None = None,
) -> Report:
    """Transcribe recordings, and set that beside what simple methods make of them.

    Args:
        trained: the model.
        config: the settings.
        recordings: with texts.
        title: what was evaluated.
        notes: what a reader should bear in mind.
        groups: of each recording, by which the word error rate is told apart.
    """
    said = list(recordings.texts or ())
    written = {"model": transcribed(trained, config, recordings), **simple_methods(trained, recordings)}
    counts = {name: counted(texts, said) for name, texts in written.items()}
    metrics = {name: rates(found)._asdict() for name, found in counts.items()}
    speakers = recordings.groups
    verdict = preferred(
        "wer",
        metrics,
        lambda name: wer_p_value(counts["model"], counts[name], speakers),
        f"the same {len(said):,} recordings",
        lower=True,
    )
    return Report(
        title=f"Transcriber: {title}",
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict,
        facts=_facts(trained, config, recordings)
        | _by_group(counts["model"], groups)
        | _confused(written["model"], said),
        notes=tuple(notes),
        measures=MEASURES,
        details=_details(trained, counts["model"], groups),
    )


def transcribed(trained: Trained, config: TranscriberConfig, recordings: Recordings) -> list[str]:
    """What the model writes of each recording."""
    return [
        trained.transcribe(recordings.blocks(row, trained.rate), trained.search(config.beam)).text
        for row in range(len(recordings))
    ]


def simple_methods(trained: Trained, recordings: Recordings) -> dict[str, list[str]]:
    """What simple methods write of each recording, by their names."""
    return {"most_frequent_text": [trained.common] * len(recordings)}


def _facts(trained: Trained, config: TranscriberConfig, recordings: Recordings) -> dict[str, str]:
    shape = trained.shape
    ways = "one-way" if shape.streaming else "bidirectional"
    weights = sum(weight.numel() for weight in trained.model.parameters())
    kind = "sub-words" if trained.alphabet.subwords else "characters"
    return {
        "recordings": f"{len(recordings):,}",
        "trained on": f"{trained.recordings:,} recordings, {trained.seconds / 60:,.1f} minutes",
        "model": f"{shape.layers} {ways} {shape.cell.upper()} layers of {shape.hidden} units, CTC over "
        f"{len(trained.alphabet.tokens):,} {kind}; {weights:,} weights",
        "audio": f"{trained.rate:,} Hz, one channel",
        "search": f"beam of {config.beam}, the words of the training texts to the power of {trained.language_weight:g}",
    }


def _by_group(counts: Counts, groups: Sequence[str] | None) -> dict[str, str]:
    return {
        f"wer of {name or '(blank)'}": f"{figure(wer)} ({number:,} recordings)"
        for name, (wer, number) in _groups(counts, groups).items()
    }


def _groups(counts: Counts, groups: Sequence[str] | None) -> Mapping[str, tuple[float, int]]:
    """The word error rate of each group, and its recordings."""
    if groups is None:
        return {}
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(groups):
        rows.setdefault(name, []).append(row)
    return {name: (rates(counts[of]).wer, len(of)) for name, of in sorted(rows.items())}


def _confused(written: Sequence[str], said: Sequence[str]) -> dict[str, str]:
    found = confusions(written, said)[:_CONFUSED]
    if not found:
        return {}
    told = [f"{one.said or 'nothing'} as {one.written or 'nothing'} ({one.times})" for one in found]
    return {"taken for others": ", ".join(told)}


def _details(trained: Trained, counts: Counts, groups: Sequence[str] | None) -> dict[str, Any]:
    by_group = {name: {"wer": wer, "recordings": number} for name, (wer, number) in _groups(counts, groups).items()}
    return {"curve": asdict(trained.curve), "groups": by_group}

"""The report of a transcriber: its figures beside simple methods' on the same recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from sluicegate.metrics.transcription import Counts, confusions, counted, rates, wer_p_value
from sluicegate.tasks.generation.verdict import preferred
from sluicegate.tasks.report import Clip, Measure, Report
from sluicegate.tasks.report.figures import figure

from .breakdown import by_group, by_length
from .calibration import reliability, rightness
from .config import TranscriberConfig
from .listening import LEGEND, Heard, clip_of, worst
from .noise_levels import by_noise
from .noises import Noises
from .pictures import draw
from .reading import Recordings, Samples
from .trained import Trained
from .transcript import Transcript

MEASURES = (
    Measure(
        "wer",
        "the word error rate in per cent: words that are put in another's place, left out or put in, by the words that "
        "were said",
    ),
    Measure("cer", "the same of characters"),
    Measure("sentence_accuracy", "recordings of which every word is right, in per cent", ideal=100.0),
)


def report(
    trained: Trained,
    config: TranscriberConfig,
    recordings: Recordings,
    title: str,
    notes: Sequence[str] = (),
    *,
    groups: Sequence[str] | None = None,
    noises: Noises | None = None,
) -> Report:
    """Transcribe recordings, and set that beside what simple methods make of them.

    Args:
        trained: the model.
        config: the settings.
        recordings: with texts.
        title: what was evaluated.
        notes: what a reader should bear in mind.
        groups: of each recording, by which the word error rate is told apart.
        noises: what is mixed in to tell the word error rate in noise; None is noise of all colours.
    """
    said = list(recordings.texts or ())
    found = transcribed(trained, config, recordings)
    written = {"model": [one.text for one in found], **simple_methods(trained, recordings)}
    counts = {name: counted(texts, said) for name, texts in written.items()}
    metrics = {name: rates(of)._asdict() for name, of in counts.items()}
    verdict = preferred(
        "wer",
        metrics,
        lambda name: wer_p_value(counts["model"], counts[name], recordings.groups),
        f"the same {len(said):,} recordings",
        lower=True,
    )
    noisy = by_noise(trained, config, recordings, counts["model"], noises or Noises(rate=trained.rate))
    details = _details(trained, found, said, counts, groups)
    details["bars"] += [] if noisy is None else [noisy.bars()]
    return Report(
        title=f"Transcriber: {title}",
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict,
        facts=_facts(trained, config, recordings)
        | _by_group(counts["model"], groups)
        | ({} if noisy is None else noisy.facts()),
        notes=tuple(notes),
        measures=MEASURES,
        draw=partial(draw, details),
        details=details,
        clips=_clips(trained, recordings, found, counts["model"]),
        clips_title="What it understood least",
        clips_legend=LEGEND,
    )


def transcribed(trained: Trained, config: TranscriberConfig, recordings: Recordings) -> list[Transcript]:
    """What the model writes of each recording."""
    return [
        trained.transcribe(recordings.blocks(row, trained.rate), trained.search(config.beam))
        for row in range(len(recordings))
    ]


def simple_methods(trained: Trained, recordings: Recordings) -> dict[str, list[str]]:
    """What simple methods write of each recording, by their names."""
    samples = Samples(recordings, trained.rate)
    return {"most_frequent_text": [trained.common] * len(recordings), **trained.baselines.transcribe(samples)}


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
    """The word error rate of each group, and its recordings."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(groups or ()):
        rows.setdefault(name, []).append(row)
    return {
        f"wer of {name or '(blank)'}": f"{figure(rates(counts[of]).wer)} ({len(of):,} recordings)"
        for name, of in sorted(rows.items())
    }


def _details(
    trained: Trained,
    found: Sequence[Transcript],
    said: Sequence[str],
    counts: Mapping[str, Counts],
    groups: Sequence[str] | None,
) -> dict[str, Any]:
    """What the pictures are drawn from."""
    words = [word for one in found for word in one.words]
    right = rightness([[word.text for word in one.words] for one in found], said)
    bars = [] if groups is None else [by_group("By group", groups, counts)]
    if any(said):
        bars.append(by_length(said, counts))
    return {
        "curve": asdict(trained.curve),
        "bars": bars,
        "confusions": [tuple(one) for one in confusions([one.text for one in found], said)],
        "reliability": reliability([word.confidence for word in words], right) if words else [],
    }


def _clips(trained: Trained, recordings: Recordings, found: Sequence[Transcript], counts: Counts) -> tuple[Clip, ...]:
    """The recordings that were understood least, to be played."""
    texts = recordings.texts or ()
    return tuple(
        clip_of(
            f"{counts[row, 0]:,} errors in {counts[row, 1]:,} words",
            recordings.samples(row, trained.rate),
            trained.rate,
            texts[row],
            [Heard(word.text, word.begin, word.end) for word in found[row].words],
        )
        for row in worst(counts)
    )

"""The files of a saved model that people read: its figures, its last report, and a card that sums it up."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluicegate import bundle

from .precision import Cost
from .report import FOOTNOTE, Measure, Report
from .report.figures import plain, words
from .restoring import INT8, Saved, Text, read_json

METRICS, PAGE, CARD = "metrics.json", "report.html", "MODEL_CARD.md"

Figures = dict[Text, float | None]


class _Report(Saved):
    title: Text
    metrics: Figures
    baselines: dict[Text, Figures]
    verdict: Text
    facts: dict[Text, Text]
    notes: list[Text]


class _Metrics(Saved):
    validation: _Report | None
    evaluation: _Report | None
    int8: Cost | None = None


@dataclass(frozen=True)
class Results:
    """What was measured of a model."""

    validation: Report | None = None  # the report on the validation part
    evaluation: Report | None = None  # the report of the last evaluation
    page: bytes | None = None  # the page of the last report where it was drawn already
    cost: Cost | None = None  # what int8 cost, of a model that is in it and was measured

    def files(self, card: str) -> dict[str, bytes]:
        """The files for people, with the model card."""
        reports = {"validation": self.validation, "evaluation": self.evaluation}
        content = {name: None if report is None else report.as_dict() for name, report in reports.items()}
        if self.cost is not None:
            content[INT8] = self.cost.model_dump()
        files = {METRICS: json.dumps(content, indent=1, allow_nan=False).encode(), CARD: card.encode()}
        page, latest = self.page, self.evaluation or self.validation
        if page is None and latest is not None:
            page = latest.to_html().encode()
        return files if page is None else {**files, PAGE: page}

    @classmethod
    def from_bundle(cls, saved: bundle.Bundle, measures: tuple[Measure, ...]) -> Results:
        """What `files` wrote; reports without their pictures, which the page has.

        Raises:
            BundleError: the figures are not as `files` writes them.
        """
        if METRICS not in saved.files:
            return cls()
        held = read_json(saved, METRICS, _Metrics)
        validation, evaluation = (
            None if report is None else Report.from_dict(report.model_dump(), measures)
            for report in (held.validation, held.evaluation)
        )
        return cls(validation, evaluation, saved.files.get(PAGE), held.int8)


def card(
    title: str,
    purpose: str,
    results: Results,
    *,
    data: Sequence[str],
    settings: Mapping[str, Any],
    measures: Sequence[Measure],
    limits: Sequence[str],
    use: str,
) -> str:
    """The model card, after Mitchell et al. 2019; `limits` is what the model cannot do, `use` a few lines of Python."""
    parts = [f"# {safe(title)}", purpose]
    for heading, report in (("Validation", results.validation), ("Last evaluation", results.evaluation)):
        if report is not None:
            parts += [f"## {heading}", safe(report.verdict), _figures(report)]
            parts += [safe(f"{FOOTNOTE} {sentence}") for sentence, _ in report.footnotes().values()]
            parts += [safe(note) for note in report.notes]
            parts += [_items([f"{name}: {fact}" for name, fact in report.facts.items()])]
    if results.cost is not None:
        parts += ["## Precision", safe(results.cost.sentence())]
    parts += ["## Data", _items(data)]
    parts += ["## Settings", _items([f"{name}: {_value(value)}" for name, value in settings.items()])]
    parts += ["## What the figures mean", _items([f"{words(m.name)}: {m.meaning}" for m in measures])]
    parts += ["## Limits", _items(limits), "## Use", f"```python\n{use}\n```"]
    return "\n\n".join(parts) + "\n"


def safe(text: str) -> str:
    """A text in which Markdown sees no marks of its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&$])", r"\\\1", plain(text))


def _figures(report: Report) -> str:
    lines = [
        "| | " + " | ".join(safe(words(metric)) for metric in report.metrics) + " |",
        "| --- |" + " ---: |" * len(report.metrics),
    ]
    for name, row in report.cells().items():
        cells = []
        for text, best, noted in row.values():
            text += FOOTNOTE if noted else ""
            cells.append(f"**{text}**" if best else text)
        lines.append(f"| {safe(words(name))} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _items(texts: Sequence[str]) -> str:
    return "\n".join(f"- {safe(text)}" for text in texts)


def _value(value: Any) -> str:
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)

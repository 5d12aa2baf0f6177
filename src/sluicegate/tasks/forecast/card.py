"""The files of a saved forecaster that people read: its figures, its last report, and a card that sums it up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sluicegate import bundle
from sluicegate.errors import BundleError
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.figures import figure, plain, words

from .account import MEASURES, moments
from .config import ForecasterConfig
from .fitted import Fitted

METRICS, PAGE, CARD = "metrics.json", "report.html", "MODEL_CARD.md"


@dataclass(frozen=True)
class Results:
    """What was measured of a model.

    Args:
        validation: the report on the validation part.
        evaluation: the report of the last evaluation.
        page: the page of the last report where it was drawn already.
    """

    validation: Report | None = None
    evaluation: Report | None = None
    page: bytes | None = None

    def files(self, config: ForecasterConfig, fitted: Fitted) -> dict[str, bytes]:
        """The files for people."""
        reports = {"validation": self.validation, "evaluation": self.evaluation}
        content = {name: None if report is None else report.as_dict() for name, report in reports.items()}
        files = {
            METRICS: json.dumps(content, indent=1, allow_nan=False).encode(),
            CARD: _card(config, fitted, self).encode(),
        }
        page, latest = self.page, self.evaluation or self.validation
        if page is None and latest is not None:
            page = latest.to_html().encode()
        return files if page is None else {**files, PAGE: page}

    @classmethod
    def from_bundle(cls, saved: bundle.Bundle) -> Results:
        """What `files` wrote; reports without their pictures, which the page has.

        Raises:
            BundleError: the figures are not as `files` writes them.
        """
        if METRICS not in saved.files:
            return cls()
        try:
            reports = {
                name: None if content is None else Report.from_dict(content, MEASURES)
                for name, content in saved.json(METRICS).items()
            }
            return cls(reports["validation"], reports["evaluation"], saved.files.get(PAGE))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(
                f"{METRICS} of the model '{saved.folder}' does not hold together ({error}): save it again, or take "
                "another copy"
            ) from error


def _card(config: ForecasterConfig, fitted: Fitted, results: Results) -> str:
    """The model card, after Mitchell et al. 2019."""
    columns, shape = fitted.columns, fitted.shape
    targets = ", ".join(_safe(name) for name in columns.targets)
    step = "" if fitted.axis.kind == "integer" else f" of {fitted.axis.describe_step()}"
    parts = [
        f"# Forecast of {targets}",
        f"Forecasts {targets} for the next {shape.horizon} steps{step}, from the last {shape.context} steps: the mean, "
        f"and the quantiles {', '.join(f'{q:g}' for q in fitted.quantiles)}.",
    ]
    for heading, report in (("Validation", results.validation), ("Last evaluation", results.evaluation)):
        if report is not None:
            parts += [f"## {heading}", _safe(report.verdict), _figures(report)]
            parts += [_safe(note) for note in report.notes]
            parts += [_items([f"{name}: {fact}" for name, fact in report.facts.items()])]
    parts += ["## Data", _items(_data(fitted))]
    chosen = {"context": shape.context, "season": fitted.season, "segment": shape.segment}
    settings = config.model_dump(mode="json") | chosen
    parts += ["## Settings", _items([f"{name}: {_value(value)}" for name, value in settings.items()])]
    parts += ["## What the figures mean", _items([f"{words(m.name)}: {m.meaning}" for m in MEASURES])]
    parts += ["## Limits", _items(_limits(fitted)), "## Use", _use(fitted)]
    return "\n\n".join(parts) + "\n"


def _data(fitted: Fitted) -> list[str]:
    columns, axis = fitted.columns, fitted.axis
    trained, seen = (moments(axis, ticks.max(keepdims=True))[0] for ticks in (fitted.trained, fitted.ends))
    said = [
        f"{len(fitted.names):,} series" + ("" if columns.series is None else f", told apart by {columns.series}"),
        f"time column: {columns.time}",
        f"targets: {', '.join(columns.targets)}",
        f"trained on rows up to {trained}, validated on those up to {seen}",
    ]
    if columns.known:
        said.append(f"known in advance: {', '.join(columns.known)}")
    if columns.past:
        said.append(f"known up to now: {', '.join(columns.past)}")
    return said


def _limits(fitted: Fitted) -> list[str]:
    step = fitted.axis.describe_step()
    limits = [
        f"It needs {fitted.shape.context} rows without a gap before each forecast, {step} apart.",
        "It forecasts the series that it was trained on, and no others.",
        "It takes the future to be like the rows that it learnt from: after a break, train it again.",
        "Its interval was set on the validation rows, over all series together: for a single series it may be too wide "
        "or too narrow. Measure the coverage on later rows.",
        "Where the verdict names a simple method, use that.",
    ]
    if fitted.columns.known:
        limits.append(
            "It needs the columns that are known in advance for the whole horizon, without errors of their own."
        )
    return limits


def _use(fitted: Fitted) -> str:
    future = ", future=future" if fitted.columns.known else ""
    return f"""```python
import sluicegate

model = sluicegate.load("this-folder")
forecast = model.predict(table{future})
```"""


def _figures(report: Report) -> str:
    best = report.best()
    lines = [
        "| | " + " | ".join(_safe(words(metric)) for metric in report.metrics) + " |",
        "| --- |" + " ---: |" * len(report.metrics),
    ]
    for name, row in report.rows.items():
        cells = [figure(row.get(metric, float("nan"))) for metric in report.metrics]
        marked = [
            f"**{cell}**" if name in best[metric] else cell for metric, cell in zip(report.metrics, cells, strict=True)
        ]
        lines.append(f"| {_safe(words(name))} | " + " | ".join(marked) + " |")
    return "\n".join(lines)


def _items(texts: list[str]) -> str:
    return "\n".join(f"- {_safe(text)}" for text in texts)


def _value(value: Any) -> str:
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _safe(text: str) -> str:
    """A text in which Markdown sees no marks of its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&$])", r"\\\1", plain(text))

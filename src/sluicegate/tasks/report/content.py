"""What an evaluation says: figures beside a simple method's on the same rows, and which one to use."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .figures import best_of, figure
from .picture import Picture

FOOTNOTE = "†"
"""What marks a figure that needs a word."""


@dataclass(frozen=True)
class Measure:
    """What a metric says.

    Args:
        name: the metric's name.
        meaning: a sentence.
        ideal: the value that is best; of two figures the nearer one is better.
        most: a metric that no single forecast's figure exceeds; where it does, the two judge different forecasts.
        beyond: what is then said at the figure.
    """

    name: str
    meaning: str
    ideal: float = 0.0
    most: str = ""
    beyond: str = ""


@dataclass(frozen=True)
class Passage:
    """A text, of whose parts some are marked, such as those that took a share in a decision."""

    heading: str  # what it is, or what was decided, in a line
    # Each part of the text, in order, with what stands between them, and its share: above 0 it spoke for what was
    # decided, below 0 against, 0 for what took no part and is not marked.
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Clip:
    """A recording that a page plays, with what was made of it."""

    heading: str  # what it is, in a line
    sound: bytes  # a short MP3 file, which the page holds
    passages: tuple[Passage, ...]
    picture: Picture | None = None  # whose caption is said once for all, in the legend


@dataclass(frozen=True)
class Content:
    """What a `Report` holds, however it is shown; its fields are described there."""

    title: str
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    verdict: str
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = field(default=(), repr=False)
    draw: Callable[[], list[Picture]] = field(default=list, repr=False, compare=False)
    details: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    passages: tuple[Passage, ...] = field(default=(), repr=False, compare=False)
    passages_title: str = field(default="Passages", repr=False, compare=False)
    passages_legend: str = field(default="", repr=False, compare=False)
    clips: tuple[Clip, ...] = field(default=(), repr=False, compare=False)
    clips_title: str = field(default="Recordings", repr=False, compare=False)
    clips_legend: str = field(default="", repr=False, compare=False)

    @property
    def rows(self) -> dict[str, dict[str, float]]:
        """The figures of the model and of each baseline, in that order."""
        return {"model": self.metrics, **self.baselines}

    def ideal(self, metric: str) -> float:
        """The best value that a metric can have."""
        return next((measure.ideal for measure in self.measures if measure.name == metric), 0.0)

    def best(self) -> dict[str, list[str]]:
        """For each metric, the rows with the best figure; none where there is nothing to compare."""
        marked = {}
        for metric in self.metrics:
            column = [row.get(metric, math.nan) for row in self.rows.values()]
            marks = best_of(column, self.ideal(metric))
            marked[metric] = [name for name, mark in zip(self.rows, marks, strict=True) if mark]
        return marked

    def footnotes(self) -> dict[str, tuple[str, list[str]]]:
        """For each metric of which a figure needs a word: that word, and the rows whose figures do."""
        found = {}
        for measure in self.measures:
            rows = [
                name
                for name, row in self.rows.items()
                if measure.most and row.get(measure.name, math.nan) > row.get(measure.most, math.nan)
            ]
            if rows:
                found[measure.name] = measure.beyond, rows
        return found

    def cells(self) -> dict[str, dict[str, tuple[str, bool, bool]]]:
        """By row and metric: the figure as people read it, whether it is the best, and whether it needs a word."""
        best, noted = self.best(), {metric: rows for metric, (_, rows) in self.footnotes().items()}
        return {
            name: {
                metric: (figure(row.get(metric, math.nan)), name in best[metric], name in noted.get(metric, ()))
                for metric in self.metrics
            }
            for name, row in self.rows.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """Everything but the pictures and the figures behind them, as JSON can hold it: None stands for NaN."""
        return {
            "title": self.title,
            "metrics": _known(self.metrics),
            "baselines": {name: _known(metrics) for name, metrics in self.baselines.items()},
            "verdict": self.verdict,
            "facts": dict(self.facts),
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """`as_dict` as JSON text."""
        return json.dumps(self.as_dict(), indent=1, allow_nan=False)


def _known(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}

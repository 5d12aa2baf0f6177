"""The report of an evaluation, and the ways in which it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType

from sluicegate.atomic import write_atomic

from .content import Content, Measure
from .page import notebook_cell, page
from .terminal import as_text, lines


@dataclass(frozen=True)
class Report(Content):
    """An evaluation; `print` shows it as a table, a notebook as a cell, and `to_html` makes a page with pictures.

    Args:
        title: what was evaluated, in a line.
        metrics: the model's figures by name; NaN where nothing could be measured.
        baselines: for each simple method, its figures by the same names, on the same rows.
        verdict: one sentence that says which to use.
        facts: what a reader needs to know of how it was measured, by name.
        notes: what was left out or filled in, a sentence each.
        measures: what the metrics mean; one that is not among them is best at 0.
        draw: draws the pictures, when they are asked for.
        details: figures behind the pictures, by name: lists, numbers and texts only.
        passages: texts that were read or written, some of their parts marked.
        passages_title: what they are, as a heading.
        passages_legend: what the marks say.
        clips: recordings that the page plays.
        clips_title: what they are, as a heading.
        clips_legend: what their marks and pictures say.

    >>> report = Report("A forecast", {"mae": 1.5}, {"seasonal_naive": {"mae": 2.0}}, "Use the model.")
    >>> print(report)
    A forecast
                     mae
    model          1.500*
    seasonal naive 2.000
    * the best figure of its column
    <BLANKLINE>
    Use the model.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        del console
        yield from lines(self, options.max_width)

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return notebook_cell(self)

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one page that needs nothing else: no network, no script.

        Args:
            path: a file to write it to as well, whole or not at all.

        Raises:
            BundleError: the file cannot be written.
        """
        text = page(self)
        if path is not None:
            write_atomic(path, text.encode())
        return text

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], measures: tuple[Measure, ...] = ()) -> Report:
        """The report, without pictures, of which this is the `as_dict`."""
        return cls(
            title=str(content["title"]),
            metrics=_numbers(content["metrics"]),
            baselines={str(name): _numbers(metrics) for name, metrics in content["baselines"].items()},
            verdict=str(content["verdict"]),
            facts={str(name): str(fact) for name, fact in content["facts"].items()},
            notes=tuple(str(note) for note in content["notes"]),
            measures=measures,
        )


def _numbers(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {str(name): math.nan if value is None else float(value) for name, value in metrics.items()}

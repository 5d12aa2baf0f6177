"""A report in the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .content import FOOTNOTE, Content
from .figures import plain, words

WIDTH = 80
"""Columns of `str(report)`."""

_MARK = "*"


def as_text(report: Content) -> str:
    """The report as plain text."""
    text = io.StringIO()
    # Whatever the terminal of this process can do, text is text.
    console = Console(file=text, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(Group(*lines(report, WIDTH)))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def lines(report: Content, width: int) -> Iterator[RenderableType]:
    """The parts of the report, one below the other."""
    yield Text(plain(report.title), style="bold")
    for metrics in _side_by_side(report, width):
        yield _table(report, metrics)
    if any(report.best().values()):
        yield Text(f"{_MARK} the best figure of its column{_exceptions(report)}", style="dim")
    for sentence, _ in report.footnotes().values():
        yield Text(f"{FOOTNOTE} {plain(sentence)}", style="dim")
    yield Text()
    yield Text(plain(report.verdict), style="bold")
    if report.facts:
        yield Text()
        yield _facts(report.facts)
    if report.notes:
        yield Text()
    for note in report.notes:
        yield Padding(Text(plain(note)), (0, 0, 0, 1))


def _exceptions(report: Content) -> str:
    """Where best is not the smallest."""
    ideals = {metric: report.ideal(metric) for metric in report.metrics}
    return "".join(f"; of {words(metric)}, the nearest to {ideal:g}" for metric, ideal in ideals.items() if ideal != 0)


def _table(report: Content, metrics: list[str]) -> Table:
    table = Table(box=None, padding=0, pad_edge=False, show_edge=False)
    table.add_column("")
    for metric in metrics:
        table.add_column(Text(_heading(metric)), justify="right", vertical="bottom", no_wrap=True)
        table.add_column("", width=2)  # the mark, so that the figures stand below one another
    for name, row in report.cells().items():
        cells = [Text(f"{words(name)} ")]
        for text, best, noted in (row[metric] for metric in metrics):
            style = "bold green" if best else ""
            cells += [Text(text, style), Text((_MARK if best else "") + (FOOTNOTE if noted else ""), style)]
        table.add_row(*cells)
    return table


def _heading(metric: str) -> str:
    """A long name on several lines."""
    return plain(metric).replace("_", "\n")


def _side_by_side(report: Content, width: int) -> list[list[str]]:
    """The metrics in as few tables as the width allows, and these as even as can be."""
    left = width - max(len(words(name)) for name in report.rows) - 1
    needs = {}
    for metric in report.metrics:
        texts = [row[metric][0] for row in report.cells().values()]
        needs[metric] = max(len(text) for text in (*texts, *_heading(metric).splitlines())) + 2
    fewest = len(_filled(needs, left))
    widths = range(min(left, max(needs.values(), default=left)), left + 1)
    return next((groups for groups in (_filled(needs, most) for most in widths) if len(groups) == fewest), [])


def _filled(needs: dict[str, int], most: int) -> list[list[str]]:
    """Groups of metrics, in order, each as full as its width allows."""
    groups: list[list[str]] = []
    left = 0
    for metric, need in needs.items():
        if not groups or need > left:
            groups.append([])
            left = most
        groups[-1].append(metric)
        left -= need
    return groups


def _facts(facts: dict[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False, show_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, fact in facts.items():
        table.add_row(Text(" " + plain(name)), Text(plain(fact)))
    return table

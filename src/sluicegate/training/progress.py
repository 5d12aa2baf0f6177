"""A progress bar with the time left, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Report(Protocol):
    """Called after a step."""

    def __call__(self, done: int, words: str = "") -> None:
        """Say how many steps are done, and in a few words how it goes."""


def _say_nothing(done: int, words: str = "") -> None:
    del done, words


@contextmanager
def progress_bar(what: str, total: int, show: bool | None = None) -> Iterator[Report]:
    """Show a bar while the block runs.

    Args:
        what: what is being done, in a few words.
        total: how many steps there are.
        show: whether to show it; None shows it where standard error is a terminal.
    """
    console = Console(stderr=True)
    if show is False or (show is None and not console.is_terminal):
        yield _say_nothing
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, words="")

        def report(done: int, words: str = "") -> None:
            if words:
                bar.update(task, completed=done, words=words)
            else:
                bar.update(task, completed=done)

        yield report

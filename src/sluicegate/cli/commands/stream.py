"""`sluicegate stream`: rows in as they come, answers out at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..failures import failing_plainly
from ..options import Debug, Model, Threads, require_options


def stream(
    model: Model,
    state: Annotated[
        Path | None, typer.Option(help="A file for the state: gone on from if it is there, written at the end.")
    ] = None,
    warm: Annotated[bool, typer.Option("--warm", help="Begin with the last rows of training (forecasters).")] = False,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Answer rows as they come: JSON Lines from standard input, a line out for each line in."""
    with failing_plainly(debug):
        from ..starting import load_task

        task = load_task(model, threads)
        options: dict[str, Any] = {"warm": True} if warm else {}
        require_options(task, "open_stream", options)
        from ..streaming import Stopped, answer_lines, resume

        opened = task.open_stream(**options)
        resume(opened, state)
        try:
            answer_lines(opened, sys.stdin.buffer.readline, _say, state)
        except Stopped as stopped:
            if stopped.by == stopped.by.SIGINT:
                raise KeyboardInterrupt from None


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()

"""How a command fails: one sentence on standard error, and an exit status.

1    the data or the model cannot be used; `--debug` shows the traceback
2    misuse, which typer tells
130  interrupted by the user
141  the reader of the output went away
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from sluicegate.errors import SluicegateError


def note(words: str) -> None:
    """Say something to the person: results alone go to standard output."""
    typer.echo(words, err=True)


@contextmanager
def failing_plainly(debug: bool) -> Iterator[None]:
    """Turn what goes wrong in the block into a sentence and an exit status, and say what is logged as a warning."""
    logger, notes = logging.getLogger("sluicegate"), _Notes(logging.WARNING)
    logger.addHandler(notes)
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends: give it somewhere to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None
    except KeyboardInterrupt:
        note("interrupted")
        raise typer.Exit(130) from None
    except (SluicegateError, OSError) as error:
        if debug:
            raise
        note(f"error: {_sentence(error)}")
        raise typer.Exit(1) from None
    finally:
        logger.removeHandler(notes)


class _Notes(logging.Handler):
    """Says what is logged to the person."""

    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, SluicegateError):
        where = f"'{error.filename}': " if error.filename else ""
        return f"{where}{error.strerror or error}; check the path, the rights and the space on the disk"
    return " ".join(str(error).split())

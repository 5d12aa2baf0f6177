"""Where the rows of a file stand: the line on which each begins, as an editor counts."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from .columns import Source
from .packed import ending_of, opened

_BLOCK = 1 << 22  # bytes looked at together
_QUOTE, _LINE_END = 34, 10


def source_of(path: str | Path, before: int = 0) -> Source:
    """What the table in a file is called in messages, which name the line on which a row begins.

    The file is gone through when a message is made, and not before.

    Args:
        path: of the file.
        before: rows of the file that stand before the table's first one.
    """
    path = Path(path)
    match ending_of(path):
        case ".csv" | ".tsv":
            return Source(path.name, place=lambda row: _lines_of_record(path, before + row))
        case ".jsonl" | ".ndjson":
            return Source(path.name, place=lambda row: f"line {_line_of_object(path, before + row)}")
    return Source(path.name, place=lambda row: f"line {before + row + 1}")


def _lines_of_record(path: Path, row: int) -> str:
    """The line or lines of a row of a CSV file, which stands below the header and blank lines above that."""
    blank = 0
    with opened(path) as file:
        while (line := file.readline()) and not line.strip(b"\r\n"):
            blank += 1
    begin, end = (1 + _line_breaks(path, blank + 1 + row), _line_breaks(path, blank + 2 + row))
    return f"line {begin}" if end <= begin else f"line {begin} to line {end}"


def _line_breaks(path: Path, records: int) -> int:
    """How many line breaks so many records have, blank lines among them; one that lacks at the end is counted."""
    breaks, quotes = 0, 0
    with opened(path) as file:
        while block := file.read(_BLOCK):
            data = np.frombuffer(block, np.uint8)
            places, signs = np.flatnonzero(data == _LINE_END), np.flatnonzero(data == _QUOTE)
            # A line goes on where an odd number of quotes stands before its break.
            ends = np.flatnonzero((quotes + np.searchsorted(signs, places)) % 2 == 0)
            if records <= len(ends):
                return breaks + int(ends[records - 1]) + 1
            records, breaks, quotes = records - len(ends), breaks + len(places), quotes + len(signs)
    return breaks + 1


def _line_of_object(path: Path, row: int) -> int:
    """The line of a row of a JSON Lines file, where blank lines count for nothing."""
    with opened(path) as file:
        lines = (number for number, line in enumerate(file, 1) if line.strip())
        return next(itertools.islice(lines, row, None), row + 1)

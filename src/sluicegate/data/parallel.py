"""Pairs of texts from two files whose lines belong together."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sluicegate.errors import DataError

from .text_files import read_blocks

SIGN = ","
"""What stands between the paths of two files that are given as one, such as `train.de,train.en`."""


def two_files(path: Path) -> tuple[Path, Path] | None:
    """The two files that a path names, or None where it names one."""
    first, sign, second = str(path).partition(SIGN)
    return (Path(first), Path(second)) if sign and first and second and not path.exists() else None


def read_lines(path: str | Path) -> pl.Series:
    """The lines of a file of plain text, gzip'd or not, of whatever ending: a line ends at a line feed alone.

    Raises:
        DataError: the file is missing, blank, or not UTF-8.
    """
    parts = []
    for block in read_blocks(path):
        lines = [line.removesuffix("\r") for line in block.split("\n")]
        parts.append(pl.Series(lines if lines[-1] else lines[:-1], dtype=pl.String))
    return pl.concat(parts)


def read_parallel(first: str | Path, second: str | Path, names: tuple[str, str]) -> pl.DataFrame:
    """A table of two columns, a row for each line.

    Args:
        first: the file of the first column.
        second: that of the second one.
        names: of the columns.

    Raises:
        DataError: a file cannot be read, or they have not as many lines.
    """
    columns = [read_lines(path) for path in (first, second)]
    counts = [len(lines) for lines in columns]
    if counts[0] != counts[1]:
        longer, shorter = (first, second) if counts[0] > counts[1] else (second, first)
        raise DataError(
            f"line {min(counts) + 1} of {longer} has no partner, for {shorter} ends at line {min(counts)} of "
            f"{max(counts)}: expected a line of the one for each line of the other; look for one that is missing there"
        )
    return pl.DataFrame(dict(zip(names, columns, strict=True)))

"""Plain text from files, gzip'd or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sluicegate.errors import DataError

from .packed import ending_of
from .utf8 import blocks

TEXT_FILES = (".txt", ".text", ".tokens")


def is_text_file(path: Path) -> bool:
    """Tell by a file's ending whether it holds plain text, gzip'd or not."""
    return ending_of(path) in TEXT_FILES


def read_text(path: str | Path) -> str:
    """Read a file of plain text.

    Args:
        path: a file of any ending; one in `.gz` is unpacked.

    Raises:
        DataError: the file is missing, blank, not UTF-8, or not what its ending says.
    """
    return "".join(read_blocks(path))


def read_blocks(path: str | Path) -> Iterator[str]:
    """Read the same block by block, each of whole lines.

    Raises:
        DataError: as for `read_text`; that it is blank, behind the last block.
    """
    path, blank = Path(path), True
    if not path.is_file():
        raise DataError(f"{path} is not there or is not a file: give the path of a text")
    try:
        for block in blocks(path):
            blank = blank and not block.strip()
            yield block
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: permission denied; ask for the right to read it") from error
    if blank:
        raise DataError(f"{path} is blank: expected lines of text")

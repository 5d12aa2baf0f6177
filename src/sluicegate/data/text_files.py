"""Plain text from files, gzip'd or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from sluicegate.errors import DataError

from .encodings import UTF16, remedy
from .packed import ending_of

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
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not there or is not a file: give the path of a text")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: permission denied; ask for the right to read it") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is no whole gzip file ({error}): copy it anew, or name it as what it is") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith(UTF16):
            raise DataError(f"{path} is UTF-16: save the file as UTF-8") from None
        line = content.count(b"\n", 0, error.start) + 1
        begun = content[: error.start]
        raise DataError(f"{path} line {line} is not UTF-8: {remedy(path, others=not begun.isascii())}") from None
    if not text.strip():
        raise DataError(f"{path} is blank: expected lines of text")
    return text

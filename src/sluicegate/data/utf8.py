"""Text in UTF-8, block by block, so that a file of any size takes little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sluicegate.errors import DataError

from .encodings import UTF16, as_utf8, remedy
from .packed import opened

_BLOCK = 1 << 22  # bytes that are looked at together


def blocks(path: Path) -> Iterator[str]:
    """The text of a file, gzip'd or not, without a mark of the byte order; a block ends where a line does.

    Raises:
        DataError: the file is not UTF-8, or as `opened` says.
    """
    line, others = 1, False
    with opened(path) as file:
        while content := file.read(_BLOCK) + file.readline():
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError:
                raise _fault(path, content, line, others) from None
            yield text.removeprefix("\ufeff") if line == 1 else text
            line, others = line + content.count(b"\n"), others or not content.isascii()


def _fault(path: Path, content: bytes, line: int, others: bool) -> DataError:
    """What is wrong with a block that begins at this line, where others of UTF-8 may stand before."""
    if line == 1 and content.startswith(UTF16):
        return DataError(f"{path} is UTF-16: save the file as UTF-8, for instance by {as_utf8(path, 'utf-16')}")
    lines = content.split(b"\n")
    bad = next(number for number, text in enumerate(lines) if not _is_utf8(text))
    others |= any(not text.isascii() and _is_utf8(text) for text in lines)
    return DataError(f"{path} line {line + bad} is not UTF-8: {remedy(path, others=others)}")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

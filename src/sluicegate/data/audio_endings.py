"""Whether a file of audio ends where it says: libsndfile reads one that was cut short as if it were a shorter one."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from sluicegate.errors import DataError

UNKNOWN = (0, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF)
"""What programs write as the size of a WAV file's samples before they know it."""

_PAGE = 2**16 + 512  # bytes of a page of OGG at most


def require_whole(path: Path, named: str) -> None:
    """Refuse a WAV or OGG file that was cut in the middle; others say so as they are read, or cannot tell.

    Args:
        path: of the file.
        named: what it is called in messages.

    Raises:
        DataError: it was.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
            missing = 0
            if head[:4] == b"RIFF" and head[8:] == b"WAVE":
                missing = _missing_of_wav(file, path.stat().st_size)
            elif head[:4] == b"OggS" and not _ends_as_ogg(file, path.stat().st_size):
                raise DataError(
                    f"{named} was cut short, its last page is missing: fetch it again, or save what there is as a "
                    "file of its own"
                )
    except PermissionError as error:
        raise DataError(f"{named} cannot be read: permission denied; ask for the right to read it") from error
    if missing > 0:
        raise DataError(
            f"{named} was cut short, the last {missing:,} bytes of its samples are missing: fetch it again, or save "
            "what there is as a file of its own"
        )


def _missing_of_wav(file: BinaryIO, size: int) -> int:
    """How many bytes of the samples are not there."""
    while len(head := file.read(8)) == 8:
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"data":
            return 0 if length in UNKNOWN else length - (size - file.tell())
        file.seek(length + length % 2, 1)
    return 0


def _ends_as_ogg(file: BinaryIO, size: int) -> bool:
    """Whether the last page is there, whole, and says that it is the last."""
    file.seek(max(0, size - _PAGE))
    end = file.read()
    at = end.rfind(b"OggS")
    while at >= 0:
        page = end[at:]
        if len(page) >= 27 and len(page) >= 27 + page[26]:
            whole = 27 + page[26] + sum(page[27 : 27 + page[26]])
            return bool(page[5] & 4) and len(page) >= whole
        at = end.rfind(b"OggS", 0, at)
    return False

"""Files that are gzip'd or not."""

from __future__ import annotations

import gzip
import zlib
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

from sluicegate.errors import DataError

_BLOCK = 1 << 20  # bytes that are unpacked together
_TIMES = 100  # the size of a packed file: texts and tables unpack to 3 to 30 times theirs, and zeros to 1,000 times
_ALWAYS, _NEVER = 1 << 30, 1 << 34  # bytes that a file may unpack to however small it is, and however large


def ending_of(path: Path) -> str:
    """The ending of a file's name in lower case, `.csv` of `a.csv.gz` too."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def opened(path: Path) -> BufferedReader:
    """A file to read bytes from, unpacked where its name ends in `.gz`, as `unpacked` says."""
    return unpacked(path) if path.suffix.lower() == ".gz" else path.open("rb")


def unpacked(path: Path) -> BufferedReader:
    """A gzip'd file to read bytes from.

    What is read raises a DataError where the file is damaged, or holds far more than its size lets expect: a small file
    can unpack to more than any machine has room for.
    """
    return BufferedReader(_Unpacked(path), _BLOCK)


class _Unpacked(RawIOBase):
    """The bytes of a gzip'd file, counted as they are read."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, gzip.open(path)  # noqa: SIM115 - closed in `close`
        self._most = min(_NEVER, max(_ALWAYS, _TIMES * path.stat().st_size))
        self._read = 0

    def readable(self) -> bool:
        """It is, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on; 0 is the end.

        Raises:
            DataError: the file is damaged, or holds too much.
        """
        try:
            size = self._file.readinto(memoryview(buffer)[:_BLOCK])
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{self._path} is a damaged gzip file ({error}): fetch it again, or name it as what it is"
            ) from error
        self._read += size
        if self._read > self._most:
            raise DataError(
                f"{self._path} unpacks to more than {self._most / 1e9:.1f} GB, where its size lets expect less: if "
                "that is what it should hold, unpack it by `gunzip`, and give the file that comes of it"
            )
        return size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

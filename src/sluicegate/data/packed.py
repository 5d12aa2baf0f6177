"""Files that are gzip'd or not."""

from __future__ import annotations

import gzip
from io import BufferedReader
from pathlib import Path


def ending_of(path: Path) -> str:
    """The ending of a file's name in lower case, `.csv` of `a.csv.gz` too."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def opened(path: Path) -> gzip.GzipFile | BufferedReader:
    """A file to read bytes from, unpacked where its name ends in `.gz`."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")

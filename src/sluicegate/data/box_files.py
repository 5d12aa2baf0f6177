"""Boxes from files: the folders of MOTChallenge, and the files of detectors and trackers in its form."""

from __future__ import annotations

import configparser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sluicegate.errors import DataError

from .boxes import BoxSequence, sequence_of
from .columns import Source
from .files import read_table

COLUMNS = ("frame", "id", "x", "y", "width", "height", "score", "class")
"""Of a line of MOTChallenge's files; further ones, such as a place in the world, are left alone."""
_TRUTH, _DETECTED, _ABOUT = Path("gt/gt.txt"), Path("det/det.txt"), "seqinfo.ini"
_LEAST_COLUMNS, _WITH_CLASSES, _PERSON = 6, 9, 1


@dataclass(frozen=True)
class BoxFolder:
    """A folder of MOTChallenge: the boxes of people, and those of a detector.

    Args:
        truth: boxes with ids; None where there are none.
        detected: those of a detector; None where there are none.
    """

    truth: BoxSequence | None
    detected: BoxSequence | None


def is_table(path: Path) -> bool:
    """Whether a file is read as a table with a heading, and not as lines of numbers."""
    return path.suffix.lower() not in (".txt", "")


def box_folders(path: Path) -> list[Path]:
    """The folders of sequences in a folder, or the folder itself where it is one.

    Raises:
        DataError: it is not there, or there are none.
    """
    if not path.is_dir():
        raise DataError(f"{path} is not there or is no folder: give a folder of sequences, as MOTChallenge has them")
    if _is_sequence(path):
        return [path]
    found = sorted(folder for folder in path.iterdir() if folder.is_dir() and _is_sequence(folder))
    if not found:
        raise DataError(
            f"{path} holds no sequences: expected folders with {_TRUTH} or {_DETECTED} in each, as MOTChallenge does"
        )
    return found


def read_box_folder(path: Path) -> BoxFolder:
    """Read a folder of MOTChallenge.

    Boxes of people that are marked as not to be counted, and those of other things than persons where the file says
    what they are, are left out.

    Raises:
        DataError: a file cannot be used; the message says which, where, and what to do.
    """
    about = _about(path / _ABOUT)
    truth = detected = None
    if (path / _TRUTH).is_file():
        numbers, source = _lines(path / _TRUTH), _source(path / _TRUTH)
        kept = np.flatnonzero(_counts(numbers))
        columns = _named(numbers[kept])
        columns.pop("score", None)
        columns.pop("class", None)
        truth = sequence_of(path.name, columns, lambda row: source.row(int(kept[row])), sort=True, **_outside(about))
    if (path / _DETECTED).is_file():
        detected = replace(read_box_file(path / _DETECTED, about=about), name=path.name)
    return BoxFolder(truth, detected)


def read_box_file(path: Path, *, about: dict[str, Any] | None = None) -> BoxSequence:
    """Read the boxes of a detector from lines of frame, id, x, y, width, height and score, without a heading.

    Args:
        path: of the file.
        about: the rate, length and size of the pictures; None looks for `seqinfo.ini` beside the file or above it.

    Raises:
        DataError: the file cannot be used; the message says where and what to do.
    """
    if about is None:
        near = (folder / _ABOUT for folder in (path.parent, path.parent.parent))
        about = next((_about(file) for file in near if file.is_file()), {})
    numbers, source = _lines(path), _source(path)
    columns = _named(numbers)
    if (columns["id"] < 0).all() or path.name == _DETECTED.name:
        del columns["id"]
    if "class" in columns and (columns["class"] != np.floor(columns["class"])).any():  # a place in the world
        del columns["class"]
    return sequence_of(path.stem, columns, source.row, sort=False, **about)


def read_box_table(path: Path) -> tuple[Any, Source]:
    """Read a table of boxes, with a heading."""
    return read_table(path, ("video",)), Source(path.name, first_line=2)


def lines_of(frames: Any, ids: Any, boxes: Any, scores: Any) -> str:
    """Tracks in the form of MOTChallenge, a line for each box."""
    return "".join(
        f"{frame},{number},{x:.2f},{y:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n"
        for frame, number, (x, y, width, height), score in zip(frames, ids, boxes, scores, strict=True)
    )


def _is_sequence(folder: Path) -> bool:
    return (folder / _TRUTH).is_file() or (folder / _DETECTED).is_file()


def _source(path: Path) -> Source:
    return Source(str(path), first_line=1)


def _outside(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name != "size"}  # people mark what has left the picture


def _counts(numbers: np.ndarray) -> np.ndarray:
    """Which lines of people are to be counted."""
    width = numbers.shape[1]
    counts = numbers[:, 6] != 0 if width > 6 else np.ones(len(numbers), bool)
    return counts & (numbers[:, 7] == _PERSON) if width == _WITH_CLASSES else counts


def _named(numbers: np.ndarray) -> dict[str, np.ndarray]:
    return {name: numbers[:, number] for number, name in enumerate(COLUMNS) if number < numbers.shape[1]}


def _lines(path: Path) -> np.ndarray:
    """The numbers of a file, as many in each line.

    Raises:
        DataError: it is not there, holds none, or a line is not what it must be.
    """
    if not path.is_file():
        raise DataError(f"{path} is not there or is not a file: give the path of a file of boxes")
    rows: list[list[float]] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            parts = line.replace(",", " ").split()
            try:
                rows.append([float(part) for part in parts])
            except ValueError:
                raise DataError(
                    f"{path} line {number} holds {line.strip()[:60]!r}: expected numbers, {', '.join(COLUMNS[:7])}, "
                    "with commas between them"
                ) from None
            if len(parts) < _LEAST_COLUMNS or len(parts) != len(rows[0]):
                raise DataError(
                    f"{path} line {number} holds {len(parts)} numbers: expected {max(_LEAST_COLUMNS, len(rows[0]))}, "
                    f"which begin with {', '.join(COLUMNS[:6])}"
                )
    return np.array(rows) if rows else np.zeros((0, 7))


def _about(path: Path) -> dict[str, Any]:
    """The rate, the length and the size of the pictures, as far as `seqinfo.ini` says.

    Raises:
        DataError: it cannot be read.
    """
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
        section = parser["Sequence"]
        rate, length = section.getfloat("frameRate"), section.getint("seqLength")
        width, height = section.getfloat("imWidth"), section.getfloat("imHeight")
    except (configparser.Error, KeyError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({' '.join(str(error).split())}): expected [Sequence] with frameRate, seqLength, "
            "imWidth and imHeight"
        ) from None
    if rate is not None and not 0 < rate <= 1e4:
        raise DataError(f"{path} says that frameRate is {rate:g}: expected frames a second above 0")
    return {"rate": rate, "length": length, "size": (width, height) if width and height else None}

"""Sequences as the verbs take them: folders, tables, or sequences that were read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sluicegate.data import Source
from sluicegate.data.box_files import box_folders, is_table, read_box_file, read_box_folder, read_box_table
from sluicegate.data.boxes import BoxSequence, sequences_of_table
from sluicegate.errors import DataError

from .labelling import Lesson, labelled


def truths(data: Any, origin: Source) -> list[tuple[BoxSequence, BoxSequence | None]]:
    """Sequences of boxes with ids, each with those of a detector where these are beside it.

    Args:
        data: a folder of sequences or a table, or a sequence of folders.
        origin: what a table is called in messages.

    Raises:
        DataError: there are none, or they cannot be used as they are.
    """
    found: list[tuple[BoxSequence, BoxSequence | None]] = []
    for one in data if isinstance(data, list | tuple) else [data]:
        if isinstance(one, BoxSequence):
            found.append((one, None))
        elif isinstance(one, str | Path) and not (Path(one).is_file() and is_table(Path(one))):
            for folder in box_folders(Path(one)):
                read = read_box_folder(folder)
                if read.truth is None:
                    raise DataError(f"{folder} has no gt/gt.txt: expected boxes with ids there; add it")
                found.append((read.truth, read.detected))
        else:
            table, source = read_box_table(Path(one)) if isinstance(one, str | Path) else (one, origin)
            found += [(sequence, None) for sequence in sequences_of_table(table, source, identified=True)]
    found = [pair for pair in found if len(pair[0])]
    if not found:
        raise DataError("there are no boxes to learn from or to measure by: expected sequences with some in each")
    return found


def detections(data: Any, origin: Source, *, rate: float | int | None = None) -> list[BoxSequence]:
    """Sequences of boxes of a detector.

    Args:
        data: a file of lines as MOTChallenge has them, a folder with such files, a table, or a sequence.
        origin: what a table is called in messages.
        rate: frames a second, where nothing says.

    Raises:
        DataError: they cannot be used as they are.
    """
    if isinstance(data, BoxSequence):
        return [data]
    if isinstance(data, list | tuple):
        return [sequence for one in data for sequence in detections(one, origin, rate=rate)]
    if isinstance(data, str | Path):
        path = Path(data)
        if path.is_dir():
            return [_detected(folder) for folder in box_folders(path)]
        if not is_table(path) or not path.is_file():
            return [_rated(read_box_file(path), rate)]
        data, origin = read_box_table(path)
    return [_rated(sequence, rate) for sequence in sequences_of_table(data, origin, identified=False)]


def lessons(data: Any, detected: Any, origin: Source) -> tuple[list[Lesson], list[BoxSequence]]:
    """Sequences of which a detector's boxes are known, with these; and those of which they are not.

    Args:
        data: as `truths` takes it.
        detected: a folder or a table with the boxes of a detector for some of these; None takes those beside them.
        origin: what a table is called in messages.

    Raises:
        DataError: they cannot be used as they are.
    """
    given = truths(data, origin)
    if detected is None:
        others = {truth.name: seen for truth, seen in given if seen is not None}
    else:
        others = {seen.name: seen for seen in detections(detected, Source("the table of detections"))}
        if not others.keys() & {truth.name for truth, _ in given}:
            raise DataError(
                f"`detections` has boxes of {', '.join(sorted(others)) or 'no sequence'}, and the data are of "
                f"{', '.join(sorted(truth.name for truth, _ in given))}: expected sequences of the same names"
            )
    known = [labelled(others[truth.name], truth) for truth, _ in given if truth.name in others]
    return known, [truth for truth, _ in given if truth.name not in others]


def _detected(folder: Path) -> BoxSequence:
    found = read_box_folder(folder).detected
    if found is None:
        raise DataError(f"{folder} has no det/det.txt: expected the boxes of a detector there; add them")
    return found


def _rated(sequence: BoxSequence, rate: float | int | None) -> BoxSequence:
    return sequence if rate is None else replace(sequence, rate=rate)

"""Recordings with their texts, as users have them: a table of paths or arrays, a folder, files, or arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from jaxtyping import Float32

from sluicegate.data import Source
from sluicegate.data.audio import array_blocks, audio_blocks, audio_rate, from_array, is_audio, read_audio
from sluicegate.data.columns import select
from sluicegate.data.frames import backend_of
from sluicegate.data.text_files import read_text
from sluicegate.errors import DataError

from .alphabet import tidied

Clip: TypeAlias = str | np.ndarray
"""The path of a recording, or its samples."""


@dataclass(frozen=True)
class Recordings:
    """Recordings, and what is said in them if that is known.

    Args:
        clips: their paths or samples.
        rate: of those that are samples, in Hz; None where there are none.
        texts: what is said in each; a blank one is silence.
        groups: whose each is, by name.
        place: what named a path, such as ` (line 3 of calls.csv)`, or, of an array, what it is called.
    """

    clips: Sequence[Clip]
    rate: int | None
    texts: Sequence[str] | None
    groups: Sequence[str] | None
    place: Callable[[int], str]

    def __len__(self) -> int:
        """How many recordings."""
        return len(self.clips)

    def samples(self, row: int, rate: int) -> Float32[np.ndarray, " samples"]:
        """A recording at a rate.

        Raises:
            DataError: it cannot be read.
        """
        clip = self.clips[row]
        if isinstance(clip, str):
            return read_audio(clip, rate, where=self.place(row))
        return from_array(clip, self._rate(row), rate, named=self.place(row))

    def blocks(self, row: int, rate: int) -> Iterator[Float32[np.ndarray, " samples"]]:
        """The same block by block."""
        clip = self.clips[row]
        if isinstance(clip, str):
            yield from audio_blocks(clip, rate, where=self.place(row))
        else:
            yield from array_blocks(clip, self._rate(row), rate, named=self.place(row))

    def own_rate(self, row: int) -> int:
        """The rate that a recording has, in Hz."""
        clip = self.clips[row]
        return audio_rate(clip, where=self.place(row)) if isinstance(clip, str) else self._rate(row)

    def take(self, rows: Sequence[int] | np.ndarray) -> Recordings:
        """Some of the recordings."""
        numbers, place = [int(row) for row in rows], self.place
        texts, groups = (
            None if several is None else [several[row] for row in numbers] for several in (self.texts, self.groups)
        )
        return Recordings(
            [self.clips[row] for row in numbers], self.rate, texts, groups, lambda row: place(numbers[row])
        )

    def _rate(self, row: int) -> int:
        if self.rate is None:
            raise DataError(f"{self.place(row)} is an array, of which the rate is not known: give `rate` in Hz")
        return self.rate


@dataclass(frozen=True)
class Samples(Sequence[np.ndarray]):
    """The samples of recordings, each read when it is asked for, and not kept.

    Args:
        recordings: what is read.
        rate: of the samples, in Hz.
    """

    recordings: Recordings
    rate: int

    def __len__(self) -> int:
        """How many recordings."""
        return len(self.recordings)

    def __getitem__(self, row: Any) -> Any:
        """The samples of one."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self.recordings.samples(row, self.rate)


def recordings_of(
    data: Any, columns: Mapping[str, Any], origin: Source, *, rate: int | None = None
) -> tuple[Recordings, Any]:
    """Recordings in any form, and what kind of frame the user works with.

    Args:
        data: a table, the path of a folder or of a file, paths or arrays in a sequence, or a pair of an array and its
            rate.
        columns: of a table, by what they are for: `audio`, and `text` and `group` where these are wanted.
        origin: what it is called in messages.
        rate: of arrays, in Hz.

    Raises:
        DataError: it is something else, or there is none.
    """
    backend: Any = nw.Implementation.POLARS
    if data is None:
        raise DataError("there are no recordings: give a table, paths, or arrays")
    if isinstance(data, tuple) and len(data) == 2 and hasattr(data[0], "__array__") and np.ndim(data[1]) == 0:
        data, rate = [data[0]], data[1]
    if isinstance(data, str | Path):
        path = Path(data)
        found = _in_folder(path, wanted="text" in columns) if path.is_dir() else _in_files([path])
    elif isinstance(data, np.ndarray):
        found = _in_arrays([data], rate)
    elif isinstance(data, list | tuple):
        paths = all(isinstance(one, str | Path) for one in data)
        found = _in_files([Path(one) for one in data]) if paths else _in_arrays(data, rate)
    else:
        found, backend = _in_table(data, columns, origin, rate), backend_of(data)
    if not len(found):
        raise DataError(f"there are no recordings in {origin.name}: expected one at least")
    if found.texts is None and "text" in columns:
        raise DataError("there are no texts beside the recordings: give a table with both, or a folder with both")
    return found, backend


def _in_table(data: Any, columns: Mapping[str, Any], origin: Source, rate: int | None) -> Recordings:
    table = select(data, list(columns.values()), origin)
    audio, text, group = (None if (name := columns.get(role)) is None else table[name] for role in _ROLES)
    assert audio is not None
    if audio.dtype == pl.Null and len(audio):
        raise DataError(f"column {audio.name!r} in {origin.name} is empty: expected paths of recordings or arrays")
    clips = [_clip(value, audio.name, origin.row(row)) for row, value in enumerate(audio)]
    paths = bool(clips) and isinstance(clips[0], str)
    return Recordings(
        clips,
        rate,
        None if text is None else _texts(text, origin),
        None if group is None else [name or "" for name in group.cast(pl.String).to_list()],
        (lambda row: f" ({origin.row(row)})") if paths else (lambda row: f"the recording in {origin.row(row)}"),
    )


_ROLES = ("audio", "text", "group")


def _clip(value: Any, column: str, place: str) -> Clip:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, pl.Series):
        return value.to_numpy()
    if isinstance(value, np.ndarray | list):
        return np.asarray(value)
    what = "nothing" if value is None or value == "" else repr(value)
    raise DataError(f"column {column!r} holds {what} in {place}: expected the path of a recording, or an array")


def _texts(column: pl.Series, origin: Source) -> list[str]:
    if isinstance(column.dtype, pl.Categorical | pl.Enum) or column.dtype == pl.Null:
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        raise DataError(
            f"column {column.name!r} in {origin.name} is of type {column.dtype}: expected texts; name another column "
            "or convert it"
        )
    return [tidied(text or "") for text in column.to_list()]


def _in_folder(folder: Path, *, wanted: bool) -> Recordings:
    """The recordings of a folder in the order of their names, each with the text of the file beside it."""
    paths = sorted(path for path in folder.iterdir() if is_audio(path) and path.is_file())
    if not paths:
        raise DataError(f"there are no recordings in {folder}: expected files such as a.wav, and a.txt beside it")
    texts = [path.with_suffix(".txt") for path in paths]
    if not wanted:
        return _in_files(paths)
    for path, text in zip(paths, texts, strict=True):
        if not text.is_file():
            raise DataError(f"{path} has no text beside it: write what is said into {text.name}, or move it away")
    said = [tidied(read_text(text)) if text.read_bytes().strip() else "" for text in texts]
    return Recordings([str(path) for path in paths], None, said, None, _nowhere)


def _nowhere(row: int) -> str:
    """What named a path that no table did."""
    del row
    return ""


def _in_files(paths: Sequence[Path]) -> Recordings:
    return Recordings([str(path) for path in paths], None, None, None, _nowhere)


def _in_arrays(arrays: Sequence[Any], rate: int | None) -> Recordings:
    for place, array in enumerate(arrays):
        if not hasattr(array, "__array__"):
            raise DataError(
                f"recording {place} is {type(array).__name__}: expected all to be paths, or all to be arrays"
            )
    return Recordings([np.asarray(array) for array in arrays], rate, None, None, lambda row: f"recording {row}")

"""Recordings from files of their own kinds: `.ts`, the format of the UEA and UCR archives, and `.npz`."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from sluicegate.errors import DataError, MissingExtra

from .columns import Source
from .recordings import Recordings

RECORDING_FILES = (".ts", ".npz")


def read_recordings(path: str | Path, *, label: str | None = None, group: str | None = None) -> Recordings:
    """Read recordings from a `.ts` or `.npz` file.

    Args:
        path: a `.ts` file, read by sktime, which holds the classes too; or an `.npz` file with an array `X`, of
            `[recordings, time, channels]`, or of `[time, channels]` with the recordings one after the other and an
            array `lengths` beside it.
        label: in an `.npz` file, the array with a class for each recording.
        group: likewise, of groups.

    Raises:
        DataError: the file is missing or cannot be used as it is.
        MissingExtra: sktime is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not there or is not a file: give the path of recordings")
    if path.suffix.lower() == ".npz":
        return _read_npz(path, label, group)
    if group is not None:
        raise DataError(f"{path} has no groups, as .ts files have none: leave `groups` (`--group`) out")
    return _read_ts(path)


def _read_npz(path: Path, label: str | None, group: str | None) -> Recordings:
    arrays: dict[str, np.ndarray] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file)
            for name in ("X", "lengths", label, group):
                if name in names:
                    arrays[str(name)] = file[str(name)]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read as npz ({error}): save it again, with numbers and texts only"
        ) from error
    for name in ("X", label, group):
        if name is not None and name not in arrays:
            raise DataError(f"there is no array {name!r} in {path}: it holds {', '.join(names)}; name one of them")
    values = arrays["X"]
    if "lengths" not in arrays and values.ndim != 3:
        raise DataError(
            f"array 'X' in {path} is of shape {values.shape}: expected [recordings, time, channels], or [time, "
            "channels] with an array 'lengths' beside it"
        )
    parts = _cut(values, arrays["lengths"], path) if "lengths" in arrays else list(values)
    labels, groups = (None if name is None else arrays[name] for name in (label, group))
    found = Recordings.of_arrays(parts, labels=labels, groups=groups, source=Source(path.name))
    return found if found.labels is None else replace(found, labels=found.labels.rename(str(label)))


def _cut(values: np.ndarray, lengths: np.ndarray, path: Path) -> list[np.ndarray]:
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 0).any() or lengths.sum() != len(values):
        raise DataError(
            f"array 'lengths' in {path} does not fit 'X' of shape {values.shape}: expected whole numbers that sum to "
            f"{len(values):,}"
        )
    return np.split(values, np.cumsum(lengths)[:-1])


def _read_ts(path: Path) -> Recordings:
    try:
        from sktime.datasets import load_from_tsfile
    except ImportError as error:
        raise MissingExtra("sktime", "series", "a .ts file") from error
    try:
        table, classes = load_from_tsfile(str(path), return_y=True, return_data_type="nested_univ")
    except Exception as error:  # sktime raises many kinds, plain ones among them
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} cannot be read as .ts ({reason}): save it again as the UEA archive does") from error
    arrays = []
    for number, row in enumerate(table.itertuples(index=False)):
        lengths = {len(channel) for channel in row}
        if len(lengths) > 1:
            raise DataError(
                f"recording {number} in {path} has channels of {min(lengths)} to {max(lengths)} steps: expected as "
                "many in each; resample them"
            )
        arrays.append(np.stack([np.asarray(channel, dtype=np.float64) for channel in row], axis=1))
    return Recordings.of_arrays(
        arrays, labels=None if classes is None else np.asarray(classes), source=Source(path.name)
    )

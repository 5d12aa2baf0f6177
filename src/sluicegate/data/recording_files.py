"""Recordings from files of their own kinds: `.ts`, the format of the UEA and UCR archives, and `.npz`."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sluicegate.errors import ConfigError, DataError

from .columns import Source
from .recordings import Recordings
from .ts_files import read_ts

RECORDING_FILES = (".ts", ".npz")
ARRAYS = ("array", "lengths")
"""What names an array of an `.npz` file, in options and arguments."""


def read_recordings(
    path: str | Path,
    *,
    label: str | None = None,
    group: str | None = None,
    array: str | None = None,
    lengths: str | None = None,
) -> Recordings:
    """Read recordings from a `.ts` or `.npz` file.

    Args:
        path: a `.ts` file, which holds the classes too where they are known; or an `.npz` file with an array of
            `[recordings, time, channels]`, or of `[time, channels]` with the recordings one after the other and an
            array of their lengths beside it.
        label: in an `.npz` file, the array with a class for each recording.
        group: likewise, of groups.
        array: likewise, the array of the recordings themselves; None is `X`.
        lengths: likewise, of their lengths; None is `lengths`, where it is there.

    Raises:
        DataError: the file is missing or cannot be used as it is.
        ConfigError: an array is named of a file that has none.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not there or is not a file: give the path of recordings")
    if path.suffix.lower() == ".npz":
        return _read_npz(path, label, group, array or "X", lengths)
    require_no_arrays(path, {"array": array, "lengths": lengths})
    if group is not None:
        raise DataError(f"{path} has no groups, as .ts files have none: leave `groups` (`--group`) out")
    return read_ts(path)


def require_no_arrays(path: Path, arrays: Mapping[str, str | None]) -> None:
    """Refuse names of arrays for a file that holds none.

    Raises:
        ConfigError: there is such a name.
    """
    for option, name in arrays.items():
        if name is not None and path.suffix.lower() != ".npz":
            raise ConfigError(
                f"`{option}` (`--{option}`, ={name!r}) names an array of an .npz file, and {path.name} is none: leave "
                "it out"
            )


def _read_npz(path: Path, label: str | None, group: str | None, array: str, lengths: str | None) -> Recordings:
    asked = {"array": array, "lengths": lengths, "label": label, "group": group}
    arrays: dict[str, np.ndarray] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file)
            for option, name in asked.items():
                if name is not None and name not in names:
                    raise DataError(
                        f"there is no array {name!r} in {path}: it holds {', '.join(names)}; name one of them by "
                        f"`{option}` (`--{option}`)"
                    )
            if lengths is None and "lengths" in names and "lengths" not in asked.values():
                asked["lengths"] = "lengths"
            for option, name in asked.items():
                if name is not None:
                    arrays[option] = _plain(file, name, option, path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} cannot be read as npz ({error}): save it again, with numbers and texts only"
        ) from error
    values = arrays["array"]
    if "lengths" not in arrays and values.ndim != 3:
        raise DataError(
            f"array {array!r} in {path} is of shape {values.shape}: expected [recordings, time, channels], or [time, "
            "channels] with an array of `lengths` (`--lengths`) beside it; of recordings of a single channel and one "
            f"length save `{array}={array}[:, :, None]`"
        )
    parts = _cut(values, arrays["lengths"], asked, path) if "lengths" in arrays else list(values)
    source = Source(path.name)
    found = Recordings.of_arrays(parts, labels=arrays.get("label"), groups=arrays.get("group"), source=source)
    return found if found.labels is None else replace(found, labels=found.labels.rename(str(label)))


def _plain(file: Any, name: str, option: str, path: Path) -> np.ndarray:
    """An array, which must not be made of Python objects: these are programs that run when they are read."""
    try:
        found: np.ndarray = file[name]
        return found
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        # The text of None would be a class like any other.
        each = f'["" if v is None or v != v else str(v) for v in {name}]'
        remedy = f"save it as texts, blank where one is missing, such as `{name}=np.array({each})`"
        if option == "lengths":
            remedy = f"save it as whole numbers, such as `{name}=np.array({name}, dtype=int)`"
        elif option == "array":
            remedy = (
                "save recordings of several lengths one after the other, as "
                f"`{name}=np.concatenate({name}), lengths=[len(part) for part in {name}]`"
            )
        raise DataError(f"array {name!r} in {path} holds Python objects, which are not read: {remedy}") from error


def _cut(values: np.ndarray, lengths: np.ndarray, asked: Mapping[str, str | None], path: Path) -> list[np.ndarray]:
    """The recordings, which lie one after the other, or beside one another and padded."""
    whole = lengths.ndim == 1 and lengths.dtype.kind in "iu" and not (lengths < 0).any()
    if values.ndim == 3:
        if not whole or len(lengths) != len(values) or (lengths > values.shape[1]).any():
            raise DataError(
                f"array {asked['lengths']!r} in {path} does not fit {asked['array']!r} of shape {values.shape}: "
                f"expected {len(values):,} whole numbers of at most {values.shape[1]:,}"
            )
        return [part[:length] for part, length in zip(values, lengths.tolist(), strict=True)]
    if not whole or lengths.sum() != len(values):
        raise DataError(
            f"array {asked['lengths']!r} in {path} does not fit {asked['array']!r} of shape {values.shape}: expected "
            f"whole numbers that sum to {len(values):,}"
        )
    return np.split(values, np.cumsum(lengths)[:-1])

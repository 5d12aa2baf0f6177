"""Files and folders that are replaced whole or not at all, so that a crash leaves the old one or the new one.

The new one is written under a hidden name beside its place, brought to the disk, and swapped in by a rename.
For folders, Linux does that in one step. Elsewhere it takes two, the old one aside and the new one in: a
reader asks `standing` where the whole one is, and the next writer puts it back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sluicegate.errors import BundleError


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write one file whole or not at all.

    Args:
        path: the file to make or to replace; missing folders above it are made.
        content: all of it.

    Raises:
        BundleError: it cannot be written, and nothing is left behind; what was there is untouched, unless
            only the last step failed, in which the disk confirms the swap.
    """
    with written_aside(path) as new:
        _write_synced(new, content)


@contextmanager
def written_aside(path: str | Path) -> Iterator[Path]:
    """Give a hidden place to write one file to, which takes the file's place where the block ends well.

    Args:
        path: the file to make or to replace; missing folders above it are made.

    Raises:
        BundleError: it cannot be written, and nothing is left behind; what was there is untouched, unless
            only the last step failed, in which the disk confirms the swap.
    """
    place = real(path)
    with _explained(place), _folders_above(place):
        _clean(place)
        new = _hidden(place)
        try:
            yield new
            _sync(new)
            _copy_mode(place, new)
            new.replace(place)
            _sync_folder(place.parent)
        finally:
            new.unlink(missing_ok=True)


def replace_folder(path: str | Path, files: Mapping[str, bytes], check: Callable[[Path], None]) -> None:
    """Write a folder of files whole or not at all.

    Args:
        path: the folder to make or to replace; missing folders above it are made.
        files: what it shall hold, by name.
        check: raises if what stands in the place must not be replaced.

    Raises:
        BundleError: it cannot be written, and nothing is left behind; what was there is untouched, unless
            only the last step failed, in which the disk confirms the swap.
    """
    place = real(path)
    with _explained(place), _folders_above(place):
        _recover(place)
        check(place)
        _clean(place)
        new = _hidden(place)
        try:
            new.mkdir()
            for name, content in files.items():
                _write_synced(new / name, content)
            _copy_mode(place, new)
            _sync_folder(new)
            _swap_in(new, place, check)
        finally:
            shutil.rmtree(new, ignore_errors=True)  # unfinished, or by now the one that was replaced


def standing(place: Path) -> Path:
    """Return where the folder is now: in its place, or aside between a writer's two steps."""
    if place.exists():
        return place
    asides = [path for path, _ in _hidden_of(real(place)) if path.suffix == ".old"]
    return max(asides, key=identity, default=place)


def identity(path: Path) -> tuple[int, int]:
    """Tell one state of a folder from another: a new one has another number, a rename changes the time."""
    try:
        info = path.stat()
    except OSError:
        return (0, 0)
    return (info.st_ctime_ns, info.st_ino)


def real(path: str | Path) -> Path:
    """Follow links, so that what is replaced is what they lead to."""
    return Path(os.path.realpath(path))


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    """Turn what the operating system says into a sentence with a remedy."""
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
                remedy = "free some space, or choose another disk"
            case errno.EACCES | errno.EPERM | errno.EROFS:
                remedy = "choose a folder that you may write to"
            case _:
                remedy = "check the path, or choose another one"
        raise BundleError(f"cannot save to '{place}' ({error.strerror or error}): {remedy}") from error


@contextmanager
def _folders_above(place: Path) -> Iterator[None]:
    """Make the folders above, and take those away again if the saving fails."""
    missing = [folder for folder in place.parents if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another process was quicker
                folder.mkdir()
                made.append(folder)
            _sync_folder(folder.parent)
        yield
    except BaseException:
        with suppress(OSError):  # by now somebody else may have put something there
            for folder in reversed(made):
                folder.rmdir()
        raise


def _swap_in(new: Path, place: Path, check: Callable[[Path], None]) -> None:
    """Put `new` in its place; what was there ends under the name `new`, or is gone."""
    aside = new.with_suffix(".old")
    try:
        while not _moved(new, place):
            check(place)
            if _exchanged(new, place):
                break
            shutil.rmtree(aside, ignore_errors=True)
            with suppress(FileNotFoundError):  # another writer has just put it aside
                place.rename(aside)
    except BaseException:
        with suppress(OSError):  # nothing was put aside, or another writer filled the place
            aside.rename(place)
        raise
    try:
        _sync_folder(place.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _moved(new: Path, place: Path) -> bool:
    """Rename onto a place that is free or an empty folder, which POSIX lets a rename replace."""
    try:
        new.rename(place)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _exchanged(new: Path, place: Path) -> bool:
    """Let two folders change names in one step, where Linux, its C library and the file system can."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if library.renameat2(here, os.fsencode(new), here, os.fsencode(place), exchange) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.ENOENT):
        return False
    raise OSError(code, os.strerror(code), str(place))


def _recover(place: Path) -> None:
    """Put back the folder of a writer that died between its two steps."""
    if (aside := standing(place)) != place and not _alive(dict(_hidden_of(place))[aside]):
        aside.rename(place)


def _clean(place: Path) -> None:
    """Take away what killed writers left beside the place."""
    for path, pid in _hidden_of(place):
        if _alive(pid):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _hidden(place: Path) -> Path:
    """Name a folder or a file of this process beside the place."""
    return place.with_name(f"{_stem(place)}{os.getpid()}-{secrets.token_hex(4)}.new")


def _hidden_of(place: Path) -> list[tuple[Path, int]]:
    """List what processes of this machine, by their pids, have or left beside the place."""
    pattern = re.compile(re.escape(_stem(place)) + r"(\d+)-[0-9a-f]{8}\.(new|old)")
    with suppress(OSError):
        found = [(path, pattern.fullmatch(path.name)) for path in place.parent.iterdir()]
        return [(path, int(match[1])) for path, match in found if match]
    return []


def _stem(place: Path) -> str:
    # With the machine, since a shared disk shows the folders of others, whose pids mean nothing here.
    machine = re.sub(r"[^A-Za-z0-9]", "-", platform.node())[:32]
    return f".{place.name}.sluicegate-{machine}-"


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # there, os.kill ends the process that it is asked about
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _copy_mode(old: Path, new: Path) -> None:
    """Let the new one be as open or as private as the one that it replaces."""
    if old.exists():
        new.chmod(stat.S_IMODE(old.stat().st_mode))


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # a folder cannot be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

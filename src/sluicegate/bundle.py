"""The saved model: one folder, written whole or not at all, and verified before it is used.

    model/
    ├── config.json           schema version, task and settings; always there
    ├── weights.safetensors   the parameters
    ├── ...                   what the task needs beside them, and what people read: MODEL_CARD.md, report.html
    └── manifest.json         size and sha256 of every file above; made here

Nothing here can run code that a file brings: there is no pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeGuard

import numpy.typing as npt
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from sluicegate.atomic import identity, replace_folder, standing
from sluicegate.errors import BundleError, ConfigError

SCHEMA = 1
"""The version of the folder's form that this release writes, and the newest that it reads."""

CONFIG = "config.json"
MANIFEST = "manifest.json"

_FORMAT = "sluicegate"
_JSON_LIMIT = 64 * 2**20  # parsed, JSON takes many times its size in memory
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")  # never a separator, never hidden, never '..'
_SHA256 = re.compile(r"[0-9a-f]{64}")
_READ_ATTEMPTS = 20  # a reader is far quicker than a writer, which waits for the disk


@dataclass(frozen=True)
class Bundle:
    """A saved model in memory, every file checked against the manifest.

    Attributes:
        folder: where it was read from.
        files: the content of each file by its name, without the manifest.
    """

    folder: Path
    files: Mapping[str, bytes] = field(repr=False)

    def raw(self, name: str) -> bytes:
        """Return the bytes of one file.

        Raises:
            BundleError: the model has no such file.
        """
        if name not in self.files:
            raise _damaged(self.folder, name, f"is missing among {', '.join(sorted(self.files))}")
        return self.files[name]

    def text(self, name: str) -> str:
        """Return one file as text.

        Raises:
            BundleError: the model has no such file, or it is not UTF-8.
        """
        content = self.raw(name)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise _damaged(self.folder, name, f"is not UTF-8 text ({error})") from error

    def json(self, name: str) -> Any:
        """Return one JSON file, parsed.

        Raises:
            BundleError: the model has no such file, or it is not JSON.
        """
        return _parsed(self.folder, name, self.raw(name))

    def tensors(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of one safetensors file by their names.

        Raises:
            BundleError: the model has no such file, or it is not a safetensors file that NumPy can hold.
        """
        content = self.raw(name)
        try:
            return dict(safetensors.load(content))
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise _damaged(self.folder, name, f"is not a safetensors file ({error})") from error


def write(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Save a model: make the folder, or replace the model in it.

    Args:
        folder: a path that is free, an empty folder, or an older model, which is replaced.
        files: the content of each file by its name, among them `config.json` with `"schema": SCHEMA`.

    Raises:
        ConfigError: a name or `config.json` is not as it should be.
        BundleError: the folder holds anything that is not part of a saved model, or it cannot be written;
            nothing is lost then, and nothing is left behind.

    Example:
        >>> import json, tempfile
        >>> place = tempfile.TemporaryDirectory()
        >>> config = json.dumps({"schema": SCHEMA, "task": "forecast"}).encode()
        >>> write(f"{place.name}/model", {"config.json": config})
        >>> read(f"{place.name}/model").json("config.json")["task"]
        'forecast'
        >>> place.cleanup()
    """
    _check_content(files)
    entries = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} for name, content in files.items()
    }
    manifest = json.dumps({"format": _FORMAT, "schema": SCHEMA, "files": entries}, indent=1).encode()
    replace_folder(folder, {**files, MANIFEST: manifest}, _refuse_to_lose)


def require_replaceable(folder: str | Path) -> None:
    """Refuse what `write` would refuse to replace, so that it is known before an hour is spent on a model.

    Args:
        folder: a path that is free, an empty folder, or an older model.

    Raises:
        BundleError: it is something else.
    """
    _refuse_to_lose(standing(Path(folder)))


def read(folder: str | Path) -> Bundle:
    """Read a saved model, and verify every file against the manifest.

    Args:
        folder: where `write` put it; another process may be replacing it meanwhile.

    Raises:
        BundleError: the folder or a file is missing, cut short, altered, not a plain file within the folder,
            or written by a newer version; the message says which and why.
    """
    place = Path(folder)
    for _ in range(_READ_ATTEMPTS):
        found = standing(place)
        before = identity(found)
        try:
            return _read_once(found)
        except BundleError:
            if identity(standing(place)) == before:
                raise  # not replaced while it was read, so it is really damaged
    raise BundleError(f"the model '{place}' is rewritten all the time: stop its writer, then read it again")


def _read_once(place: Path) -> Bundle:
    if not place.is_dir():
        what = "is a file, not a folder" if place.exists() else "does not exist"
        raise BundleError(f"the model '{place}' {what}: give the folder that a model was saved to")
    files = {name: _verified(place, name, entry) for name, entry in _manifest(place).items()}
    _check_schema(place, CONFIG, _parsed(place, CONFIG, files[CONFIG]))
    return Bundle(place, MappingProxyType(files))


class _Entry(NamedTuple):
    sha256: str
    size: int


def _manifest(place: Path) -> dict[str, _Entry]:
    size = _size(place, MANIFEST)
    if size > _JSON_LIMIT:
        raise _damaged(place, MANIFEST, f"has {size} bytes, and no manifest is that long")
    manifest = _parsed(place, MANIFEST, _content(place, MANIFEST))
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise _damaged(place, MANIFEST, "is not the manifest of a Sluicegate model")
    _check_schema(place, MANIFEST, manifest)
    listed = manifest.get("files")
    if not isinstance(listed, dict) or CONFIG not in listed:
        raise _damaged(place, MANIFEST, f"lists no {CONFIG}")
    return {name: _entry(place, name, entry) for name, entry in listed.items()}


def _entry(place: Path, name: str, entry: object) -> _Entry:
    if not _NAME.fullmatch(name) or name == MANIFEST:
        raise _damaged(place, MANIFEST, f"lists {name!r}, which is not the name of a file in this folder")
    match entry:
        case {"sha256": str(sha256), "size": int(size)} if _SHA256.fullmatch(sha256) and _is_count(size):
            pass
        case _:
            raise _damaged(place, MANIFEST, f"has no proper sha256 and size for {name}")
    if name.endswith(".json") and size > _JSON_LIMIT:
        raise _damaged(place, name, f"has {size} bytes, and a JSON file may have {_JSON_LIMIT}")
    return _Entry(sha256, size)


def _verified(place: Path, name: str, entry: _Entry) -> bytes:
    size = _size(place, name)
    if size != entry.size:
        why = "was cut short" if size < entry.size else "was altered"
        raise _damaged(place, name, f"{why}, it has {size} bytes and should have {entry.size}")
    content = _content(place, name)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise _damaged(place, name, "was altered, its sha256 is not the one in the manifest")
    return content


def _check_schema(place: Path, name: str, content: object) -> None:
    schema = content.get("schema") if isinstance(content, dict) else None
    if not _is_count(schema) or schema == 0:
        raise _damaged(place, name, f"has schema {schema!r}, which should be a whole number from 1")
    if schema > SCHEMA:
        raise BundleError(
            f"{name} of the model '{place}' has schema {schema}, written by a newer version, and this one "
            f"reads up to {SCHEMA}: run `pip install --upgrade sluicegate`"
        )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _size(place: Path, name: str) -> int:
    with _readable(place, name):
        info = (place / name).lstat()
    if not stat.S_ISREG(info.st_mode):  # a link could lead out of the folder, a pipe would never end
        raise _damaged(place, name, "is a link or a special file where a plain file should be")
    return info.st_size


def _content(place: Path, name: str) -> bytes:
    with _readable(place, name):
        return (place / name).read_bytes()


@contextmanager
def _readable(place: Path, name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _damaged(place, name, "is missing") from error
    except OSError as error:
        raise BundleError(
            f"{name} of the model '{place}' cannot be read ({error.strerror}): check its rights and the disk"
        ) from error


def _parsed(place: Path, name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged(place, name, f"is not JSON ({error})") from error


def _damaged(place: Path, name: str, why: str) -> BundleError:
    # Nothing that has no manifest is replaced: it may be no model.
    where = " to a new or an empty folder" if name == MANIFEST else ""
    return BundleError(f"{name} of the model '{place}' {why}: save the model again{where}, or take another copy")


def _check_content(files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise ConfigError(
                f"`files` names {name!r}, which must be a file name of letters, digits, '.', '_' and '-', and "
                f"not {MANIFEST}: rename it"
            )
        if name.endswith(".json") and len(content) > _JSON_LIMIT:
            raise ConfigError(f"{name} has {len(content)} bytes, and JSON may have {_JSON_LIMIT}: split it")
    try:
        schema = json.loads(files[CONFIG])["schema"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f'`files` must hold {CONFIG}, a JSON object with "schema": {SCHEMA}: it failed with {error!r}'
        ) from error
    if not _is_count(schema) or schema != SCHEMA:
        raise ConfigError(f'{CONFIG} has "schema": {schema!r}, which must be {SCHEMA}: use `bundle.SCHEMA`')


def _refuse_to_lose(place: Path) -> None:
    """Raise unless `place` is free, an empty folder, or a saved model with nothing added."""
    if not os.path.lexists(place):
        return
    if not place.is_dir():
        raise BundleError(f"cannot save to '{place}', which is a file: choose another path, or move it away")
    names = {path.name for path in place.iterdir()}
    if not os.access(place, os.W_OK):
        raise BundleError(f"cannot save to '{place}', which is write-protected: choose another folder")
    if MANIFEST in names:
        try:
            names -= {MANIFEST, *_manifest(place)}
        except BundleError as error:
            why = str(error).rpartition(": ")[0]  # without its remedy, which is to save the model
            raise BundleError(
                f"will not replace a folder that may be no model, since {why}: choose a new or an empty folder, or "
                "move that away"
            ) from error
    if names:
        raise BundleError(
            f"will not replace '{place}', which holds {min(names)!r}, no part of a saved model: "
            "choose a new or an empty folder, or move that away"
        )

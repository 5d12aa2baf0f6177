"""All streams of a server in one checksummed file, from which the next start goes on."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sluicegate.atomic import write_atomic
from sluicegate.errors import ConfigError, SnapshotError
from sluicegate.streaming import snapshots

from .service import Service
from .sessions import Session
from .table import Resting
from .version import Version

KIND = "server"
_LOG = logging.getLogger("sluicegate.serve")
_ANY = "0" * 64  # it is of several models; each stream says of which


def save(service: Service, path: Path) -> int:
    """Write down every stream, whole or not at all.

    Returns:
        How many there are.

    Raises:
        BundleError: the file cannot be written; what was there is untouched.
    """
    parts: list[bytes] = []
    sessions = [_written(session, parts) for session in service.sessions.values()]
    index = json.dumps({"sessions": sessions}, allow_nan=False).encode()
    arrays = {"index": np.frombuffer(index, np.uint8), "bounds": np.cumsum([0, *map(len, parts)])}
    arrays["parts"] = np.frombuffer(b"".join(parts), np.uint8)
    if not path.exists():
        path.touch(mode=0o600)  # what was pushed is in it; the file that replaces it is as private
    write_atomic(path, snapshots.write(KIND, _ANY, {}, arrays))
    return sum(len(session["streams"]) for session in sessions)


def load(service: Service, path: Path) -> int:
    """Take in the streams of a file; each rests until its next row. Nothing happens where there is no file.

    Returns:
        How many there are.

    Raises:
        ConfigError: the path is that of a folder; or a stream is of a model that is not served.
        SnapshotError: it was cut short or altered, or is of a newer version.
    """
    if not path.exists():
        return 0
    if not path.is_file():
        raise ConfigError(f"`--state` (={path}) is no file: give the path of one, which need not be there yet")
    try:
        _, arrays = snapshots.read(path.read_bytes(), KIND, _ANY)
        found = list(_read(service, arrays))
    except SnapshotError as error:
        raise SnapshotError(f"'{path}' cannot be gone on from: {error}") from None
    for session, resting in found:
        service.take_in(session)
        session.left = time.monotonic()
        for number, one in resting.items():
            session.keep(number, one)
            session.version.streams += 1
    return sum(len(resting) for _, resting in found)


def require_writable(path: Path) -> None:
    """Refuse a path that no state could be written to, before there is one.

    Raises:
        ConfigError: its folder cannot be made or written to.
    """
    probe = path.with_name(f".{path.name}.probe")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(f"`--state` (={path}) cannot be written ({error.strerror}): choose another place") from error


def _written(session: Session, parts: list[bytes]) -> dict[str, Any]:
    version, streams = session.version, []
    for number in session.open_numbers():
        resting = session.resting_form(number)
        numeric = isinstance(resting.kept, bytes)
        kept = resting.kept if isinstance(resting.kept, bytes) else json.dumps(resting.kept, allow_nan=False).encode()
        parts += [resting.snapshot or b"", kept]
        streams.append([number, session.keys[number], resting.answered, numeric])
    return {
        "digest": session.digest,
        "model": version.name,
        "fingerprint": version.fingerprint,
        "current": version.current,
        "opened": len(session.keys),
        "streams": streams,
    }


def _read(service: Service, arrays: dict[str, Any]) -> Iterator[tuple[Session, dict[int, Resting]]]:
    """The sessions of a file, held to what they must be."""
    index = snapshots.require(arrays, "index", (None,), np.uint8)
    bounds = snapshots.require(arrays, "bounds", (None,), np.int64).tolist()
    content = snapshots.require(arrays, "parts", (None,), np.uint8).tobytes()
    if bounds[:1] != [0] or bounds[-1] != len(content) or bounds != sorted(bounds):
        raise snapshots.damaged("its parts do not lie one behind the other")
    parts = iter([content[begin:end] for begin, end in pairwise(bounds)])
    try:
        sessions = json.loads(index.tobytes())["sessions"]
        found = [_session(service, one, parts) for one in sessions]
    except ConfigError:
        raise
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise snapshots.damaged(f"its list of streams is none ({error!r})") from error
    yield from (one for one in found if one is not None)


def _session(
    service: Service, one: dict[str, Any], parts: Iterator[bytes]
) -> tuple[Session, dict[int, Resting]] | None:
    """A session; None of a version that was an older one already when the file was written, and is served no more."""
    version = _version(service, str(one["model"]), str(one["fingerprint"]), current=bool(one["current"]))
    resting: dict[int, Resting] = {}
    keys: dict[int, str] = {}
    for number, key, answered, numeric in one["streams"]:
        snapshot, kept = next(parts) or None, next(parts)
        keys[int(number)] = str(key)
        resting[int(number)] = Resting(snapshot, int(answered), kept if numeric else tuple(json.loads(kept)))
    if version is None:
        _LOG.warning("%d streams of an older version of %s are not gone on with", len(resting), one["model"])
        return None
    session = Session(version, None, str(one["digest"]))
    for number in range(int(one["opened"])):
        session.add(keys.get(number, ""))
    return session, resting


def _version(service: Service, name: str, fingerprint: str, *, current: bool) -> Version | None:
    served = service.models.get(name)
    if served is not None and served.current.fingerprint == fingerprint:
        return served.current
    if current or served is None:
        raise ConfigError(
            f"the state has streams of the model {name!r} with the fingerprint {fingerprint[:12]!r}, which is not "
            "served: serve that model too, or give another file as `--state`"
        )
    return None

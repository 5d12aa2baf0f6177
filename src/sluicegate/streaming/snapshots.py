"""The snapshot of a stream: its state in bytes, verified before it is used.

    0   8 bytes    what says that this is a snapshot
    8   uint32     the version of the form
    12  uint64     how many bytes there are in all
    20  32 bytes   sha256 of everything before and after it
    52  uint64     the length of the JSON that follows: kind, fingerprint of the model, settings
        JSON
        safetensors: the arrays, to the end

The first 52 bytes mean the same in every version, so that a snapshot of a newer one is known from a damaged one. All
numbers are little-endian. Nothing here can run code that a snapshot brings: there is no pickle.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from sluicegate.errors import SnapshotError

VERSION = 1
"""The version of the form that this release writes, and the newest that it reads."""

# As PNG has it: the first byte is no text, and the line's end shows what a transfer of texts has made of it.
_MAGIC = b"\x89SLUICE\n"
_HEAD = struct.Struct("<8sIQ32sQ")
_BEFORE_SUM, _AFTER_SUM = 20, 52
_JSON_LIMIT = 16 * 2**20  # parsed, JSON takes many times its size in memory


def fingerprint(settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Identify a model: another number in a weight or in the settings gives another fingerprint.

    Args:
        settings: What JSON can hold: kind, sizes, options.
        arrays: The weights by their names.

    Returns:
        64 hexadecimal digits, the same on every machine.

    Example:
        >>> fingerprint({"kind": "gru"}, {"w": np.zeros(2)}) == fingerprint({"kind": "gru"}, {"w": np.ones(2)})
        False
    """
    digest = hashlib.sha256(_json(settings))
    for name, array in sorted(arrays.items()):
        ordered = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        digest.update(_json([name, ordered.dtype.str, array.shape]))
        digest.update(ordered.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def write(kind: str, model: str, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Write a snapshot.

    Args:
        kind: Of the stream, such as `"layer"`.
        model: The fingerprint of its model.
        settings: What JSON can hold.
        arrays: By name, of any shape, of numbers or booleans.

    Returns:
        The snapshot. The same state gives the same bytes.

    Raises:
        ValueError: The settings hold what JSON does not have, such as NaN.

    Example:
        >>> snapshot = write("layer", "0" * 64, {"steps": 3}, {"h": np.ones(2)})
        >>> read(snapshot, "layer", "0" * 64)
        ({'steps': 3}, {'h': array([1., 1.])})
    """
    about = _json({"kind": kind, "model": model, "settings": settings})
    body = about + safetensors.save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    length = _HEAD.size + len(body)
    head = _HEAD.pack(_MAGIC, VERSION, length, bytes(32), len(about))
    digest = _checksum(head, body)
    return b"".join((head[:_BEFORE_SUM], digest, head[_AFTER_SUM:], body))


def read(snapshot: bytes, kind: str, model: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read a snapshot, and verify it.

    A right checksum says that nothing was damaged by chance; whoever alters a snapshot can make it anew. So what comes
    back has to be held to what it must be: an array by `require`, each of the settings by its schema.

    Args:
        snapshot: What `write` gave.
        kind: Of the stream that is to go on from it.
        model: The fingerprint of that stream's model.

    Returns:
        The settings and the arrays, each of its own memory.

    Raises:
        SnapshotError: It is none, was cut short or altered, is of a newer version, of another kind or of another
            model; the message says which.
    """
    about, arrays = _split(snapshot)
    try:
        found = json.loads(about)
    except (ValueError, RecursionError) as error:
        raise damaged(f"its settings are not JSON ({error})") from error
    match found:
        case {"kind": str(found_kind), "model": str(found_model), "settings": dict(settings)}:
            pass
        case _:
            raise damaged("it does not say of what kind of stream and of which model it is")
    if found_kind != kind:
        raise SnapshotError(
            f"the snapshot is of a stream of the kind {found_kind[:40]!r}, and this one is of the kind {kind!r}: "
            "restore it into a stream of its own kind"
        )
    if found_model != model:
        raise SnapshotError(
            f"the snapshot is of another model, with the fingerprint {found_model[:12]!r}, and this stream's has "
            f"{model[:12]!r}: open the stream from the model of the snapshot, with the very same weights"
        )
    try:
        return settings, {name: array.copy() for name, array in safetensors.load(arrays).items()}
    except (SafetensorError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise damaged(f"its arrays are not safetensors ({error})") from error


def require(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, shape: tuple[int | None, ...], dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """Take an array out of a snapshot, held to its shape, where None stands for any size, and to its type.

    Args:
        arrays: What `read` gave.
        name: Of the array.
        shape: What it must have.
        dtype: Of what type its numbers must be. Which numbers they are is for the caller to say.

    Raises:
        SnapshotError: It is missing or something else.
    """
    if name not in arrays:
        raise damaged(f"the array {name!r} is missing")
    found = arrays[name]
    if len(found.shape) != len(shape) or any(b not in (None, a) for a, b in zip(found.shape, shape, strict=True)):
        sizes = " by ".join("any" if size is None else str(size) for size in shape) or "a single number"
        raise damaged(f"the array {name!r} is of shape {found.shape}, and should be {sizes}")
    if found.dtype != np.dtype(dtype):
        raise damaged(f"the array {name!r} is of type {found.dtype}, and should be {np.dtype(dtype)}")
    return found


def damaged(why: str) -> SnapshotError:
    """What to raise where a snapshot does not hold what it must."""
    return SnapshotError(f"the snapshot is damaged, {why}: take another one, or begin anew with `reset()`")


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Verify the head and the checksum; the JSON, and the bytes of the arrays."""
    if content[: len(_MAGIC)] != _MAGIC:
        raise damaged("it does not begin as one of Sluicegate's does" if content else "it has no bytes at all")
    if len(content) < _HEAD.size:
        raise damaged(f"it was cut short, it has {len(content)} bytes")
    _, version, length, digest, about = _HEAD.unpack_from(content)
    if length != len(content):
        why = "was cut short" if len(content) < length else "was altered"
        raise damaged(f"it {why}, it has {len(content)} bytes and should have {length}")
    head, body = content[: _HEAD.size], content[_HEAD.size :]
    if _checksum(head, body) != digest:
        raise damaged("it was altered, its sha256 is not the one that it was written with")
    if version > VERSION:
        raise SnapshotError(
            f"the snapshot has version {version}, written by a newer release, and this one reads up to {VERSION}: "
            "run `pip install --upgrade sluicegate`"
        )
    if version == 0:
        raise damaged("it has version 0, and they are counted from 1")
    if about > min(len(body), _JSON_LIMIT):
        raise damaged(f"its settings would have {about} bytes")
    return body[:about], body[about:]


def _checksum(head: bytes, body: bytes) -> bytes:
    digest = hashlib.sha256(head[:_BEFORE_SUM])
    digest.update(head[_AFTER_SUM:])
    digest.update(body)
    return digest.digest()


def _json(content: Any) -> bytes:
    return json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()

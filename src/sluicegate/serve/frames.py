"""Rows and answers in binary frames, which NumPy reads where they lie.

All numbers are little-endian. A frame holds `count` rows, each of one stream, with `columns` numbers:

    0    uint8      1 for rows, which clients send; 2 for answers, which the server sends
    1    uint8      the version of this form, 1
    2    uint8      bytes of a number: 4 or 8, floats
    3    uint8      0
    4    uint32     count
    8    uint32     columns
    12   uint32     0
    16   int64      the sequence number of each row
         uint32     the stream of each row
         float32 or float64, row by row; behind an odd count, four zero bytes come first if the numbers have 8

Every part lies at a multiple of its numbers' size.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from sluicegate.errors import DataError

ROWS, ANSWERS = 1, 2
VERSION = 1
_HEAD = struct.Struct("<BBBBIII")
_SEQUENCE, _STREAM = np.dtype("<i8"), np.dtype("<u4")
_FLOATS: dict[int, np.dtype[Any]] = {4: np.dtype("<f4"), 8: np.dtype("<f8")}


class Rows(NamedTuple):
    """Rows, or answers, as a frame holds them."""

    streams: ndarray
    """The stream of each, `[rows]`, uint32."""
    sequence: ndarray
    """The number of each in its stream, `[rows]`, int64."""
    values: ndarray
    """`[rows columns]`, floats."""


def read(frame: bytes, kind: int = ROWS) -> Rows:
    """Read a frame, without copying it.

    Args:
        frame: a message.
        kind: what it must hold.

    Returns:
        Arrays in the memory of the frame.

    Raises:
        DataError: it is no such frame.

    Example:
        >>> rows = Rows(np.array([3, 0]), np.array([7, 7]), np.array([[0.5], [1.5]]))
        >>> read(write(rows)).values.tolist()
        [[0.5], [1.5]]
    """
    if len(frame) < _HEAD.size:
        raise DataError(
            f"the binary frame has {len(frame)} bytes, and its head alone has {_HEAD.size}: send a whole one"
        )
    found, version, width, zero, count, columns, rest = _HEAD.unpack_from(frame)
    if found != kind or version != VERSION or zero or rest or width not in _FLOATS:
        raise DataError(
            f"the binary frame begins with {frame[:4].hex(' ')!r}, and must with '{kind:02x} 01 04 00' or "
            f"'{kind:02x} 01 08 00': send rows in version {VERSION} of the form"
        )
    begin, size = _begin(count, width), count * columns * width
    if len(frame) != begin + size:
        raise DataError(
            f"the binary frame has {len(frame)} bytes, and {count} rows of {columns} numbers take {begin + size}: "
            "send the count that it has"
        )
    sequence = np.frombuffer(frame, _SEQUENCE, count, _HEAD.size)
    streams = np.frombuffer(frame, _STREAM, count, _HEAD.size + 8 * count)
    values = np.frombuffer(frame, _FLOATS[width], count * columns, begin).reshape(count, columns)
    return Rows(streams, sequence, values)


def write(rows: Rows, kind: int = ROWS) -> bytes:
    """Write a frame.

    Args:
        rows: numbers of 32 bits are sent as such, all others as 64.
        kind: what it holds.
    """
    width = 4 if rows.values.dtype == np.float32 else 8
    count, columns = rows.values.shape
    gap = bytes(_begin(count, width) - _HEAD.size - 12 * count)
    return b"".join(
        (
            _HEAD.pack(kind, VERSION, width, 0, count, columns, 0),
            rows.sequence.astype(_SEQUENCE, copy=False).tobytes(),
            rows.streams.astype(_STREAM, copy=False).tobytes(),
            gap,
            rows.values.astype(_FLOATS[width], copy=False).tobytes(),
        )
    )


def _begin(count: int, width: int) -> int:
    """Where the numbers begin."""
    return -(-(_HEAD.size + 12 * count) // width) * width

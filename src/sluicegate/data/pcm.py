"""Audio that comes as bytes, from a pipe or a device: 16-bit samples, raw or behind the header of a WAV file."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Int16

from sluicegate.errors import ConfigError, DataError

from .audio import MOST_CHANNELS, require_rate
from .audio_endings import UNKNOWN

Read: TypeAlias = Callable[[int], bytes]
"""Gives so many bytes, fewer only at the end."""

PIECE = 0.06
"""Seconds of the pieces that audio comes in."""

_logger = logging.getLogger("sluicegate")

_WIDTH = 2  # bytes of a sample
_PLAIN, _EXTENSIBLE = 1, 0xFFFE  # the kinds of WAV whose samples are whole numbers; of the second an inner kind tells
_LONGEST_HEADER = 2**20  # bytes before the samples
_OTHERS = {b"fLaC": "FLAC", b"OggS": "OGG", b"ID3": "MP3", b"FORM": "AIFF", b"\x1aE\xdf\xa3": "WebM"}


class Pcm(NamedTuple):
    """Audio that comes."""

    rate: int
    """In Hz."""
    pieces: Iterator[Int16[np.ndarray, "samples channels"]]


def read_pcm(read: Read, rate: int | None, usual: int) -> Pcm:
    """Read little-endian 16-bit samples: of one channel, or of as many as the header of a WAV file says.

    Args:
        read: gives the bytes.
        rate: of the samples, in Hz; None is what a header says, and without one the usual rate.
        usual: the rate of samples that nothing is said of.

    Returns:
        The rate, and the samples in pieces, each of which is read when it is asked for.

    Raises:
        DataError: it is a file of another kind, or its header cannot be read.
        ConfigError: the header tells another rate than the one that is given.
    """
    head = read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        own, channels, size = _header(read)
        if rate not in (None, own):
            raise ConfigError(
                f"`rate` (`--rate`, ={rate}) is not that of the header, which says {own}: leave it out, the header is "
                "believed"
            )
        return Pcm(own, _pieces(read, b"", own, channels, size))
    for begin, kind in _OTHERS.items():
        if head.startswith(begin):
            raise DataError(
                f"standard input holds {kind}: expected raw little-endian 16-bit samples or WAV; give the file to "
                "`predict`, or convert it before"
            )
    rate = usual if rate is None else rate
    require_rate(rate, "standard input")
    return Pcm(rate, _pieces(read, head, rate, 1, None))


def _pieces(
    read: Read, head: bytes, rate: int, channels: int, left: int | None
) -> Iterator[Int16[np.ndarray, "samples channels"]]:
    """The samples behind those bytes that were read already; `left` bytes of them, or all that come."""
    frame = _WIDTH * channels
    size = round(PIECE * rate) * frame
    while True:
        wanted = size if left is None else min(size, left)
        piece = head + read(wanted - len(head))
        head, left = b"", None if left is None else left - len(piece)
        whole = len(piece) // frame * frame
        if whole:
            yield np.frombuffer(piece[:whole], "<i2").astype(np.int16).reshape(-1, channels)
        if whole < len(piece):
            _logger.warning("standard input ends within a sample, which was left out: are its samples of 16 bits?")
        if len(piece) < size:
            return


def _header(read: Read) -> tuple[int, int, int | None]:
    """The rate, the channels and the bytes of the samples that a WAV header tells, behind which they begin."""
    form, seen = None, 0
    while len(head := read(8)) == 8:
        name, size = head[:4], int(struct.unpack("<I", head[4:])[0])
        if name == b"data":
            if form is None:
                break
            return (*form, None if size in UNKNOWN else size)
        seen += size + size % 2
        if seen > _LONGEST_HEADER:
            break
        content = read(size + size % 2)
        if name == b"fmt ":
            form = _format(content)
    raise DataError("the WAV header in standard input ends before any samples: record it again, or send raw samples")


def _format(content: bytes) -> tuple[int, int]:
    """The rate and the channels that a WAV header tells, of samples of 16 bits."""
    if len(content) < 16:
        raise DataError("the WAV header in standard input is damaged: record it again, or send raw samples")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", content[:16])
    if kind == _EXTENSIBLE and len(content) >= 26:
        kind = struct.unpack("<H", content[24:26])[0]
    if kind != _PLAIN or bits != 8 * _WIDTH:
        raise DataError(
            f"the WAV header in standard input tells samples of {bits} bits and of kind {kind}: expected whole numbers "
            "of 16 bits, kind 1; convert it before"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise DataError(f"standard input has {channels:,} channels: expected from 1 to {MOST_CHANNELS}")
    require_rate(rate, "standard input")
    return rate, channels

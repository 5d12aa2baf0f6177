"""The microphone of this machine, read like a file of 16-bit samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sluicegate.errors import DataError, MissingExtra

from .audio import require_rate
from .pcm import Read


@contextmanager
def open_microphone(rate: int) -> Iterator[Read]:
    """Listen to the microphone that the system takes for the usual one, on one channel.

    Args:
        rate: of the samples, in Hz.

    Returns:
        What reads so many bytes of little-endian 16-bit samples, and waits for them.

    Raises:
        DataError: there is no microphone, or none of this rate, or it went away, or PortAudio is not installed.
        MissingExtra: sounddevice is not installed.
    """
    require_rate(rate, "the microphone")
    devices = _sounddevice()
    try:
        with devices.RawInputStream(samplerate=rate, channels=1, dtype="int16") as stream:
            # It returns as many as are asked for, even where some before them were lost.
            yield lambda count: bytes(stream.read(-(-count // 2))[0])
    except devices.PortAudioError as error:
        raise DataError(
            f"the microphone cannot be heard at {rate:,} Hz ({_reason(error)}): plug one in, give another rate "
            "(`--rate`), or send samples to standard input"
        ) from error


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtra("sounddevice", "speech", "hearing the microphone") from error
    except OSError as error:  # which it raises where the library is not there
        raise DataError(
            "hearing the microphone needs PortAudio, which is not installed: install it, such as by `apt install "
            "libportaudio2`, or send samples to standard input"
        ) from error
    return sounddevice


def _reason(error: Exception) -> str:
    return " ".join(str(error.args[0] if error.args else error).split()).removesuffix(".")

"""Audio from files and arrays, of any rate and number of channels, as one channel at the rate that is wanted.

WAV, FLAC, OGG (Vorbis and Opus) and MP3 are read by soundfile, all else by PyAV, block by block: of an hour nothing is
in memory at the file's own rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import DataError, MissingExtra

from .audio_endings import require_whole
from .resampling import Resampler

AUDIO_FILES = (".wav", ".flac", ".ogg", ".opus", ".oga", ".mp3", ".aiff", ".aif", ".au", ".w64", ".caf")
"""The endings that soundfile reads."""

OTHER_FILES = (".m4a", ".mp4", ".aac", ".webm", ".mka", ".mkv", ".wma", ".amr", ".3gp", ".mov")
"""Some of those that PyAV reads."""

LEAST_RATE, MOST_RATE, MOST_CHANNELS = 1000, 1_000_000, 64
_BLOCK = 2**16  # samples of a channel
_SCALES = {"int16": 2.0**15, "int32": 2.0**31}


def is_audio(path: Path) -> bool:
    """Tell by a file's ending whether it holds audio."""
    return path.suffix.lower() in (*AUDIO_FILES, *OTHER_FILES)


def read_audio(path: str | Path, rate: int, *, where: str = "") -> Float32[np.ndarray, " samples"]:
    """Read a whole file.

    Args:
        path: of the file.
        rate: in Hz, of what is given.
        where: what named the file, such as ` in line 3 of calls.csv`, for messages.

    Returns:
        The mean of its channels, in [-1, 1] but where it was resampled beyond.

    Raises:
        DataError: it is missing, no audio, cut short, without a sample, or holds what is no number.
        MissingExtra: soundfile, soxr or PyAV is not installed.
    """
    return np.concatenate([*audio_blocks(path, rate, where=where)])


def audio_blocks(path: str | Path, rate: int, *, where: str = "") -> Iterator[Float32[np.ndarray, " samples"]]:
    """Read a file block by block, as `read_audio` says; one that cannot be read whole is refused where that shows."""
    path = Path(path)
    named = f"{path}{where}"
    _require_file(path, named)
    resampler, count = None, 0
    for own, block in _by_soundfile(path, named) if path.suffix.lower() in AUDIO_FILES else _by_av(path, named):
        resampler = resampler or Resampler(own, rate)
        count += len(block)
        yield resampler.push(_finite(block, named, count - len(block)))
    if resampler is None or not count:
        raise DataError(f"{named} has no samples: expected a recording, leave it out")
    yield resampler.finish()


def audio_rate(path: str | Path, *, where: str = "") -> int:
    """The rate of a file in Hz.

    Raises:
        DataError: it is missing or no audio.
        MissingExtra: soundfile or PyAV is not installed.
    """
    path = Path(path)
    named = f"{path}{where}"
    _require_file(path, named)
    if path.suffix.lower() in AUDIO_FILES:
        with _opened(path, named) as file:
            return int(file.samplerate)
    return next(_by_av(path, named))[0]


def from_array(samples: Any, rate: Any, wanted: int, *, named: str) -> Float32[np.ndarray, " samples"]:
    """Audio in an array, as one channel at another rate.

    Args:
        samples: `[samples]` or `[samples channels]`: floats in [-1, 1], or whole numbers of 16 or 32 bits.
        rate: of the array, in Hz.
        wanted: of what is given, in Hz.
        named: what the array is called in messages.

    Raises:
        DataError: it is something else, or holds what is no number.
        MissingExtra: soxr is not installed.
    """
    return np.concatenate([*array_blocks(samples, rate, wanted, named=named)])


def array_blocks(samples: Any, rate: Any, wanted: int, *, named: str) -> Iterator[Float32[np.ndarray, " samples"]]:
    """The same block by block: of an hour nothing is copied as a whole."""
    array, scale = _samples(samples, named)
    if not len(array):
        raise DataError(f"{named} has no samples: expected a recording, leave it out")
    require_rate(rate, named)
    resampler = Resampler(rate, wanted)
    for begin in range(0, len(array), _BLOCK):
        yield resampler.push(_mixed(array[begin : begin + _BLOCK], scale, named, begin))
    yield resampler.finish()


def one_channel(samples: Any, named: str) -> Float32[np.ndarray, " samples"]:
    """An array as the mean of its channels, as `from_array` takes it; it may be empty.

    Raises:
        DataError: it is something else, or holds what is no number.
    """
    return _mixed(*_samples(samples, named), named, 0)


def _samples(samples: Any, named: str) -> tuple[np.ndarray, float]:
    """An array of samples, and what they are divided by."""
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise DataError(f"{named} is no array of samples ({error}): expected [samples] or [samples channels]") from None
    scale = 1.0 if array.dtype.kind == "f" or not array.size else _SCALES.get(array.dtype.name, 0.0)
    if array.ndim not in (1, 2) or not scale:
        raise DataError(
            f"{named} is an array of shape {array.shape} and type {array.dtype}: expected [samples] or [samples "
            "channels], of floats in [-1, 1] or whole numbers of 16 or 32 bits"
        )
    if array.ndim == 2 and not 1 <= array.shape[1] <= MOST_CHANNELS:
        raise DataError(
            f"{named} is of shape {array.shape}: expected [samples channels], of {MOST_CHANNELS} channels at most; "
            "is it the other way round, give `samples.T`"
        )
    return array, scale


def _mixed(array: np.ndarray, scale: float, named: str, before: int) -> Float32[np.ndarray, " samples"]:
    """The mean of the channels of samples, of which so many come before."""
    found = array.astype(np.float32) if scale == 1.0 else (array / np.float64(scale)).astype(np.float32)
    return _finite(found.mean(1, dtype=np.float32) if found.ndim == 2 else found, named, before)


def require_rate(rate: Any, named: str) -> None:
    """Refuse what is no rate of audio.

    Raises:
        DataError: it is none.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer) or not LEAST_RATE <= rate <= MOST_RATE:
        raise DataError(
            f"{named} has the rate {rate!r}: expected whole Hz from {LEAST_RATE:,} to {MOST_RATE:,}, such as 16000"
        )


def _require_file(path: Path, named: str) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise DataError(f"{named} {what}: give the path of a recording")
    if path.stat().st_size == 0:
        raise DataError(f"{named} is empty, it has no bytes: expected a recording")


def _finite(block: np.ndarray, named: str, before: int) -> Float32[np.ndarray, " samples"]:
    bad = ~np.isfinite(block)
    if bad.any():
        raise DataError(
            f"{named} holds {block[bad][0]} as its sample {before + int(bad.argmax()):,}: expected finite numbers; "
            "save the recording again"
        )
    return block


def _opened(path: Path, named: str) -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtra("soundfile", "speech", "reading audio") from error
    try:
        file = soundfile.SoundFile(path)
    except PermissionError as error:
        raise DataError(f"{named} cannot be read: permission denied; ask for the right to read it") from error
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise DataError(f"{named} cannot be read as audio ({_reason(error)}): save it as WAV, FLAC or OGG") from error
    if not 1 <= file.channels <= MOST_CHANNELS:
        file.close()
        raise DataError(f"{named} has {file.channels:,} channels: expected {MOST_CHANNELS} at most; mix them before")
    require_rate(file.samplerate, named)
    return file


def _by_soundfile(path: Path, named: str) -> Iterator[tuple[int, np.ndarray]]:
    require_whole(path, named)
    with _opened(path, named) as file:
        import soundfile

        promised, count = int(file.frames), 0
        while True:
            try:
                block = file.read(_BLOCK, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                raise DataError(f"{named} is damaged ({_reason(error)}): fetch it again") from error
            if not len(block):
                break
            count += len(block)
            yield int(file.samplerate), block.mean(1, dtype=np.float32)
    if count < promised < 2**62 and path.suffix.lower() != ".mp3":  # of MP3 the number is an estimate
        raise DataError(
            f"{named} was cut short, {count:,} of its {promised:,} samples are there: fetch it again, or save what "
            "there is as a file of its own"
        )


def _by_av(path: Path, named: str) -> Iterator[tuple[int, np.ndarray]]:
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "speech", f"reading {path.suffix} files") from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise DataError(f"{named} has no sound in it: expected a recording")
            stream = container.streams.audio[0]
            require_rate(stream.rate, named)
            mixed = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
            for frame in container.decode(stream):
                for part in mixed.resample(frame):
                    yield stream.rate, part.to_ndarray()[0].astype(np.float32)
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"{named} cannot be read as audio ({_reason(error)}): save it as WAV, FLAC or OGG") from error


def _reason(error: BaseException) -> str:
    """What a library says, in one line and without the path, which the message has."""
    text = str(getattr(error, "error_string", None) or getattr(error, "strerror", None) or error)
    return " ".join(text.split()).removesuffix(".")

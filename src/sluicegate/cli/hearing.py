"""Audio into a stream, and a line of JSON for what changes, flushed at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.atomic import write_atomic
from sluicegate.data.pcm import Read, read_pcm

from .output import json_line
from .signals import Signals, Stopped

if TYPE_CHECKING:
    from sluicegate.tasks.transcribe.stream import SpeechStream


def answer_audio(
    stream: SpeechStream, read: Read, say: Callable[[str], None], state: Path | None, rate: int | None = None
) -> None:
    """Hear audio until it ends or a signal comes, and tell words, other partial texts, and where utterances end.

    With a state the audio may go on at the next start, and the last utterance with it: words that are not sure yet are
    told then. Without one they are told at the end.

    Args:
        stream: it is pushed the samples.
        read: gives so many bytes of little-endian 16-bit samples, or of a WAV file; fewer at the end.
        say: is given each line of JSON, and does not keep it back.
        state: the file for the state at the end; None keeps none.
        rate: of the samples, in Hz; None is what a WAV header says, and without one the model's.

    Raises:
        DataError: it is no such audio, or of another rate than before.
        ConfigError: a WAV header tells another rate than `rate`.
        Stopped: a signal came.
    """
    told, stopped = "", None
    try:
        with Signals() as signals:
            audio = read_pcm(lambda count: _awaited(signals, read, count), rate, stream.rate)
            for piece in audio.pieces:
                answer: dict[str, Any] = stream.push(piece, audio.rate)
                if answer["words"] or answer["endpoint"] or answer["partial"] != told:
                    told = answer["partial"]
                    say(json_line(answer))
    except Stopped as signal:
        stopped = signal
    finally:
        # Before `finish`: the next start goes on.
        if state is not None:
            write_atomic(state, stream.snapshot())
    last = stream.finish()
    if state is None and (last["words"] or told):
        say(json_line(last))
    if stopped is not None:
        raise stopped


def _awaited(signals: Signals, read: Read, count: int) -> bytes:
    """Bytes, of which the first may be long in coming: a signal ends that."""
    with signals.ending():
        return read(count)

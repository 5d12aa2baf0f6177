"""`sluicegate stream`: rows or audio in as they come, answers out at once."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..failures import failing_plainly
from ..options import Debug, Model, PoseModel, Precision, Threads, given_only, refuse_options, require_options


def stream(
    model: Model,
    source: Annotated[
        str | None,
        typer.Argument(help="A video, a camera such as camera:0, or an address (action recognizers)."),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="A file for the state: gone on from if it is there, written at the end.")
    ] = None,
    warm: Annotated[bool, typer.Option("--warm", help="Begin with the last rows of training (forecasters).")] = False,
    rate: Annotated[
        int | None, typer.Option(help="Of audio, in Hz; by default what a WAV header says, or the model's.")
    ] = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Hear the microphone, not standard input (transcribers).")
    ] = False,
    endpoint: Annotated[
        float | None, typer.Option(help="Seconds of silence that end an utterance (transcribers); 0.5 unless given.")
    ] = None,
    pose_model: PoseModel = None,
    precision: Precision = None,
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """Answer rows as they come: JSON Lines from standard input, a line out for each line in.

    A transcriber hears raw little-endian 16-bit samples of one channel, or WAV, and answers with a line of JSON when
    there are words, other words than before may follow, or an utterance ends. An action recognizer watches SOURCE, and
    answers each frame with what is done, its probability, and since when.
    """
    with failing_plainly(debug):
        from ..starting import load_task

        task = load_task(model, threads, precision)
        options = given_only(warm=warm or None, endpoint=endpoint, pose_model=pose_model)
        require_options(task, "open_stream", options)
        from ..signals import Stopped
        from ..streaming import answer_lines, resume

        opened = task.open_stream(**options)
        hears = "rate" in inspect.signature(opened.push).parameters
        if not hears:
            refuse_options(task, given_only(rate=rate, microphone=microphone or None))
        resume(opened, state)
        try:
            if source is not None:
                _watch(task, opened, source, state)
            elif hears:
                _hear(opened, state, rate, microphone=microphone)
            else:
                answer_lines(opened, sys.stdin.buffer.readline, _say, state)
        except Stopped as stopped:
            if stopped.by == stopped.by.SIGINT:
                raise KeyboardInterrupt from None


def _watch(task: Any, stream: Any, source: str, state: Path | None) -> None:
    from ..watching import answer_frames

    answer_frames(task, stream, source, _say, state)


def _hear(stream: Any, state: Path | None, rate: int | None, *, microphone: bool) -> None:
    from sluicegate.data.microphone import open_microphone

    from ..hearing import answer_audio

    if not microphone:
        answer_audio(stream, sys.stdin.buffer.read, _say, state, rate)
        return
    rate = stream.rate if rate is None else rate
    with open_microphone(rate) as read:
        answer_audio(stream, read, _say, state, rate)


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()

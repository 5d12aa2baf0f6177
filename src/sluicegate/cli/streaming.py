"""Lines of JSON into a stream, and an answer to each, flushed at once.

A signal ends the stream between two lines, never within one: what was answered is in the state, and nothing else is.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw

from sluicegate.atomic import write_atomic
from sluicegate.data.as_json import as_rows
from sluicegate.errors import ConfigError, DataError, SluicegateError, SnapshotError

from .output import json_line
from .signals import Signals

if TYPE_CHECKING:
    from sluicegate.streaming import Stream

ReadLine: TypeAlias = Callable[[int], bytes]

_LONGEST = 16 * 2**20  # bytes of a line
_MOST = 2**31  # bytes of a state


def resume(stream: Stream, state: Path | None) -> None:
    """Go on from the state in a file, where it is there.

    Raises:
        ConfigError: the path is that of a folder.
        SnapshotError: the file holds no state of such a stream.
    """
    if state is None or not state.exists():
        return
    if not state.is_file():
        raise ConfigError(f"`--state` (={state}) is no file: give the path of one, which need not be there yet")
    if state.stat().st_size > _MOST:
        raise SnapshotError(f"'{state}' has {state.stat().st_size:,} bytes, which no state has: give another file")
    try:
        stream.restore(state.read_bytes())
    except SnapshotError as error:
        raise SnapshotError(f"'{state}' cannot be gone on from: {error}") from None


def answer_lines(stream: Stream, readline: ReadLine, say: Callable[[str], None], state: Path | None) -> None:
    """Answer each line, until there are no more or a signal comes; the state is written at the end.

    Args:
        stream: it is pushed each line's row.
        readline: gives the next line of JSON, an object each, of so many bytes at most; none at the end.
        say: is given an answer to each, a line of JSON, and does not keep it back.
        state: the file for the state at the end; None keeps none.

    Raises:
        Stopped: a signal came.
    """
    takes_future = "future" in inspect.signature(stream.push).parameters
    try:
        with Signals() as signals:
            for number, line in enumerate(_read(readline, signals), 1):
                try:
                    answer = _answer(stream, line, takes_future=takes_future)
                except SluicegateError as error:
                    answer = {"error": " ".join(str(error).split()), "line": number}
                say(json_line(answer))
    finally:
        # Before `finish`: the next start goes on.
        if state is not None:
            write_atomic(state, stream.snapshot())
    stream.finish()


def _answer(stream: Stream, line: bytes, *, takes_future: bool) -> Any:
    """What there is to say of a line."""
    if len(line) > _LONGEST:
        raise DataError(f"the line is longer than {_LONGEST:,} bytes: write a row in each line")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the line is not JSON ({error}): write an object, with a value for each column") from None
    if not isinstance(row, dict):
        raise DataError(f"the line holds a {type(row).__name__}: write an object, with a value for each column")
    future = {"future": row.pop("future")} if takes_future and isinstance(row.get("future"), list) else {}
    answer = stream.push(row, **future)
    if isinstance(answer, dict):
        return answer
    return {"forecast": as_rows(nw.from_native(answer, eager_only=True).to_polars())}


def _read(readline: ReadLine, signals: Signals) -> Iterator[bytes]:
    """The lines; of one that is too long only the beginning, which is more than a line may have."""
    while True:
        with signals.ending():
            line = readline(_LONGEST + 1)
            rest = line
            while len(rest) > _LONGEST and not rest.endswith(b"\n"):
                rest = readline(_LONGEST + 1)
        if not line:
            return
        yield line

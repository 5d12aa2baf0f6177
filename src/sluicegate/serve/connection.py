"""One WebSocket: what a client says, as JSON or binary frames, and what it is told.

A client says one of these:

    {"open": ["pump 3", ...]}                        open streams by keys of its own
    {"resume": token, "received": {"0": 17, ...}}    go on with those of a connection that broke; so many answers came
    {"rows": [[stream, number, row], ...]}           rows, each with its number in its stream, from 0
    {"close": [stream, ...]}                         end streams, which say what they held back
    a binary frame                                   rows of numbers, see `frames`

and is told `{"hello": ...}`, `{"opened": ...}`, `{"resumed": ...}`, `{"answers": [[stream, number, answer], ...]}` or a
binary frame, `{"closed": ...}`, `{"error": ...}`, and `{"leaving": ...}` when the server ends.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from sluicegate.errors import DataError, SluicegateError, StreamError

from . import frames
from .again import told_again
from .intake import Came, Intake
from .sending import Sender
from .service import Service
from .sessions import CLOSED, Session
from .stepper import Block
from .version import Version, shown_error

Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]

POLICY, RESTART = 1008, 1012
"""Codes with which a WebSocket is closed."""

_DELAY, _MANY = 0.005, 7  # seconds, doubled with each wrong message after the first, so many times at most
_LONGEST = 200  # letters of a key


class Connection:
    """A WebSocket that was accepted.

    Args:
        service: the models and sessions.
        version: of the model that its streams are opened on.
        receive: gives the next message, as ASGI has it.
        send: takes one.
    """

    def __init__(self, service: Service, version: Version, receive: Receive, send: Send) -> None:
        self._service, self._version, self._receive = service, version, receive
        self._limits = service.limits
        self._sender = Sender(send, self._limits.outbox, self._limits.policy, self._overflowed, self._drained)
        self._session: Session | None = None
        self._intake: Intake | None = None
        self._over = self._wrong = False
        self._faults = 0
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Answer until the client goes or the server ends."""
        about = {**self._version.about(), "window": self._limits.window, "message": self._limits.message}
        self._say({"hello": about})
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                if self._service.leaving or self._over:
                    continue  # what was not taken is sent again on the next connection
                await self._hear(message)
                await self._slow_down()
                while (self._crowded or self._sender.full) and not self._over:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._leave()

    @property
    def stalled(self) -> bool:
        """Whether it takes no answers now."""
        return self._limits.policy == "block" and self._sender.full

    @property
    def quiet(self) -> bool:
        """Whether all that it was told went out."""
        return self._sender.quiet

    def tell(self, block: Block, answers: Any, error: SluicegateError | None) -> None:
        """Say the answers to a block, which may have come on a connection that broke."""
        if not self._crowded:
            self._room.set()
        engine = self._version.engine
        if block.rows is None:
            self._say({"closed": [[n, last] for n, last in zip(block.streams.tolist(), answers or (), strict=False)]})
        elif error is not None:
            self._refuse(error, block.streams, block.sequence)
        elif block.faults is not None:
            self._say_answers(block.streams, block.sequence, block.faults)
        elif block.binary and engine.numeric:
            frame = frames.write(frames.Rows(block.streams, block.sequence, answers), frames.ANSWERS)
            self._sender.send({"type": "websocket.send", "bytes": frame}, len(block))
        else:
            self._say_answers(block.streams, block.sequence, engine.shown(answers) if engine.numeric else answers)

    def leave(self, code: int, reason: str, *, resumable: bool = True) -> None:
        """Close, for a reason that the client is told, with the token by which it can resume."""
        self._over = True
        self._room.set()
        if resumable and self._session is not None and self._session.token is not None:
            self._say({"leaving": {"session": self._session.token}})
            reason = f"resume {self._session.token}"
        self._sender.close(code, reason)

    def give_up(self) -> None:
        """Let another connection have the streams, which their client resumed there."""
        self._session = self._intake = None
        self.leave(POLICY, "the streams were resumed on another connection")

    async def _hear(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks for; what is wrong with it is said, and changes nothing."""
        came = time.monotonic()
        try:
            if (frame := message.get("bytes")) is not None:
                await self._hear_frame(frame, came)
            else:
                await self._hear_text(message.get("text") or "", came)
        except SluicegateError as error:
            self._wrong = True
            self._say(shown_error(error))

    async def _slow_down(self) -> None:
        """Hear whoever says wrong things again and again ever later, so that the others need not wait for it."""
        self._faults = min(self._faults + 1, _MANY) if self._wrong else 0
        self._wrong = False
        if self._faults > 1:
            await asyncio.sleep(_DELAY * 2**self._faults)

    async def _hear_text(self, text: str, came: float) -> None:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"the message is not JSON ({error}): send an object, or a binary frame") from None
        match said:
            case {"rows": list(rows)}:
                await self._hear_rows(rows, came)
            case {"open": list(keys)}:
                self._open(keys)
            case {"resume": str(token), **rest}:
                await self._resume(token, rest.get("received", {}))
            case {"close": list(streams)}:
                await self._close(streams)
            case _:
                raise DataError(
                    "the message asks for nothing that there is: send `rows`, `open`, `resume` or `close`, with a list"
                )

    def _open(self, keys: Sequence[Any]) -> None:
        if not all(isinstance(key, str) and len(key) <= _LONGEST for key in keys):
            raise DataError(
                f"`open` holds something else than texts of up to {_LONGEST} letters: name each stream by one"
            )
        if self._session is None:
            self._adopt(self._service.begin(self._version.name, self))
        session = self._opened()
        self._service.make_room(session.version, len(keys))
        opened: list[list[Any]] = []
        try:
            for key in keys:
                opened.append([session.open(key), key])
        finally:  # those before the one that was too many are open
            self._say({"opened": {"session": session.token, "streams": opened}})

    async def _resume(self, token: str, received: Any) -> None:
        if self._session is not None:
            raise StreamError(
                "streams are open here already: resume on a connection of its own, before anything is opened"
            )
        match received:
            case dict() if all(key.isdecimal() and type(v) is int and v >= 0 for key, v in received.items()):
                had = {int(key): value for key, value in received.items()}
            case _:
                raise DataError("`received` must say of each stream, by its number, how many answers came")
        session = self._service.resume(self._version.name, token, had, self)
        self._adopt(session)
        numbers = list(session.open_numbers())
        streams = [[number, session.keys[number], session.next_row(number)] for number in numbers]
        again = told_again(session, numbers, had)
        self._say({"resumed": {"session": token, "streams": streams}})
        for answers in again:
            while self.stalled and not self._over:
                await asyncio.sleep(0.005)
            self._say({"answers": answers}, len(answers))

    async def _close(self, streams: Sequence[Any]) -> None:
        session, intake = self._opened(), self._intake
        assert intake is not None
        if not all(type(stream) is int and 0 <= stream < len(session.keys) for stream in streams):
            raise DataError("`close` holds what is no stream that was opened here: name each by its number")
        open_still = [n for n in streams if session.slots[n] != CLOSED and n not in session.ending]
        await intake.end(list(dict.fromkeys(open_still)))

    async def _hear_frame(self, frame: bytes, came: float) -> None:
        found = frames.read(frame)
        self._opened()
        engine = self._version.engine
        if engine.numeric and found.values.shape[1] != len(engine.columns):
            raise DataError(
                f"the frame's rows have {found.values.shape[1]} numbers, and the model reads {len(engine.columns)}: "
                f"{', '.join(engine.columns[:20])}"
            )
        with np.errstate(over="ignore"):  # what is too large for the model is refused
            rows: Any = found.values.astype(engine.dtype, copy=False) if engine.numeric else list(found.values)
        await self._take(Came(found.streams, found.sequence, rows, came, binary=True))

    async def _hear_rows(self, said: Sequence[Any], came: float) -> None:
        """Rows as JSON; a row that is none is answered by an error in its place."""
        for row in said:
            if not (isinstance(row, list) and len(row) == 3 and type(row[0]) is type(row[1]) is int):
                raise DataError(
                    "`rows` holds something else than [stream, number, row], with two whole numbers: send that"
                )
            if not (0 <= row[0] < 2**32 and 0 <= row[1] < 2**62):
                raise DataError(f"`rows` names stream {row[0]} and number {row[1]}: count both from 0")
        self._opened()
        streams, sequence = (np.array([row[place] for row in said], np.int64) for place in (0, 1))
        engine = self._version.engine
        faults: Mapping[int, SluicegateError] = {}
        rows: Any = [row[2] for row in said]
        if engine.numeric:
            rows, faults = engine.read([row[2] for row in said])
        await self._take(Came(streams, sequence, rows, came, faults=faults))

    async def _take(self, came: Came) -> None:
        """Take rows; and do what the policy says where too many wait for their step."""
        self._opened()
        assert self._intake is not None
        await self._intake.take(came)
        if self._crowded and self._limits.policy == "close":
            self.leave(POLICY, "too many rows wait for their step")
        elif self._crowded and self._limits.policy == "drop-oldest":
            self._intake.drop_oldest()

    @property
    def _crowded(self) -> bool:
        """Whether more rows wait for their step than may."""
        return self._session is not None and self._session.under_way > self._limits.inbox

    def _overflowed(self, rows: int) -> None:
        """The reader is too slow; `rows` were left out."""
        self._version.measures.dropped += rows

    def _drained(self) -> None:
        """The reader takes answers again, or went."""
        self._room.set()
        if self._session is not None and self._session.blocks:
            self._version.put(self._session)

    def _adopt(self, session: Session) -> None:
        """Go on with a session, on the version that it is of."""
        self._session, self._version = session, session.version
        self._intake = Intake(session, self._refuse, self._note_gaps)

    def _opened(self) -> Session:
        if self._session is None:
            raise StreamError("no stream is open here: send `open` with keys, or `resume` with a token, first")
        return self._session

    def _leave(self) -> None:
        """The client went; rows that were taken are stepped, and their answers kept."""
        self._sender.stop()
        if self._session is not None:
            self._service.left(self._session)
            self._drained()

    def _note_gaps(self, stream: int, number: int, due: Mapping[int, int]) -> None:
        self._wrong = True
        words = f"stream {stream} is at row {due[stream]}, and row {number} came: send those between first"
        self._say({"error": words, "due": [[one, row] for one, row in due.items()]})

    def _refuse(self, error: SluicegateError, streams: ndarray, sequence: ndarray) -> None:
        self._say_answers(streams, sequence, [error] * len(streams))

    def _say_answers(self, streams: ndarray, sequence: ndarray, answers: Sequence[Any]) -> None:
        told = zip(streams.tolist(), sequence.tolist(), map(shown_error, answers), strict=True)
        self._say({"answers": list(told)}, len(streams))

    def _say(self, what: Mapping[str, Any], rows: int = 0) -> None:
        text = json.dumps(what, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._sender.send({"type": "websocket.send", "text": text}, rows)

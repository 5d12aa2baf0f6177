"""All models that a server has, and the sessions of their clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from sluicegate.errors import StreamError

from .limits import Limits
from .models import Served
from .sessions import Line, Session, digest_of
from .version import Version

_LAST = 1.0  # seconds for the last answers to go out


@runtime_checkable
class Client(Line, Protocol):
    """A connection, as the service has it."""

    @property
    def quiet(self) -> bool:
        """Whether all that it was told went out."""

    def leave(self, code: int, reason: str, *, resumable: bool = True) -> None:
        """Close, for a reason that the client is told, with the token by which it can resume."""


class Service:
    """The models by name, and the sessions by the sha256 of their tokens.

    Args:
        models: what is served.
        limits: what is allowed.
    """

    def __init__(self, models: Mapping[str, Served], limits: Limits) -> None:
        self.models, self.limits = dict(models), limits
        self.sessions: dict[str, Session] = {}
        self.connections: set[Client] = set()
        self.leaving = False

    def model(self, name: str) -> Served:
        """A model by its name.

        Raises:
            StreamError: there is none.
        """
        if name not in self.models:
            raise StreamError(f"there is no model {name!r} here: ask for one of {', '.join(sorted(self.models))}")
        return self.models[name]

    def begin(self, model: str, connection: Line) -> Session:
        """Make the session of a connection, on the current version of a model.

        Raises:
            StreamError: there is no such model, or it has no streams.
        """
        version = self.model(model).current
        version.engine  # noqa: B018 - the sentence of a model that has none
        session = Session.new(version)
        session.connection = connection
        self.take_in(session)
        return session

    def take_in(self, session: Session) -> None:
        """Keep a session."""
        self.sessions[session.digest] = session
        session.version.sessions += 1

    def resume(self, model: str, token: str, had: Mapping[int, int], connection: Line) -> Session:
        """Find the session of a connection that broke.

        Args:
            model: the name of its model.
            token: what the client was given.
            had: how many answers it has of each stream, by its number.
            connection: the new one.

        Raises:
            StreamError: there is none; or its streams do not go on from where the client is.
        """
        session = self.sessions.get(digest_of(token))
        if session is None or session.version.name != model:
            raise StreamError(
                "the token is of no streams that are known here: they were closed, or forgotten, or are of another "
                "model or server; open them anew"
            )
        known = set(session.open_numbers())
        for number, count in had.items():
            if number not in known:
                continue
            answered = session.number_of_answers(number)
            if count > session.next_row(number):
                raise StreamError(
                    f"stream {number} is at row {answered} here, and {count} answers came: the server went on from an "
                    "older state; open the stream anew"
                )
            if count < answered - self.limits.window:
                raise StreamError(
                    f"stream {number} has {answered} answers, of which the last {self.limits.window} are kept, and "
                    f"{count} came: keep fewer rows unanswered, and open the stream anew"
                )
        before, session.connection, session.token = session.connection, connection, token
        if before is not None:
            before.give_up()
        session.version.measures.resumed += len(known)
        return session

    def left(self, session: Session) -> None:
        """Note that a session's connection broke; one without streams is forgotten."""
        session.connection, session.left = None, time.monotonic()
        if next(session.open_numbers(), None) is None:
            self._let_go(session)
        else:  # the order is that in which they broke
            self.sessions[session.digest] = self.sessions.pop(session.digest)

    async def tend(self) -> None:
        """Let idle streams rest, and forget those whose client is gone for too long."""
        while True:
            more = self.tidy(time.monotonic())
            await asyncio.sleep(0.01 if more else min(1.0, self.limits.idle / 4))

    def tidy(self, now: float) -> bool:
        """Do so with a few; whether there are more."""
        more = False
        for served in self.models.values():
            for version in served.versions:
                more |= version.rest_idle(now)
            served.let_go()
        for session in [session for session in self.sessions.values() if session.connection is None]:
            version = session.version
            late = now - session.left > self.limits.kept or version.resting_bytes > self.limits.resting
            if session.under_way == 0 and (late or next(session.open_numbers(), None) is None):
                self._forget(session)
        return more

    def make_room(self, version: Version, count: int) -> None:
        """Forget streams without a client where a model has too many: first those that have read nothing."""
        wanted = version.streams + count - self.limits.streams
        if wanted <= 0:
            return
        alone = [
            one for one in self.sessions.values()
            if one.version is version and one.connection is None and one.under_way == 0
        ]  # fmt: skip
        before = version.streams
        for session in sorted(alone, key=lambda one: one.has_read):
            if before - version.streams >= wanted + self.limits.streams // 100:
                return
            self._forget(session)

    def gauges(self) -> dict[str, tuple[Any, dict[str, Any]]]:
        """What is measured of each model."""
        return {name: (served.measures, served.gauges()) for name, served in self.models.items()}

    async def drain(self) -> None:
        """Take no more rows, and wait until all that were taken are answered, or the time for it is over."""
        self.leaving = True
        versions = [version for served in self.models.values() for version in served.versions]
        await _until(lambda: all(version.quiet for version in versions), self.limits.grace)
        for version in versions:
            version.halt()
        await _until(lambda: not any(version.busy for version in versions), self.limits.grace)
        await _until(lambda: all(one.quiet for one in self.connections), _LAST)

    def end(self) -> None:
        """Let go of all models and sessions."""
        for served in self.models.values():
            for version in served.versions:
                version.retire()
        self.models.clear()
        self.sessions.clear()

    def _forget(self, session: Session) -> None:
        for number in list(session.open_numbers()):
            session.close(number)
            session.version.measures.forgotten += 1
        self._let_go(session)

    def _let_go(self, session: Session) -> None:
        del self.sessions[session.digest]
        session.version.sessions -= 1


async def _until(true: Callable[[], bool], seconds: float) -> None:
    """Wait for something to be true, or for the time to be over."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        await asyncio.sleep(0.005)

"""The server: what listens, what ends it, and what it leaves for the next start.

On SIGTERM and Ctrl-C it takes no more rows, answers those that it has, writes every stream into one file, and closes
each connection with the token to resume by. A second signal ends it at once. On SIGHUP it loads its models again.
"""

from __future__ import annotations

import asyncio
import logging
import re
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from torch.nn import Module
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sluicegate.errors import ConfigError, SluicegateError
from sluicegate.tasks.task import Task

from . import pages, state_file
from .connection import RESTART, Connection
from .guard import PROTOCOL, Asgi, Guard, Receive, Scope, Send, answer, is_loopback
from .limits import Limits
from .models import Served
from .service import Service

_LOG = logging.getLogger("sluicegate.serve")
_STREAM = re.compile(r"/v1/models/([^/]{1,200})/stream")
_SWITCH = 0.0005
"""Seconds after which a thread of Python's gives way to another: the steps wait for it when many messages come."""
_PATIENCE = 10.0  # seconds for the head of a request to come


def serve(
    models: Mapping[str, Task | Module],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    open_to_all: bool = False,
    origins: Sequence[str] = (),
    state: Path | None = None,
    limits: Limits | None = None,
    folders: Mapping[str, Path] | None = None,
    started: Callable[[str, Callable[[], None]], None] | None = None,
) -> None:
    """Serve models until a signal ends it.

    Args:
        models: trained tasks, or layers of `sluicegate.nn`, by the names under which they are served.
        host: where to listen; another than this machine's own needs a token, or `open_to_all`.
        port: 0 takes a free one.
        token: that clients must have.
        open_to_all: whether everybody who reaches another host may come in without a token.
        origins: of pages from elsewhere that may come in.
        state: a file for all streams, gone on from if it is there, written at the end.
        limits: what is allowed.
        folders: where models were loaded from, by their names: these can be loaded again while it runs.
        started: is told the address when it listens, and what to call, from any thread, for it to end in order.

    Raises:
        ConfigError: the host is not loopback, and there is no token; or the state is of models that are not served.
        SnapshotError: the state was cut short or altered, or is of a newer version.
        OSError: the port is taken.
    """
    if not is_loopback(host) and token is None and not open_to_all:
        raise ConfigError(
            f"`--host` (={host}) lets other machines in, and there is no token: give `--token-file`, or "
            "`--open-to-all` if everybody may come in"
        )
    if state is not None:
        state_file.require_writable(state)
    limits = limits or Limits()
    _allow_files(limits.connections + 100)
    places = folders or {}
    before = sys.getswitchinterval()
    with socket.create_server((host, port), family=_family(host), backlog=2048) as listening:
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"

        async def run() -> None:
            served = {name: Served(name, model, places.get(name), limits) for name, model in models.items()}
            service = Service(served, limits)
            if state is not None and (count := state_file.load(service, state)):
                _LOG.warning("%d streams of %s wait to be resumed", count, state)
            server = Server(service, Guard(_application(service), host, token, origins), state)
            if started is not None:
                started(address, server.end)
            await server.serve([listening])

        loop = uvicorn.Config(_nothing, loop="auto").get_loop_factory()
        sys.setswitchinterval(_SWITCH)
        try:
            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(run())
        finally:
            sys.setswitchinterval(before)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Server(uvicorn.Server):
    """The server of a service.

    Args:
        service: its models and sessions.
        app: what answers.
        state: the file for all streams at the end; None keeps none.
    """

    def __init__(self, service: Service, app: Asgi, state: Path | None) -> None:
        limits = service.limits
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="websockets-sansio",
            ws_max_size=limits.message,
            ws_per_message_deflate=False,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            limit_concurrency=limits.connections + 100,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)
        logging.getLogger("uvicorn.error").addFilter(_is_worth_telling)
        self._service, self._state = service, state
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Task[None] | None = None

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        loop = self._loop
        tending = loop.create_task(self._service.tend())
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGHUP, self._load_again)
        try:
            await super()._serve(sockets)
        finally:
            tending.cancel()
            self._service.end()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order at the first signal, and at once at the second."""
        del sig, frame
        if self._service.leaving:
            self.should_exit = self.force_exit = True
        else:
            self.end()

    def end(self) -> None:
        """Begin to end in order, if it does not yet; from any thread."""
        if not self._service.leaving:
            self._service.leaving = True
            self._loop.call_soon_threadsafe(self._begin_ending)

    def _begin_ending(self) -> None:
        self._ending = self._loop.create_task(self._end())

    async def _end(self) -> None:
        service = self._service
        for listening in self.servers:
            listening.close()
        try:
            await service.drain()
            kept = False
            if self._state is not None:
                _LOG.warning("wrote %d streams to %s", state_file.save(service, self._state), self._state)
                kept = True
            for connection in list(service.connections):
                connection.leave(RESTART, "the server ends", resumable=kept)
            end = self._loop.time() + 2.0
            while service.connections and self._loop.time() < end:
                await asyncio.sleep(0.005)
        except (SluicegateError, OSError) as error:
            _LOG.error("the streams were not written: %s", error)
        finally:
            self.should_exit = True

    def _load_again(self) -> None:
        self._loading = self._loop.create_task(self._load_all())

    async def _load_all(self) -> None:
        for served in self._service.models.values():
            try:
                changed = await pages.load_again(served)
                _LOG.warning("loaded %s again: %s", served.name, "another model" if changed else "the same model")
            except SluicegateError as error:
                _LOG.error("%s stays as it was: %s", served.name, error)


def _application(service: Service) -> Asgi:
    """What answers requests and WebSockets."""
    app = pages.build(service)

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _stream(service, scope, receive, send)
        else:
            await app(scope, receive, send)

    return answered


async def _stream(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Accept a WebSocket, and answer it until it ends."""
    found = _STREAM.fullmatch(scope["path"])
    try:
        if found is None:
            raise ConfigError("streams are at /v1/models/NAME/stream: connect there")
        version = service.model(found[1]).current
        version.engine  # noqa: B018 - the sentence of a model that has no streams
    except SluicegateError as error:
        await answer(scope, send, 404, str(error))
        return
    if service.leaving or len(service.connections) >= service.limits.connections:
        await answer(scope, send, 503, "the server takes no more connections now: try again later")
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL if PROTOCOL in scope["subprotocols"] else None})
    connection = Connection(service, version, receive, send)
    service.connections.add(connection)
    try:
        await connection.run()
    finally:
        service.connections.discard(connection)


class _Protocol(HttpToolsProtocol):
    """HTTP, which closes a connection on which no request comes."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._patience = self.loop.call_later(_PATIENCE, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Whether a line is worth logging: of each WebSocket that was refused, uvicorn says that it was not accepted."""
    return not record.getMessage().startswith("ASGI callable returned without completing handshake")


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive, send


def _allow_files(count: int) -> None:
    """Let the process have as many files and sockets open as the system allows it, up to a number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

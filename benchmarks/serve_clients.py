"""Clients for the benchmark of the server: WebSockets by hand, which cost a machine less than the server does."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sluicegate.serve import frames


def masked(payload: bytes, opcode: int = 2) -> bytes:
    """A message as a client sends it; the mask is 0, which leaves the bytes as they are."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


class Client(asyncio.Protocol):
    """A WebSocket.

    Args:
        port: of the server on this machine.
        model: whose streams are opened.
        heard: is given each message and its opcode.
        headers: further ones, each ending in a line's end.
    """

    def __init__(self, port: int, model: str, heard: Callable[[Client, int, bytes], None], headers: str = "") -> None:
        self._request = (
            f"GET /v1/models/{model}/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{headers}\r\n"
        ).encode()
        self._heard, self._buffer, self.up, self.gone = heard, b"", False, False
        self.transport: Any = None
        self.session = ""
        self.sent: dict[int, float] = {}
        self.next = self.answers = 0
        self.closing = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Ask for a WebSocket."""
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take messages apart."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self.up:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.close()
                return
            self.up, self._buffer = True, rest
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, begin = buffer[at + 1], at + 2
            if size == 126:
                if len(buffer) - at < 4:
                    break
                size, begin = struct.unpack_from("!H", buffer, begin)[0], begin + 2
            elif size == 127:
                if len(buffer) - at < 10:
                    break
                size, begin = struct.unpack_from("!Q", buffer, begin)[0], begin + 8
            if len(buffer) < begin + size:
                break
            self._take(buffer[at] & 15, buffer[begin : begin + size])
            at = begin + size
        self._buffer = buffer[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        del exc
        self.gone = True
        if not self.closing.done():
            self.closing.set_result(None)

    def say(self, what: dict[str, Any]) -> None:
        """Send JSON."""
        self.transport.write(masked(json.dumps(what).encode(), 1))

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.transport.write(masked(payload, 10))
        elif opcode == 8:
            self.transport.write(masked(payload, 8))
            self.transport.close()
        else:
            self._heard(self, opcode, payload)


async def connected(port: int, model: str, heard: Callable[[Client, int, bytes], None], headers: str = "") -> Client:
    """A client that is connected, though perhaps not accepted yet."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(port, model, heard, headers), "127.0.0.1", port)
    return client


def hear(client: Client, opcode: int, payload: bytes) -> None:
    """Note the time of each answer to a stream's rows, which come one at a time."""
    if opcode == 2:
        number = struct.unpack_from("<q", payload, 16)[0]
        begun = client.sent.pop(number, None)
        client.answers += 1
        if begun is not None:
            client.delays.append(time.perf_counter() - begun)  # type: ignore[attr-defined]
        return
    said = json.loads(payload)
    if "opened" in said or "resumed" in said:
        found = said.get("opened") or said["resumed"]
        client.session, client.streams = found["session"], found["streams"]  # type: ignore[attr-defined]
    elif "answers" in said:
        for _, number, _ in said["answers"]:
            begun = client.sent.pop(number, None)
            client.answers += 1
            if begun is not None:
                client.delays.append(time.perf_counter() - begun)  # type: ignore[attr-defined]
    elif "error" in said:
        client.errors.append(said["error"])  # type: ignore[attr-defined]


async def open_one_each(port: int, model: str, count: int) -> tuple[list[Client], list[float]]:
    """Clients with a stream each; and the list that their delays go into."""
    clients: list[Client] = []
    delays: list[float] = []
    for number in range(count):
        client = await connected(port, model, hear)
        client.delays, client.errors, client.streams = delays, [], None  # type: ignore[attr-defined]
        clients.append(client)
        client.say_open = {"open": [f"stream {number}"]}  # type: ignore[attr-defined]
        if len(clients) % 50 == 0:
            await asyncio.sleep(0)
    await until(lambda: all(client.up for client in clients))
    for client in clients:
        client.say(client.say_open)  # type: ignore[attr-defined]
    await until(lambda: all(client.streams for client in clients))  # type: ignore[attr-defined]
    return clients, delays


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to be true."""
    end = time.perf_counter() + seconds
    while not true():
        if time.perf_counter() > end:
            raise TimeoutError("the server did not do what was waited for")
        await asyncio.sleep(0.002)


async def at_a_rate(clients: list[Client], rate: float, seconds: float, inputs: int) -> float:
    """Send rows at so many a second and client, evenly spread; the delay of a row counts from when it was due.

    Returns:
        How many seconds it took.
    """
    row = np.random.default_rng(0).normal(size=(1, inputs)).astype(np.float32)
    message = bytearray(masked(frames.write(frames.Rows(np.zeros(1, np.int64), np.zeros(1, np.int64), row))))
    place = message.index(struct.pack("<BBBB", 1, 1, 4, 0)) + 16  # of the row's number
    total, sent, begun = int(len(clients) * rate * seconds), 0, time.perf_counter()
    spacing = 1 / (len(clients) * rate)
    while sent < total:
        due = min(total, int((time.perf_counter() - begun) / spacing) + 1)
        while sent < due:
            client = clients[sent % len(clients)]
            struct.pack_into("<q", message, place, client.next)
            client.sent[client.next] = begun + sent * spacing
            client.next += 1
            client.transport.write(bytes(message))
            sent += 1
        await asyncio.sleep(0.0005)
    return time.perf_counter() - begun

"""A layer that is served, and clients of it: in memory, or over a socket."""

import asyncio
import json
import queue
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from websockets.sync import client as websockets_client

from sluicegate.nn import GRU
from sluicegate.serve import Limits, frames, serve
from sluicegate.serve.connection import Connection
from sluicegate.serve.models import Served
from sluicegate.serve.service import Service
from sluicegate.streaming import LayerStream

SMALL = {"slots": 8, "window": 4}
SECONDS = 3


def make_layer(seed=0):
    torch.manual_seed(seed)
    return GRU(3, 4)


class Socket:
    """A WebSocket in memory: what a client says goes in, what it is told comes out."""

    def __init__(self, service, name="layer"):
        self._said, self._told = asyncio.Queue(), asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.connection = Connection(service, service.model(name).current, self._said.get, self._send)
        self._service = service
        service.connections.add(self.connection)
        self._task = asyncio.get_running_loop().create_task(self.connection.run())

    async def _send(self, message):
        await self.reading.wait()
        self._told.put_nowait(message)

    def say(self, what):
        kind = "bytes" if isinstance(what, bytes) else "text"
        text = what if isinstance(what, bytes | str) else json.dumps(what)
        self._said.put_nowait({"type": "websocket.receive", kind: text})

    async def hear(self):
        message = await self._next()
        if message["type"] == "websocket.close":
            return message
        return frames.read(message["bytes"], frames.ANSWERS) if "bytes" in message else json.loads(message["text"])

    async def _next(self):
        told = asyncio.ensure_future(self._told.get())
        await asyncio.wait({told, self._task}, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            told.cancel()
            assert not self._task.done(), self._task.exception()
            raise TimeoutError("nothing is told")
        return told.result()

    async def open(self, *keys):
        """Open streams, and return the token."""
        if "hello" not in (said := await self._asked({"open": list(keys)})):
            return said["opened"]["session"]
        return (await self.hear())["opened"]["session"]

    async def _asked(self, what):
        self.say(what)
        return await self.hear()

    async def rows(self, *rows):
        """Send rows, and return the first of what is told."""
        return await self._asked({"rows": [list(row) for row in rows]})

    async def answers(self, count):
        """So many answers, by stream and number."""
        found = {}
        while len(found) < count:
            told = await self.hear()
            for stream, number, answer in told.get("answers", ()):
                assert (stream, number) not in found
                found[stream, number] = answer
        return found

    async def leave(self):
        self._said.put_nowait({"type": "websocket.disconnect"})
        await self._task
        self._service.connections.discard(self.connection)


@pytest.fixture(scope="session")
def layer():
    return make_layer()


@pytest.fixture(scope="session")
def other_layer():
    return make_layer(1)


@pytest.fixture(scope="session")
def rows():
    return np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32).tolist()


@pytest.fixture(scope="session")
def expected(layer, rows):
    """What one stream of the layer answers to the rows."""
    stream = LayerStream(layer)
    return [{"output": stream.push(np.array(row, np.float32)).tolist()} for row in rows]


@pytest.fixture
def play(layer):
    """Runs a scenario with a service of the layer, under some limits."""

    def run(scenario, **limits):
        async def whole():
            given = Limits(**SMALL | limits)
            service = Service({"layer": Served("layer", layer, None, given)}, given)
            try:
                return await asyncio.wait_for(scenario(service), 3 * SECONDS)
            finally:
                service.end()

        return asyncio.run(whole())

    return run


@pytest.fixture(scope="session")
def socket():
    return Socket


@contextmanager
def running(models, **options):
    """A server in a thread: the address, and the function that ends it."""
    told = queue.Queue()

    def run():
        try:
            serve(models, port=0, started=lambda *about: told.put(about), **options)
        except BaseException as error:
            told.put(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    about = told.get(timeout=SECONDS)
    assert not isinstance(about, BaseException), about
    try:
        yield about
    finally:
        about[1]()
        thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def run_server():
    return running


@pytest.fixture(scope="session")
def connect():
    """Opens a WebSocket to a model of a server."""

    def to(address, name="layer", **options):
        place = f"{address.replace('http', 'ws')}/v1/models/{name}/stream"
        return websockets_client.connect(place, compression=None, open_timeout=SECONDS, **options)

    return to

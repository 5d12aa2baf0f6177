"""What the server of streams does, with the clients on the same machine.

    python benchmarks/serve.py [--only live multiplexed restart hostile churn] [--write docs/benchmarks.md]

The model is a causal series classifier with a GRU of 128 units that reads 8 channels, served by `sluicegate serve`.
Live: 1,000 connections with a stream each, 10 rows a second each, in binary frames of one row; the delay of an answer
counts from when its row was due. Memory is what the process grew by, over the number of streams.
Multiplexed: 1,000 streams over one connection, 500 rows a frame, as fast as they are answered with 8 frames under way.
Restart: 1,000 streams, half of which have rows under way, are ended by SIGTERM; timed from there until each has resumed
on the next server and has its next answer. Every answer is compared to those of one stream without a break.
Hostile: 100 good clients at 10 rows a second, alone and then beside 100 that read nothing, send frames that are too
large or broken, flood, have no token or send half a request.
Churn: 100,000 streams are opened, pushed once and closed, after 200,000 that are not counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from document import machine, measure_sections
from serve_clients import Client, at_a_rate, connected, hear, masked, open_one_each, until

import sluicegate
from sluicegate.serve import frames

INPUTS, UNITS = 8, 128
STREAMS, RATE = 1_000, 10.0
TOKEN = "a-token-for-the-benchmark-alone"


def make_model(folder: Path) -> Any:
    """A causal classifier of the size that is measured; what it has learnt does not matter."""
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=(40, INPUTS)) + number % 2 for number in range(20)]
    task = sluicegate.SeriesClassifier(causal=True, folds=1, hidden=UNITS, steps=5, stride=1)
    task.fit(waves, ["low", "high"] * 10, progress=False).save(folder)
    return task


class Server:
    """A server in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        program = "from sluicegate.cli import main; main()"
        command = [sys.executable, "-c", program, "serve", str(folder), "--port", "0", *options]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert self.process.stderr is not None
        while "serving" not in (line := self.process.stderr.readline()):
            if not line:
                raise RuntimeError("the server did not start")
        self.port = int(line.rsplit(":", 1)[1])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # else it waits when the pipe is full
        self.looked_at = psutil.Process(self.process.pid)

    @property
    def memory(self) -> int:
        """Bytes that the process has of its own."""
        return int(self.looked_at.memory_full_info().uss)

    def busy(self) -> float:
        """Seconds of processor time so far."""
        times = self.looked_at.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """End it in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run the clients."""
    import uvloop

    return uvloop.run(work())


def share(delays: list[float], part: float) -> float:
    """Milliseconds within which a part of the answers came."""
    return 1e3 * float(np.quantile(delays, part))


def live(options: Namespace) -> Iterator[str]:
    """A thousand streams, each on its own connection."""
    with tempfile.TemporaryDirectory() as place:
        make_model(Path(place) / "model")
        server = Server(Path(place) / "model")

        async def work() -> list[str]:
            warm, _ = await open_one_each(server.port, "model", 1)
            await at_a_rate(warm, RATE, 1, INPUTS)
            before = server.memory
            clients, delays = await open_one_each(server.port, "model", STREAMS)
            await at_a_rate(clients, RATE, 2, INPUTS)
            await asyncio.sleep(1)
            delays.clear()
            busy = server.busy()
            taken = await at_a_rate(clients, RATE, options.seconds, INPUTS)
            await until(lambda: not any(client.sent for client in clients))
            used = (server.busy() - busy) / taken
            memory = (server.memory - before) / STREAMS / 1024
            assert not any(client.errors for client in clients)  # type: ignore[attr-defined]
            return [
                f"| p50 / p99 / p99.9 end to end | {share(delays, 0.5):.1f} / {share(delays, 0.99):.1f} / "
                f"{share(delays, 0.999):.1f} ms |",
                f"| rows answered a second | {len(delays) / taken:,.0f} |",
                f"| memory a stream, its connection included | {memory:.0f} KiB |",
                f"| processor time of the server | {used:.2f} s a second |",
            ]

        try:
            lines = run(work)
        finally:
            server.stop()
    yield from (
        f"### {STREAMS:,} live streams, {RATE:g} rows a second each",
        "",
        "| | |",
        "| --- | --- |",
        *lines,
        "",
        measured(),
    )


def multiplexed(options: Namespace) -> Iterator[str]:
    """A thousand streams over one connection."""
    with tempfile.TemporaryDirectory() as place:
        make_model(Path(place) / "model")
        server = Server(Path(place) / "model")

        async def work() -> float:
            client = await connected(server.port, "model", hear)
            client.delays, client.errors, client.streams = [], [], None  # type: ignore[attr-defined]
            await until(lambda: client.up)
            client.say({"open": [str(number) for number in range(STREAMS)]})
            await until(lambda: client.streams)  # type: ignore[attr-defined]
            parts = [np.arange(STREAMS)[begin::2] for begin in range(2)]
            rows = np.random.default_rng(0).normal(size=(STREAMS // 2, INPUTS)).astype(np.float32)
            sent, end = 0, time.perf_counter() + options.seconds
            begun = time.perf_counter()
            while time.perf_counter() < end:
                while sent - client.answers < 8:
                    number = np.full(STREAMS // 2, sent // 2)
                    client.transport.write(masked(frames.write(frames.Rows(parts[sent % 2], number, rows))))
                    sent += 1
                await asyncio.sleep(0)
            await until(lambda: client.answers == sent)
            assert not client.errors  # type: ignore[attr-defined]
            return sent * (STREAMS // 2) / (time.perf_counter() - begun)

        try:
            rate = run(work)
        finally:
            server.stop()
    yield from (f"### {STREAMS:,} streams over one connection", "", f"{rate:,.0f} rows a second.", "", measured())


def restart(_: Namespace) -> Iterator[str]:
    """SIGTERM, and a thousand streams go on."""
    with tempfile.TemporaryDirectory() as place:
        task = make_model(Path(place) / "model")
        state = ("--state", str(Path(place) / "state"))
        server = Server(Path(place) / "model", *state)
        answers: list[dict[int, Any]] = [{} for _ in range(STREAMS)]
        doubled = 0

        def note(client: Client, opcode: int, payload: bytes) -> None:
            nonlocal doubled
            if opcode == 2:
                found = frames.read(payload, frames.ANSWERS)
                pairs = list(zip(found.sequence.tolist(), map(tuple, found.values.tolist()), strict=True))
            else:
                said = json.loads(payload)
                if "opened" in said or "resumed" in said:
                    told = said.get("opened") or said["resumed"]
                    client.session, client.streams = told["session"], told["streams"]  # type: ignore[attr-defined]
                pairs = [
                    (number, tuple(one[f"probability_{name}"] for name in ("high", "low")))
                    for _, number, one in said.get("answers", ())
                ]
            for number, values in pairs:
                doubled += number in answers[client.number]  # type: ignore[attr-defined]
                answers[client.number][number] = values  # type: ignore[attr-defined]

        rows = np.random.default_rng(1).normal(size=(8, INPUTS))

        def push(client: Client, number: int) -> None:
            row = frames.Rows(np.zeros(1, np.int64), np.array([number]), rows[number : number + 1])
            client.transport.write(masked(frames.write(row)))

        async def opened(port: int) -> list[Client]:
            clients = []
            for number in range(STREAMS):
                client = await connected(port, "model", note)
                client.number, client.streams = number, None  # type: ignore[attr-defined]
                clients.append(client)
            await until(lambda: all(client.up for client in clients))
            return clients

        async def work() -> tuple[float, float, float]:
            nonlocal server
            clients = await opened(server.port)
            for client in clients:
                client.say({"open": ["s"]})
            await until(lambda: all(client.streams for client in clients))  # type: ignore[attr-defined]
            for number in range(3):
                for client in clients:
                    push(client, number)
            await until(lambda: all(len(one) == 3 for one in answers))
            for client in clients[::2]:
                push(client, 3)
                push(client, 4)
            begun = time.perf_counter()
            server.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(client.closing for client in clients))
            await asyncio.get_running_loop().run_in_executor(None, server.process.wait)
            ended = time.perf_counter()
            tokens = [client.session for client in clients]
            server = Server(Path(place) / "model", *state)
            up = time.perf_counter()
            clients = await opened(server.port)
            for client, token in zip(clients, tokens, strict=True):
                client.say({"resume": token, "received": {"0": len(answers[client.number])}})  # type: ignore[attr-defined]
            await until(lambda: all(client.streams for client in clients))  # type: ignore[attr-defined]
            for client in clients:
                for number in range(client.streams[0][2], 6):  # type: ignore[attr-defined]
                    push(client, number)
            await until(lambda: all(len(one) == 6 for one in answers))
            return ended - begun, up - ended, time.perf_counter() - up

        try:
            down, up, resumed = run(work)
        finally:
            server.stop()
    stream = task.open_stream()
    said = [stream.push(row) for row in rows[:6]]
    whole = [tuple(one[f"probability_{name}"] for name in ("high", "low")) for one in said]
    lost = sum(6 - len(one) for one in answers)
    differ = sum(one[number] != whole[number] for one in answers for number in range(6))
    yield from (
        f"### SIGTERM, restart and resumption of {STREAMS:,} streams",
        "",
        f"{down + up + resumed:.1f} s: {down:.1f} until the server had written them and ended, {up:.1f} until the next "
        f"one listened, {resumed:.1f} until each had resumed and its next rows were answered. Rows lost: "
        f"{lost}; answered twice: {doubled}; answers that differ from those of a stream without a break: {differ}.",
        "",
        measured(),
    )


async def attack(server: Server, kind: int, good: asyncio.Event) -> None:
    """One hostile client, over and over until the good ones are done."""
    loop = asyncio.get_running_loop()
    authorised = f"Authorization: Bearer {TOKEN}\r\n"
    while not good.is_set():
        try:
            if kind == 0:  # half a request
                transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", server.port)
                transport.write(b"GET /v1/models HTTP/1.1\r\nHost: 127.")
                await asyncio.sleep(2)
                continue
            headers = "Authorization: Bearer wrong-wrong-wrong\r\n" if kind == 1 else authorised
            client = await connected(server.port, "model", lambda *_: None, headers)
            for _ in range(100):
                if client.up or client.gone:
                    break
                await asyncio.sleep(0.01)
            if kind == 1 or client.gone:
                await asyncio.sleep(0.05)
                client.transport.close()
                continue
            client.say({"open": [str(number) for number in range(100)]})
            if kind == 2:  # a frame that is too large
                client.transport.write(masked(bytes(200_000)))
            elif kind == 3:  # frames that are none
                for content in (b"", b"\x01", b"{", os.urandom(500)):
                    client.transport.write(masked(content))
                client.transport.write(os.urandom(100))
            else:  # a flood, whose answers are read or not
                if kind == 4:
                    client.transport.pause_reading()
                rows = np.zeros((1000, INPUTS), np.float32)
                for number in range(10_000):
                    if good.is_set() or client.gone:
                        break
                    sequence = np.full(100, number).repeat(10) * 10 + np.tile(np.arange(10), 100)
                    frame = frames.Rows(np.arange(100).repeat(10), sequence, rows)
                    if client.transport.get_write_buffer_size() < 200_000:
                        client.transport.write(masked(frames.write(frame)))
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            client.transport.abort()
        except OSError:
            await asyncio.sleep(0.1)


def hostile(options: Namespace) -> Iterator[str]:
    """A hundred good clients beside a hundred hostile ones, which are in a process of their own."""
    with tempfile.TemporaryDirectory() as place:
        make_model(Path(place) / "model")
        token = Path(place) / "token"
        token.write_text(TOKEN)
        server = Server(Path(place) / "model", "--token-file", str(token))

        async def good(then: float) -> list[float]:
            clients, delays = [], []
            for _ in range(100):
                client = await connected(server.port, "model", hear, f"Authorization: Bearer {TOKEN}\r\n")
                client.delays, client.errors, client.streams = delays, [], None
                clients.append(client)
            await until(lambda: all(client.up for client in clients))
            for client in clients:
                client.say({"open": ["s"]})
            await until(lambda: all(client.streams for client in clients))
            await at_a_rate(clients, RATE, 1, INPUTS)
            delays.clear()
            await at_a_rate(clients, RATE, then, INPUTS)
            await until(lambda: not any(client.sent for client in clients))
            for client in clients:
                client.transport.close()
            return delays

        async def bad(seconds: float) -> None:
            over = asyncio.Event()
            asyncio.get_running_loop().call_later(seconds, over.set)
            await asyncio.gather(*(attack(server, number % 6, over) for number in range(100)))

        try:
            alone = run(lambda: good(options.seconds))
            pid = os.fork()
            if pid == 0:
                run(lambda: bad(options.seconds + 6))
                os._exit(0)
            time.sleep(2)
            beside = run(lambda: good(options.seconds))
            os.waitpid(pid, 0)
        finally:
            server.stop()
    ratio = share(beside, 0.99) / share(alone, 0.99)
    yield from (
        "### 100 good clients beside 100 hostile ones",
        "",
        f"p99 of the good ones: {share(alone, 0.99):.1f} ms alone, {share(beside, 0.99):.1f} ms beside them, "
        f"{ratio:.1f} times; p50 {share(alone, 0.5):.1f} and {share(beside, 0.5):.1f} ms.",
        "",
        measured(),
    )


def churn(_: Namespace) -> Iterator[str]:
    """Streams that are opened and closed."""
    with tempfile.TemporaryDirectory() as place:
        make_model(Path(place) / "model")
        server = Server(Path(place) / "model")

        async def some(count: int) -> None:
            for _ in range(0, count, 1000):
                done = asyncio.get_running_loop().create_future()
                counts = {"answers": 0, "closed": 0}

                def heard(_: Client, opcode: int, payload: bytes, done: Any = done, counts: Any = counts) -> None:
                    if opcode == 2:
                        counts["answers"] += len(frames.read(payload, frames.ANSWERS).streams)
                    else:
                        counts["closed"] += len(json.loads(payload).get("closed", ()))
                    if counts == {"answers": 1000, "closed": 1000} and not done.done():
                        done.set_result(None)

                client = await connected(server.port, "model", heard)
                await until(lambda client=client: client.up)
                client.say({"open": [str(number) for number in range(1000)]})
                rows = frames.Rows(np.arange(1000), np.zeros(1000, np.int64), np.zeros((1000, INPUTS), np.float32))
                client.transport.write(masked(frames.write(rows)))
                client.say({"close": list(range(500))})
                client.say({"close": list(range(500, 1000))})
                await done
                client.transport.close()
                await client.closing

        async def work() -> tuple[int, int]:
            await some(200_000)
            before = server.memory
            await some(100_000)
            return before, server.memory

        try:
            before, after = run(work)
        finally:
            server.stop()
    yield from (
        "### 100,000 streams opened and closed",
        "",
        f"The process had {before / 2**20:.1f} MiB before and {after / 2**20:.1f} after: {after / before - 1:+.2%}.",
        "",
        measured(),
    )


def measured() -> str:
    """The machine, and what else it did."""
    load, _, _ = os.getloadavg()
    return f"Measured on {machine()}; load {load:.1f} with the measurement itself."


if __name__ == "__main__":
    sections = {f"serve:{part.__name__}": part for part in (live, multiplexed, restart, hostile, churn)}
    measure_sections(sections, __doc__, seconds=20.0)

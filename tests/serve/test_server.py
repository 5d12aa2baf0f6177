"""The server as a whole: hostile clients, its end, and the next start."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sluicegate.errors import ConfigError
from sluicegate.serve import frames, serve

TOKEN = "0123456789abcdef-token"


def opened(client, *keys):
    """Open streams, and return the token."""
    if "opened" not in (said := ask(client, {"open": list(keys)})):
        said = json.loads(client.recv(5))
    return said["opened"]["session"]


def ask(client, what):
    client.send(what if isinstance(what, bytes) else json.dumps(what))
    return json.loads(client.recv(5))


def told_until_closed(client, told=None):
    """All that a client is told; raises when it is closed."""
    while True:
        said = client.recv(10)
        if told is not None:
            told.append(json.loads(said))


def test_hostile_clients_leave_the_good_ones_alone(run_server, connect, layer, rows, expected):
    with run_server({"layer": layer}, token=TOKEN) as (address, _):
        port = int(address.rpartition(":")[2])
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with connect(address, additional_headers=headers) as good:
            opened(good, "a")
            half = socket.create_connection(("127.0.0.1", port))
            half.sendall(b"GET /v1/models HTTP/1.1\r\nHost: 127.")
            for wrong in ({}, {"Authorization": "Bearer wrong"}):
                with pytest.raises(InvalidStatus, match="401"), connect(address, additional_headers=wrong):
                    pass
            with (
                pytest.raises(InvalidStatus, match="403"),
                connect(address, additional_headers=headers, origin="http://evil.example"),
            ):
                pass
            with pytest.raises(InvalidStatus, match="404"), connect(address, "nothing", additional_headers=headers):
                pass
            with connect(address, additional_headers=headers) as huge:
                huge.recv()
                huge.send(bytes(65_537))
                with pytest.raises(ConnectionClosed, match="1009"):
                    huge.recv(5)
            with connect(address, additional_headers=headers) as broken:
                broken.recv()
                for content in (b"", b"\x01", "{", "[]", os.urandom(500)):
                    assert "error" in ask(broken, content) if isinstance(content, bytes) else True
                broken.socket.sendall(b"\xff" * 100)
                with pytest.raises(ConnectionClosed):
                    told_until_closed(broken)
            with connect(address, additional_headers=headers) as flood:
                opened(flood, *map(str, range(100)))
                for number in range(20):
                    many = frames.Rows(np.arange(100), np.full(100, number), np.zeros((100, 3), np.float32))
                    flood.send(frames.write(many))
                assert ask(good, {"rows": [[0, 0, rows[0]]]}) == {"answers": [[0, 0, expected[0]]]}
            half.close()
            assert ask(good, {"rows": [[0, 1, rows[1]]]}) == {"answers": [[0, 1, expected[1]]]}


PROGRAM = """
import sys, torch
from pathlib import Path
from sluicegate.nn import GRU
from sluicegate.serve import serve
torch.manual_seed(0)
serve({"layer": GRU(3, 4)}, port=0, state=Path(sys.argv[1]), started=lambda address, _: print(address, flush=True))
"""


def start(state):
    command = [sys.executable, "-c", PROGRAM, str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_sigterm_and_the_next_start_lose_no_row_and_answer_none_twice(
    run_server, connect, layer, rows, expected, tmp_path
):
    state, answers = tmp_path / "state", {}

    def note(said):
        for _, number, answer in said.get("answers", ()):
            assert number not in answers
            answers[number] = answer

    process, address = start(state)
    with connect(address) as client:
        token = opened(client, "a")
        note(ask(client, {"rows": [[0, n, rows[n]] for n in range(3)]}))
        for number in range(3, 30):
            client.send(json.dumps({"rows": [[0, number, rows[number]]]}))
        process.send_signal(signal.SIGTERM)
        told = []
        with pytest.raises(ConnectionClosed) as closed:
            told_until_closed(client, told)
    for said in told:
        note(said)
    assert told[-1] == {"leaving": {"session": token}}
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, f"resume {token}")
    assert "wrote 1 streams" in process.communicate(timeout=20)[1]
    assert process.returncode == 0

    with run_server({"layer": layer}, state=state) as (address, _), connect(address) as client:
        client.recv()
        ((_, key, due),) = ask(client, {"resume": token, "received": {"0": len(answers)}})["resumed"]["streams"]
        assert key == "a"
        assert due >= len(answers)
        client.send(json.dumps({"rows": [[0, n, rows[n]] for n in range(due, 40)]}))
        while len(answers) < 40:
            note(json.loads(client.recv(10)))
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as ready:
            assert json.load(ready) == {"status": "ready"}
    assert answers == dict(enumerate(expected))


def test_another_host_needs_a_token(layer):
    with pytest.raises(ConfigError, match="give `--token-file`"):
        serve({"layer": layer}, host="0.0.0.0", port=0)


def test_without_a_state_file_streams_end_with_the_server(run_server, connect, layer):
    with run_server({"layer": layer}) as (address, stop), connect(address) as client:
        opened(client, "a")
        stop()
        with pytest.raises(ConnectionClosed, match="1012"):
            client.recv(5)

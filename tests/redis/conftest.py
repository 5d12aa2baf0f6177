"""A Redis of the test's own, and a small model whose streams it keeps."""

import shutil
import socket
import subprocess
import time

import pytest

from sluicegate import runtime
from tests.tasks.saved_models import FOLDER


@pytest.fixture(scope="session")
def port(tmp_path_factory):
    """The port on 127.0.0.1 of a Redis that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no `redis-server`: run `apt-get install redis-server`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"bind": "127.0.0.1", "port": str(port), "save": "", "appendonly": "no"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    server = subprocess.Popen(
        [program, *arguments], cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        yield _answering(port, server)
    finally:
        server.terminate()
        server.wait(10)


def _answering(port, server):
    until = time.monotonic() + 20
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return port
        time.sleep(0.02)
    raise RuntimeError("redis-server did not begin to listen")


@pytest.fixture
def client(port):
    from redis import Redis

    with Redis("127.0.0.1", port) as client:
        client.flushall()
        yield client


@pytest.fixture
def model():
    return runtime.load(FOLDER / "series-causal")

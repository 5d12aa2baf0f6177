"""What `conftest.py` promises to the other tests."""

import socket
from pathlib import Path

import pytest
import torch


@pytest.mark.parametrize("name", ["connect", "connect_ex"])
@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_no_connection_leaves_the_machine(name, host):
    with socket.socket() as client, pytest.raises(RuntimeError, match="without a network"):
        getattr(client, name)((host, 80))


def test_connections_within_the_machine():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_relative_paths_lead_out_of_the_checkout():
    assert not Path.cwd().is_relative_to(Path(__file__).parents[1])


def test_there_is_one_thread():
    assert torch.get_num_threads() == 1

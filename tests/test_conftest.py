"""What `conftest.py` promises to the other tests."""

import socket
from pathlib import Path

import beartype
import jaxtyping
import pytest
import torch
from jaxtyping import Float

from sluicegate.training import Part, Schedule, train


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


@pytest.mark.parametrize("step", [0, 100])
def test_types_are_checked_in_the_first_steps_of_a_training(step):
    @jaxtyping.jaxtyped(typechecker=beartype.beartype)
    def halved(x: Float[torch.Tensor, " row"]) -> Float[torch.Tensor, " row"]:
        return x / 2

    def loss(number, generator):
        del generator
        return halved(weight[None] if number == step else weight).sum()

    weight = torch.nn.Parameter(torch.ones(3))
    part = Part(torch.nn.ParameterList([weight]), loss, lambda: 0.0)
    schedule = Schedule(steps=200, every=200, patience=1, learning_rate=0.01)
    if step == 0:
        with pytest.raises(jaxtyping.TypeCheckError):
            train(part.model, [part], schedule, seed=0, progress=False)
    else:
        assert len(train(part.model, [part], schedule, seed=0, progress=False).steps) == 1
    with pytest.raises(jaxtyping.TypeCheckError):
        halved(weight[None])

"""Within a block Keras' layers stay what they are, and what is left is told with the reason."""

import logging

import pytest
import torch

import sluicegate

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
from sluicegate.keras import loop  # noqa: E402 - where Keras is missing there is none

layers = keras.layers
X = torch.zeros(2, 4, 3)


class OwnCell(layers.GRUCell):
    def call(self, inputs, states, training=False):
        return states[0], states


class OwnLoop(layers.GRU):
    def inner_loop(self, sequences, initial_state, mask, training=False):
        return super().inner_loop(2 * sequences, initial_state, mask, training=training)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: layers.GRU(5, activation="gelu", name="a"), "a (GRU), activation=gelu"),
        (lambda: layers.GRU(5, activation=None, name="a"), "a (GRU), activation=linear"),
        (lambda: layers.SimpleRNN(5, activation=torch.sin, name="a"), "a (SimpleRNN), activation=sin"),
        (
            lambda: layers.LSTM(5, recurrent_activation="hard_sigmoid", name="a"),
            "a (LSTM), recurrent_activation=hard_sigmoid",
        ),
        (lambda: layers.RNN(OwnCell(5), name="a"), "a (RNN), a cell of its own (OwnCell)"),
        (lambda: layers.RNN([layers.GRUCell(5)], name="a"), "a (RNN), 1 stacked cells"),
        (lambda: layers.GRU(5, dtype="float64", name="a"), "a (GRU), float64"),
        (lambda: layers.GRU(5, dtype="mixed_bfloat16", name="a"), "a (GRU), mixed_bfloat16"),
    ],
)
def test_what_is_left(make, told, caplog):
    layer = make()
    expected = layer(X)
    with caplog.at_level(logging.INFO, "sluicegate"), sluicegate.accelerated() as summary:
        torch.testing.assert_close(layer(X), expected)
        layer(X)
    assert str(summary) == f"no layers swapped; 1 left: {told}"
    assert [record.getMessage() for record in caplog.records] == [f"left to Keras: {told}"]


def test_what_is_swapped_is_told_once(caplog):
    layer = layers.GRU(5, name="a")
    with caplog.at_level(logging.INFO, "sluicegate"), sluicegate.accelerated() as summary:
        layer(X)
        layer(X)
    assert str(summary) == "1 layer swapped (1 GRU)"
    assert [record.getMessage() for record in caplog.records] == ["swapped: a (GRU)"]


def test_a_loop_of_its_own_goes_on_to_ours():
    layer = OwnLoop(5)
    expected = layer(X + 1)
    with sluicegate.accelerated(log=False) as summary:
        torch.testing.assert_close(layer(X + 1), expected)
    assert [swap.kind for swap in summary.swapped] == ["GRU"]


def test_a_mask_of_three_axes_is_left():
    layer = layers.SimpleRNN(3, name="a")
    mask = torch.ones(2, 4, 1, dtype=torch.bool)
    expected = layer(X + 1, mask=mask)
    with sluicegate.accelerated(log=False) as summary:
        torch.testing.assert_close(layer(X + 1, mask=mask), expected)
    assert str(summary) == "no layers swapped; 1 left: a (SimpleRNN), a mask of 3 axes"


def test_another_backend_is_left(monkeypatch):
    monkeypatch.setattr(loop, "backend", lambda: None)
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with sluicegate.accelerated(log=False) as summary:
        layers.GRU(5, name="a")(X)
    assert str(summary) == (
        "no layers swapped; 1 left: a (GRU), Keras' backend is tensorflow, whose arrays the kernels do not take"
    )


def test_the_block_ends():
    before = layers.GRU.inner_loop, layers.LSTM.inner_loop, layers.RNN.inner_loop
    with sluicegate.accelerated(log=False):
        with sluicegate.accelerated(log=False):
            assert layers.GRU.inner_loop is not before[0]
        assert layers.GRU.inner_loop is not before[0]
    assert (layers.GRU.inner_loop, layers.LSTM.inner_loop, layers.RNN.inner_loop) == before


def test_torch_layers_beside_keras_are_ours_too():
    with sluicegate.accelerated(log=False) as summary:
        layers.GRU(5)(X)
        torch.nn.GRU(3, 4)(X)
    assert summary.frameworks == ["PyTorch's", "Keras'"]
    assert str(summary) == "2 layers swapped (2 GRU)"

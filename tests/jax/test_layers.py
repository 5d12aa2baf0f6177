"""The layers in JAX give the bits of `sluicegate.nn`, forward and backward."""

import numpy as np
import pytest
import torch

jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")
import jax.numpy as jnp  # noqa: E402 - where it is installed

import sluicegate.jax  # noqa: E402 - where it is installed
from sluicegate import nn  # noqa: E402 - where it is installed

CELLS = {
    "gru": (nn.GRU, {}),
    "gru, before": (nn.GRU, {"reset": "before"}),
    "gru, relu": (nn.GRU, {"activation": "relu"}),
    "gru, no biases": (nn.GRU, {"bias": False}),
    "gru, bf16": (nn.GRU, {"precision": "bf16"}),
    "lstm": (nn.LSTM, {}),
    "rnn": (nn.RNN, {}),
    "rnn, relu": (nn.RNN, {"nonlinearity": "relu"}),
    "ligru": (nn.LiGRU, {"normalization": None}),
    "mingru": (nn.MinGRU, {}),
}
CALLS = {"few, ragged, both": (3, 7, True, True), "many": (40, 12, False, False), "one step": (70, 1, False, False)}
"""Rows, steps, whether there are two directions, and whether rows end before the last step."""


def in_jax(tensor):
    return jnp.asarray(tensor.detach().numpy())


def options_of(options):
    """What the functions take of a layer's options: the shapes of the weights tell the rest."""
    renamed = {"nonlinearity": "activation"}
    left = ("bias", "normalization")
    return {renamed.get(name, name): value for name, value in options.items() if name not in left}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("cell", CELLS)
def test_outputs_states_and_gradients(cell, call, drawn, weights_of, same_bits):
    (batch, steps, bidirectional, ragged), (kind, options) = CALLS[call], CELLS[cell]
    torch.manual_seed(1)
    layer = kind(3, 5, batch_first=True, bidirectional=bidirectional, **options)
    x = drawn(batch, steps, 3).requires_grad_()
    states = [drawn(1 + bidirectional, batch, 5).requires_grad_() for _ in range(2 if cell == "lstm" else 1)]
    lengths = torch.arange(batch) % (steps + 1) if ragged else None
    scale = drawn(batch, steps, 5 * (1 + bidirectional))
    given = {"lengths": lengths} if ragged else {}
    output, final = layer(x, tuple(states) if cell == "lstm" else states[0], **given)
    finals = final if cell == "lstm" else (final,)
    ((output * scale).sum() + sum((h * h).sum() for h in finals)).backward()

    function = getattr(sluicegate.jax, kind.__name__.lower())

    def loss(x, state, weights):
        output, final = function(x, state, weights, **{n: in_jax(v) for n, v in given.items()}, **options_of(options))
        return (output * in_jax(scale)).sum() + sum((h * h).sum() for h in jax.tree.leaves(final)), (output, final)

    def outside(tensors):
        arrays = tuple(in_jax(t) if bidirectional else in_jax(t)[0] for t in tensors)
        return arrays if cell == "lstm" else arrays[0]

    arguments = (in_jax(x), outside(states), weights_of(layer))
    (_, found), gradients = jax.jit(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))(*arguments)
    same_bits(found, (in_jax(output), outside(finals)))
    d_states = outside([state.grad for state in states])
    same_bits(gradients, (in_jax(x.grad), d_states, weights_of(layer, gradients=True)))


def test_no_state_is_a_zero_state(drawn, weights_of, same_bits):
    weights, x = weights_of(nn.LSTM(3, 5)), in_jax(drawn(4, 6, 3))
    zeros = jnp.zeros((4, 5))
    same_bits(sluicegate.jax.lstm(x, None, weights), sluicegate.jax.lstm(x, (zeros, zeros), weights))


def test_time_major_and_a_single_sequence(drawn, weights_of, same_bits):
    weights, x, h = weights_of(nn.GRU(3, 5)), in_jax(drawn(4, 6, 3)), in_jax(drawn(4, 5))
    output, final = sluicegate.jax.gru(x, h, weights)
    turned, same = sluicegate.jax.gru(x.swapaxes(0, 1), h, weights, time_major=True)
    same_bits((turned.swapaxes(0, 1), same), (output, final))
    same_bits(sluicegate.jax.gru(x[1], h[1], weights), (output[1], final[1]))
    same_bits(sluicegate.jax.gru(x[1], h[1], weights, lengths=2)[0][:2], output[1, :2])


def test_reverse_is_the_second_half_of_both_directions(drawn, weights_of, same_bits):
    both, x = weights_of(nn.GRU(3, 5, bidirectional=True)), in_jax(drawn(4, 6, 3))
    lengths = jnp.array([6, 1, 0, 4])
    output, final = sluicegate.jax.gru(x, None, both, lengths=lengths)
    own, last = sluicegate.jax.gru(x, None, both[1], lengths=lengths, reverse=True)
    same_bits((own, last), (output[:, :, 5:], final[1]))


def test_gradients_that_nobody_asks_for(drawn, weights_of, same_bits):
    """Of the final state alone, and by the weights alone: what is left out of the calls changes nothing else."""
    weights, x = weights_of(nn.LSTM(3, 5)), in_jax(drawn(4, 6, 3))

    def loss(x, weights):
        _, (h, _) = sluicegate.jax.lstm(x, None, weights)
        return (h * h).sum()

    alone = jax.grad(loss, argnums=1)(x, weights)
    same_bits(alone, jax.grad(loss, argnums=(0, 1))(x, weights)[1])
    by_differences = (loss(x + 1e-2, weights) - loss(x - 1e-2, weights)) / 2e-2
    np.testing.assert_allclose(jax.grad(loss)(x, weights).sum(), by_differences, rtol=1e-2)


def test_compiled_recomputed_and_empty(drawn, weights_of, same_bits):
    weights, x = weights_of(nn.GRU(3, 5)), in_jax(drawn(4, 6, 3))

    def loss(weights):
        return (sluicegate.jax.gru(x, None, weights)[0] ** 2).sum()

    expected = jax.grad(loss)(weights)
    same_bits(jax.jit(jax.grad(loss))(weights), expected)
    same_bits(jax.grad(jax.checkpoint(loss))(weights), expected)
    assert sluicegate.jax.gru(x[:0], None, weights)[0].shape == (0, 6, 5)

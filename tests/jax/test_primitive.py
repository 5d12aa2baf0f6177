"""`vmap` over a layer makes one call of it, and gives what a loop over the examples gives."""

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")
import jax.numpy as jnp  # noqa: E402 - where it is installed

from sluicegate.jax import Weights, gru  # noqa: E402 - where it is installed

LENGTHS = jnp.array([6, 2, 0, 5])


@pytest.fixture
def arrays(drawn):
    def array(*shape):
        return jnp.asarray(drawn(*shape).numpy())

    return Weights(array(15, 3), array(15, 5), array(15), array(15)), array(4, 6, 3), array(4, 5)


def loss(weights, x, h, length):
    output, final = gru(x, h, weights, lengths=length)
    return (output**2).sum() + (final**2).sum()


def mapped(weights, x, h):
    return jax.vmap(loss, (None, 0, 0, 0))(weights, x, h, LENGTHS).sum()


def test_a_mapped_layer_is_one_call(arrays):
    for program, calls in ((mapped, 1), (jax.grad(mapped), 2)):
        assert str(jax.make_jaxpr(jax.jit(program))(*arrays)).count("sluicegate") == calls


def test_examples_as_rows_of_a_batch(arrays, same_bits):
    weights, x, h = arrays
    same_bits(jax.grad(mapped, (0, 1, 2))(*arrays), jax.grad(loss, (0, 1, 2))(weights, x, h, LENGTHS))
    rows = jax.vmap(lambda x: gru(x, None, weights, time_major=True)[0], 1, 1)(x)
    same_bits(rows, gru(x.swapaxes(0, 1), None, weights)[0].swapaxes(0, 1))


def test_gradients_of_each_example(arrays):
    weights, x, h = arrays
    found = jax.vmap(jax.grad(loss), (None, 0, 0, 0))(weights, x, h, LENGTHS)
    for i in range(4):
        expected = jax.grad(loss)(weights, x[i], h[i], LENGTHS[i])
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a[i], b)


def test_weights_of_each_example(arrays):
    weights, x, h = arrays
    stacked = jax.tree.map(lambda w: jnp.stack([w, 2 * w, -w, w]), weights)
    found = jax.vmap(loss)(stacked, x, h, LENGTHS)
    for i in range(4):
        assert found[i] == loss(jax.tree.map(lambda w, i=i: w[i], stacked), x[i], h[i], LENGTHS[i])


def test_only_the_state_is_mapped(arrays, same_bits):
    weights, x, h = arrays
    found = jax.vmap(lambda h: gru(x[0], h, weights)[0])(h)
    same_bits(found, jnp.stack([gru(x[0], row, weights)[0] for row in h]))

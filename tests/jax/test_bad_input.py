"""What is refused, in a sentence each."""

import jaxtyping
import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")
import jax.numpy as jnp  # noqa: E402 - where it is installed

from sluicegate import ConfigError  # noqa: E402 - where it is installed
from sluicegate.jax import Weights, arrays, gru, lstm  # noqa: E402 - where it is installed

X, W = jnp.zeros((4, 7, 3)), Weights(jnp.zeros((15, 3)), jnp.zeros((15, 5)))
BIASES = jnp.zeros(15)


class OnGpu:
    """An array as JAX would show it on a machine with a GPU."""

    platform = "gpu"

    def devices(self):
        return {self}


@pytest.fixture(autouse=True)
def _unchecked(monkeypatch):
    """Turn off the run-time check of annotations, which a user does not have, to see our own refusals."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((np.zeros((4, 7, 3)), None, W), {}, "`x` is of float64, and the kernels compute in float32"),
        ((X, None, Weights(np.zeros((15, 3)), W.hidden)), {}, "`weights.input` is of float64"),
        (([1.0], None, W), {}, "`x` must be an array of JAX or NumPy, not a list"),
        ((X[0, 0], None, W), {}, "`x` must have 2 or 3 axes, but is of shape (3,)"),
        ((X, jnp.zeros((3, 5)), W), {}, "`h` is of shape (3, 5), and must be (4, 5), or None"),
        ((X, None, Weights(W.input)), {}, "`weights.hidden` is missing, and must be (15, 5) in a gru of 5 units"),
        ((X, None, Weights(W.input, W.hidden, BIASES)), {}, "`weights.hidden_bias` is missing"),
        ((X, None, Weights(W.input[:, :2], W.hidden)), {}, "`weights.input` is of shape (15, 2), and must be (15, 3)"),
        ((X, None, (W, W, W)), {}, "`weights` must be the arrays of one direction"),
        ((X, None, (W, W)), {"reverse": True}, "`reverse` is for the weights of one direction"),
        ((X, None, W), {"activation": "gelu"}, "`activation` (='gelu') must be 'tanh' or 'relu'"),
        ((X, None, W), {"reset": "never"}, "`reset` (='never') must be 'after' or 'before'"),
        ((X, None, W), {"lengths": jnp.array([8, 1, 1, 1])}, "`lengths[0]` (=8) must be from 0 to 7"),
        ((X, None, W), {"lengths": [1.0, 1.0, 1.0, 1.0]}, "`lengths` must be whole numbers, of shape (4,)"),
        ((X, None, W), {"mask": jnp.ones((7, 4), bool)}, "`mask` must be marks, true or false, of shape (4, 7)"),
        ((X, None, W), {"mask": jnp.ones((4, 7), bool), "lengths": [1] * 4}, "`lengths` and `mask` say the same"),
    ],
)
def test_refused(arguments, options, sentence):
    with pytest.raises(ConfigError) as caught:
        gru(*arguments, **options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_state_that_is_no_pair():
    with pytest.raises(ConfigError, match=r"the state of an lstm is a pair, `\(h, c\)`, or None"):
        lstm(X, jnp.zeros((4, 5)), Weights(jnp.zeros((20, 3)), jnp.zeros((20, 5))))


def test_an_array_on_a_gpu():
    with pytest.raises(ConfigError, match="`x` is on a gpu, and the kernels compute on the CPU: move it by"):
        arrays.on_cpu("x", OnGpu())


def test_lengths_that_are_known_only_when_they_are_computed():
    with pytest.raises(
        jax.errors.JaxRuntimeError, match=r"`lengths\[1\]` \(=9\) must be from 0 to 7, the steps of `x`"
    ):
        jax.block_until_ready(jax.jit(lambda n: gru(X, None, W, lengths=n)[0])(jnp.array([1, 9, 1, 1])))


def test_a_call_that_is_not_ours():
    """Whoever calls the handlers himself gets a sentence, and not another's memory."""
    from sluicegate.jax.calls import Inputs, Layer, forward

    layer = Layer("gru", 0, 0, 1, False, True, False)
    for weights in ((W.input,), (W.input, W.hidden[:, :4]), (W.input, W.hidden, W.hidden)):
        with pytest.raises(jax.errors.JaxRuntimeError, match="of a layer's call is not of the type and shape"):
            jax.block_until_ready(forward(layer, Inputs(X, (), weights, None), keep=False))

"""On its JAX backend Keras' layers put out what they do without, and have the same gradients, without PyTorch."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
pytest.importorskip("jax", reason="jax is not installed: `make test-adapters` installs it")

PROGRAM = """
import sys
import warnings
warnings.simplefilter("ignore")
import jax, keras, numpy as np, sluicegate
layers = keras.layers
rng = np.random.default_rng(0)
x = rng.normal(size=(3, 5, 2)).astype("float32")
mask = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 0, 0]], bool)
h = rng.normal(size=(3, 4)).astype("float32")

def check(layer, **given):
    layer(x)
    variables = layer.trainable_variables

    def loss(values, x):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))):
            found = keras.tree.flatten(layer(x, **given))
        return sum((keras.ops.sin(part)).sum() for part in found), found

    def both():
        values = [v.value for v in variables]
        (_, found), gradients = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(values, x)
        return jax.tree.leaves((found, gradients))

    expected = both()
    with sluicegate.accelerated(log=False) as summary:
        found = both()
    assert summary.swapped and not summary.left, str(summary)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)

check(layers.GRU(4, activation="relu"))
check(layers.GRU(4, reset_after=False, return_sequences=True, return_state=True), mask=mask, initial_state=[h])
check(layers.LSTM(4, go_backwards=True, zero_output_for_mask=True, return_sequences=True), mask=mask)
check(layers.RNN([layers.SimpleRNNCell(4, use_bias=False), layers.GRUCell(4)]), mask=mask)
check(layers.Bidirectional(layers.LSTM(4)))

with sluicegate.accelerated(log=False) as summary:
    model = keras.Sequential([keras.Input((5, 2)), layers.GRU(4, recurrent_dropout=0.5, name="a"), layers.GRU(4)][:2])
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, h, verbose=0)
assert "recurrent_dropout in training" in str(summary), str(summary)
assert "torch" not in sys.modules
print("done")
"""


def test_keras_on_jax():
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)
    assert done.stdout == "done\n", done.stderr

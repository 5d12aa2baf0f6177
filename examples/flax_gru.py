"""A GRU of Sluicegate as a layer of Flax NNX, which learns to continue a sine wave.

pip install 'sluicegate[jax]' flax optax
python examples/flax_gru.py
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from sluicegate.jax import Weights, gru


class GRU(nnx.Module):
    """A recurrent layer: its weights are parameters of NNX, and its computation is Sluicegate's."""

    def __init__(self, features: int, hidden: int, *, rngs: nnx.Rngs) -> None:
        bound = hidden**-0.5
        shapes = (3 * hidden, features), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,)
        drawn = [jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound) for shape in shapes]
        self.input, self.hidden, self.input_bias, self.hidden_bias = map(nnx.Param, drawn)

    def __call__(self, x: jax.Array, h: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
        """Compute the outputs and the last state of `[batch time features]`."""
        parameters = self.input, self.hidden, self.input_bias, self.hidden_bias
        return gru(x, h, Weights(*(parameter[...] for parameter in parameters)))


class Model(nnx.Module):
    """The layer, and a dense one on its last state."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.layer = GRU(1, 50, rngs=rngs)
        self.dense = nnx.Linear(50, 1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Tell the point after each window."""
        return self.dense(self.layer(x)[1])


@nnx.jit
def step(model: Model, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
    """Take a step of Adam, and give the loss before it."""
    loss, gradients = nnx.value_and_grad(lambda model: ((model(x) - y) ** 2).mean())(model)
    optimizer.update(model, gradients)
    return loss


def main() -> None:
    """Train on all windows of the wave."""
    wave = jnp.sin(jnp.arange(1000) * 0.1)
    windows = jnp.stack([wave[i : i + 51] for i in range(949)])
    x, y = windows[:, :50, None], windows[:, 50:]
    model = Model(rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
    losses = [float(step(model, optimizer, x[i::30], y[i::30])) for _ in range(2) for i in range(30)]
    print(f"loss {losses[0]:.4f} before, {losses[-1]:.4f} after {len(losses)} steps")


if __name__ == "__main__":
    main()

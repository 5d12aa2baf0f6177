"""A GRU of Sluicegate as a module of Equinox, which reads one sequence and is mapped over a batch by `jax.vmap`.

    pip install 'sluicegate[jax]' equinox
    python examples/equinox_gru.py

What `vmap` maps over becomes rows of one batch: the kernels are called once, forward and backward.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from sluicegate.jax import Weights, gru


class GRU(eqx.Module):
    """A recurrent layer over one sequence."""

    weights: Weights

    def __init__(self, features: int, hidden: int, *, key: jax.Array) -> None:
        bound = hidden**-0.5
        shapes = (3 * hidden, features), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,)
        keys = jax.random.split(key, len(shapes))
        drawn = [jax.random.uniform(k, s, minval=-bound, maxval=bound) for k, s in zip(keys, shapes, strict=True)]
        self.weights = Weights(*drawn)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute the outputs and the last state of `[time features]`."""
        return gru(x, None, self.weights)


class Model(eqx.Module):
    """The layer, and a dense one on its last state."""

    layer: GRU
    dense: eqx.nn.Linear

    def __init__(self, *, key: jax.Array) -> None:
        of_layer, of_dense = jax.random.split(key)
        self.layer = GRU(1, 50, key=of_layer)
        self.dense = eqx.nn.Linear(50, 1, key=of_dense)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Tell the point after one window."""
        return self.dense(self.layer(x)[1])


@eqx.filter_jit
def step(model: Model, x: jax.Array, y: jax.Array) -> tuple[Model, jax.Array]:
    """Take a step down the gradient, and give the loss before it."""
    loss, gradients = eqx.filter_value_and_grad(lambda model: ((jax.vmap(model)(x) - y) ** 2).mean())(model)
    return eqx.apply_updates(model, jax.tree.map(lambda gradient: -0.1 * gradient, gradients)), loss


def main() -> None:
    """Train on all windows of the wave."""
    wave = jnp.sin(jnp.arange(1000) * 0.1)
    windows = jnp.stack([wave[i : i + 51] for i in range(949)])
    x, y = windows[:, :50, None], windows[:, 50:]
    model, losses = Model(key=jax.random.key(0)), []
    for i in range(60):
        model, loss = step(model, x[i % 30 :: 30], y[i % 30 :: 30])
        losses.append(float(loss))
    print(f"loss {losses[0]:.4f} before, {losses[-1]:.4f} after {len(losses)} steps")


if __name__ == "__main__":
    main()

"""A GRU in JAX: the input's product for all steps at once, and a scan over what is left, compiled as a whole."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from peers.problem import WEIGHTS, Array, Mode, Problem, Way


def gru(weights: Any, x: Any, *, unroll: int) -> Any:
    """The output of every step; the matrices are [in, 3 * hidden], for the gates r, z, n."""
    w_i, w_h, b_i, b_h = weights
    hidden = w_h.shape[0]
    b_n = b_h[2 * hidden :]  # the only bias that the reset gate's product keeps apart
    projected = x @ w_i + b_i + b_h.at[2 * hidden :].set(0)

    def step(h: Any, i: Any) -> tuple[Any, Any]:
        product = h @ w_h
        r = jax.nn.sigmoid(i[:, :hidden] + product[:, :hidden])
        z = jax.nn.sigmoid(i[:, hidden : 2 * hidden] + product[:, hidden : 2 * hidden])
        n = jnp.tanh(i[:, 2 * hidden :] + r * (product[:, 2 * hidden :] + b_n))
        h = n + z * (h - n)
        return h, h

    return jax.lax.scan(step, jnp.zeros((x.shape[1], hidden)), projected, unroll=unroll)[1]


class Peer:
    """JAX; its threads are as many as there are processors that the process may use."""

    version = f"jax {jax.__version__}"

    def __init__(self, threads: int) -> None:
        del threads

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """One step of the scan at a time, or four."""
        weights = [jnp.asarray(getattr(problem, name).T) for name in WEIGHTS]
        x, scale = jnp.asarray(problem.x), jnp.asarray(problem.scale)

        def way(unroll: int) -> Way:
            layer = partial(gru, unroll=unroll)
            if mode == "forward":
                forward = jax.jit(layer)
                return Way(
                    lambda: jax.block_until_ready(forward(weights, x)), lambda output: {"output": np.asarray(output)}
                )
            training = jax.jit(jax.value_and_grad(lambda weights, x, scale: (layer(weights, x) * scale).sum()))
            return Way(lambda: jax.block_until_ready(training(weights, x, scale)), _gradients)

        return {f"scan, unroll={unroll}": way(unroll) for unroll in (1, 4)}


def _gradients(result: Any) -> dict[str, Array]:
    return {name: np.asarray(gradient).T for name, gradient in zip(WEIGHTS, result[1], strict=True)}

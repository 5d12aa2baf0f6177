"""Our layers, in JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import sluicegate
from peers.problem import WEIGHTS, Array, Mode, Problem, Way
from sluicegate.jax import Weights, gru


class Peer:
    """`sluicegate.jax.gru`, compiled as a whole with what is around it, as `by_jax` is."""

    version = f"sluicegate {sluicegate.__version__}, jax {jax.__version__}"

    def __init__(self, threads: int) -> None:
        del threads

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """One call of the kernels."""
        weights = Weights(*(jnp.asarray(getattr(problem, name)) for name in WEIGHTS))
        x, scale = jnp.asarray(problem.x), jnp.asarray(problem.scale)

        def layer(weights: Weights, x: Any) -> Any:
            return gru(x, None, weights, time_major=True)[0]

        if mode == "forward":
            forward = jax.jit(layer)
            return {
                "kernels": Way(
                    lambda: jax.block_until_ready(forward(weights, x)), lambda output: {"output": np.asarray(output)}
                )
            }
        training = jax.jit(jax.value_and_grad(lambda weights, x, scale: (layer(weights, x) * scale).sum()))
        return {"kernels": Way(lambda: jax.block_until_ready(training(weights, x, scale)), _gradients)}


def _gradients(result: Any) -> dict[str, Array]:
    return {name: np.asarray(gradient) for name, gradient in zip(WEIGHTS, result[1], strict=True)}

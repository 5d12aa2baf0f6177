"""The GRU of Keras on TensorFlow, compiled by `tf.function`, with and without XLA."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from peers.problem import WEIGHTS, Array, Mode, Problem, Way, reordered


class Peer:
    """`keras.layers.GRU(reset_after=True)`, which has PyTorch's equations; its batches come first."""

    version = f"keras {keras.__version__} on tensorflow {tf.__version__}"

    def __init__(self, threads: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """A graph, or a graph compiled by XLA, which is sometimes the faster one and sometimes not."""
        x = tf.constant(problem.x.swapaxes(0, 1))
        scale = tf.constant(problem.scale.swapaxes(0, 1))
        layer = keras.layers.GRU(problem.hidden, return_sequences=True, reset_after=True)
        layer.build(x.shape)
        w_i, w_h, b_i, b_h = (reordered(getattr(problem, name)) for name in WEIGHTS)
        layer.set_weights([w_i.T, w_h.T, np.stack([b_i, b_h])])

        def forward(x: Any) -> Any:
            return layer(x)

        def training(x: Any, scale: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x, training=True) * scale)
            return tape.gradient(loss, layer.trainable_variables)

        def way(xla: bool) -> Way:
            if mode == "forward":
                graph = tf.function(forward, jit_compile=xla)
                return Way(lambda: graph(x), lambda output: {"output": np.asarray(output).swapaxes(0, 1)})
            graph = tf.function(training, jit_compile=xla)
            return Way(lambda: graph(x, scale), _gradients)

        return {"graph": way(xla=False), "XLA": way(xla=True)}


def _gradients(gradients: Any) -> dict[str, Array]:
    kernel, recurrent, bias = map(np.asarray, gradients)
    by_name = zip(WEIGHTS, (kernel.T, recurrent.T, *bias), strict=True)
    return {name: reordered(gradient) for name, gradient in by_name}

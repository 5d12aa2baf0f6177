"""Fifty models of Keras' over all forms of its recurrent layers: what they put out, and their gradients.

    KERAS_BACKEND=torch python benchmarks/peers/keras_forms.py there.npz [accelerated]

The forms, the weights and the data are drawn by NumPy from the model's number, the same on every backend. Dropout is
not among them, for each backend draws numbers of its own.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np

COUNT, BATCH, STEPS, FEATURES, UNITS = 50, 5, 7, 3, 6
MASKS = ("none", "none", "padded", "leading", "holes", "all")
BACKEND = keras.backend.backend()


def recurrent(number: int, rng: Any) -> tuple[Any, int]:
    """Draw a recurrent layer, and count the tensors of its initial state."""
    draw: Any = lambda *choices: choices[rng.integers(len(choices))]  # noqa: E731
    cell = {"activation": draw("tanh", "relu"), "use_bias": draw(True, True, False)}
    layer = {
        "return_sequences": draw(True, False),
        "go_backwards": draw(False, False, True),
        "zero_output_for_mask": draw(True, False),
    }
    kind = ("gru", "gru", "lstm", "rnn", "cells", "bidirectional")[number % 6]
    reset = {"reset_after": bool(number % 4 < 2)}
    if kind == "gru":
        return keras.layers.GRU(UNITS, return_state=draw(True, False), **reset, **cell, **layer), 1
    if kind == "lstm":
        return keras.layers.LSTM(UNITS, return_state=draw(True, False), **cell, **layer), 2
    if kind == "rnn":
        return keras.layers.SimpleRNN(UNITS, **cell, **layer), 1
    if kind == "cells":
        one = keras.layers.GRUCell(UNITS, **reset, **cell), keras.layers.SimpleRNNCell(UNITS, **cell)
        return keras.layers.RNN(draw(one[0], [*one]), **layer), 0
    inner = draw(keras.layers.GRU(UNITS, **reset, **cell), keras.layers.LSTM(UNITS, **cell))
    inner.return_sequences = layer["return_sequences"]
    return keras.layers.Bidirectional(inner, merge_mode=draw("concat", "sum", "mul", "ave")), 0


def mask_of(rng: Any) -> Any:
    """A mask of one kind or another; in the last kind a row is masked throughout."""
    kind = MASKS[rng.integers(len(MASKS))]
    lengths, steps = rng.integers(1, STEPS + 1, (BATCH, 1)), np.arange(STEPS)
    if kind == "none":
        return None
    if kind == "padded":
        return steps < lengths
    if kind == "leading":
        return steps >= STEPS - lengths
    mask = rng.random((BATCH, STEPS)) < 0.6
    mask[0] = kind == "holes" and mask[0]
    return mask


class Case:
    """A model: a recurrent layer, and a dense one on what it puts out."""

    def __init__(self, number: int) -> None:
        rng = np.random.default_rng(number)
        self.layer, states = recurrent(number, rng)
        self.dense = keras.layers.Dense(2)
        self.mask = mask_of(rng)
        self.x = rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
        # Before the first step that is not masked, one backend has the initial state as the output and others zeros.
        first = -1 if getattr(self.layer, "go_backwards", False) else 0
        given = states if self.mask is None or self.mask[:, first].all() else 0
        given *= int(rng.integers(2))
        self.states = [rng.normal(size=(BATCH, UNITS)).astype("float32") for _ in range(given)]
        self.call(self.x)
        for part in (self.layer, self.dense):
            part.set_weights([0.5 * rng.normal(size=w.shape).astype("float32") for w in part.get_weights()])

    @property
    def variables(self) -> list[Any]:
        """The weights."""
        return [*self.layer.trainable_variables, *self.dense.trainable_variables]

    def call(self, x: Any) -> tuple[Any, Any]:
        """The outputs, and a number that depends on all that the layer puts out."""
        states = {"initial_state": [keras.ops.convert_to_tensor(s) for s in self.states]} if self.states else {}
        mask = None if self.mask is None else keras.ops.convert_to_tensor(self.mask)
        found = self.layer(x, mask=mask, training=True, **states)
        found = list(found) if isinstance(found, list | tuple) else [found]
        outputs = self.dense(found[0])
        return outputs, sum(keras.ops.sum(keras.ops.sin(part)) for part in (outputs, *found[1:]))


def on_torch(case: Case) -> list[Any]:
    """The outputs, and the gradients of the weights and of the input."""
    import torch

    x = torch.tensor(case.x, requires_grad=True)
    outputs, loss = case.call(x)
    found = torch.autograd.grad(loss, [*(v.value for v in case.variables), x])
    return [t.detach().numpy() for t in (outputs, *found)]


def on_jax(case: Case) -> list[Any]:
    """The same."""
    import jax

    def loss(values: Any, x: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(case.variables, values, strict=True))):
            outputs, loss = case.call(x)
        return loss, outputs

    values = [v.value for v in case.variables]
    (_, outputs), (weights, x) = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(values, case.x)
    return [np.asarray(t) for t in (outputs, *weights, x)]


def on_tensorflow(case: Case) -> list[Any]:
    """The same."""
    import tensorflow as tf

    x = tf.Variable(case.x)
    with tf.GradientTape() as tape:
        outputs, loss = case.call(tf.convert_to_tensor(x))
    found = tape.gradient(loss, [*(v.value for v in case.variables), x])
    return [np.asarray(tf.convert_to_tensor(t)) for t in (outputs, *found)]


def main(path: str, *words: str) -> None:
    """Compute all, and write them into a file."""
    run = {"torch": on_torch, "jax": on_jax, "tensorflow": on_tensorflow}[BACKEND]
    block: Any = nullcontext()
    if "accelerated" in words:
        import sluicegate

        block = sluicegate.accelerated(log=False)
    arrays: dict[str, Any] = {}
    with block as summary:
        for number in range(COUNT):
            arrays |= {f"{number}.{place}": array for place, array in enumerate(run(Case(number)))}
    np.savez(path, **arrays)
    print(summary or f"Keras on {BACKEND}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Masks, with holes or without: as a step-by-step loop has them."""

import numpy as np
import pytest
import torch

jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")
import jax.numpy as jnp  # noqa: E402 - where it is installed

from sluicegate import nn  # noqa: E402 - where it is installed
from sluicegate.jax import gru, held  # noqa: E402 - where it is installed

MASK = np.array(
    [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]],
    dtype=bool,
)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
def test_masked_steps_leave_the_state(reverse, time_major, drawn, weights_of):
    layer, x, h = nn.GRU(3, 4), drawn(5, 5, 3), drawn(5, 4)
    expected, state = torch.zeros(5, 5, 4), h.clone()
    cell = nn.GRUCell(3, 4)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(cell, name).data = getattr(layer, f"{name}_l0").data
    with torch.no_grad():
        for t in reversed(range(5)) if reverse else range(5):
            new = cell(x[:, t], state)
            read = torch.from_numpy(MASK[:, t])[:, None]
            state = torch.where(read, new, state)
            expected[:, t] = torch.where(read, new, 0)

    def turned(array):
        return array.swapaxes(0, 1) if time_major else array

    mask = jnp.asarray(MASK)

    @jax.jit
    def run(x, mask):
        return gru(x, h.numpy(), weights_of(layer), mask=mask, reverse=reverse, time_major=time_major)

    output, final = run(turned(jnp.asarray(x.numpy())), turned(mask))
    np.testing.assert_array_equal(turned(output), expected)
    np.testing.assert_array_equal(final, state)


def test_held_repeats_the_last_output_that_was_read():
    output = jnp.where(jnp.asarray(MASK), jnp.arange(1.0, 6.0), 0)[:, :, None]
    expected = [[1, 2, 3, 4, 5], [1, 2, 2, 2, 2], [0, 0, 3, 4, 5], [0, 2, 2, 4, 4], [0] * 5]
    np.testing.assert_array_equal(held(output, jnp.asarray(MASK))[:, :, 0], expected)

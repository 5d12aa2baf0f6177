"""What comes as an array: looked at before the kernels, which get bare addresses, read it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sluicegate.errors import ConfigError


def floats(name: str, value: Any, *axes: int) -> jax.Array:
    """Take an array of float32 that is on the CPU.

    Args:
        name: Of the argument.
        value: It.
        axes: How many there may be.

    Raises:
        ConfigError: It is something else.
    """
    if not isinstance(value, jax.Array | np.ndarray):
        raise ConfigError(f"`{name}` must be an array of JAX or NumPy, not a {type(value).__name__}: convert it")
    if value.dtype != jnp.float32:
        raise ConfigError(
            f"`{name}` is of {value.dtype}, and the kernels compute in float32: convert it by `.astype('float32')`"
        )
    if value.ndim not in axes:
        raise ConfigError(f"`{name}` must have {' or '.join(map(str, axes))} axes, but is of shape {value.shape}")
    on_cpu(name, value)
    return jnp.asarray(value)


def rows(name: str, value: Any, shape: tuple[int, ...], kind: Any) -> jax.Array:
    """Take whole numbers or marks (`kind` is jnp.integer or jnp.bool) of a shape.

    Raises:
        ConfigError: It is something else.
    """
    value = value if isinstance(value, jax.Array) else np.asarray(value)
    if not jnp.issubdtype(value.dtype, kind) or value.shape != shape:
        raise ConfigError(
            f"`{name}` must be {'marks, true or false' if kind is jnp.bool else 'whole numbers'}, of shape {shape} as "
            f"`x` has it, but it is {value.dtype} of shape {value.shape}"
        )
    on_cpu(name, value)
    return jnp.asarray(value)


def within(lengths: jax.Array, steps: int) -> jax.Array:
    """Refuse lengths that are known and not from 0 to the number of steps: the others are looked at by the kernels.

    Raises:
        ConfigError: One is not.
    """
    if not isinstance(lengths, jax.core.Tracer):
        for row, length in enumerate(np.asarray(lengths).tolist()):
            if not 0 <= length <= steps:
                raise ConfigError(
                    f"`lengths[{row}]` (={length}) must be from 0 to {steps}, the steps of `x`: "
                    "pad `x` to the longest row"
                )
    return lengths.astype(jnp.int32)


def on_cpu(name: str, value: Any) -> None:
    """Refuse an array whose numbers lie elsewhere.

    Raises:
        ConfigError: They do.
    """
    if isinstance(value, jax.core.Tracer | np.ndarray):
        return
    elsewhere = {device.platform for device in value.devices()} - {"cpu"}
    if elsewhere:
        raise ConfigError(
            f"`{name}` is on a {elsewhere.pop()}, and the kernels compute on the CPU: move it by "
            "`jax.device_put(array, jax.devices('cpu')[0])`"
        )

"""Arrays as C has them."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy import ndarray


def literal(number: Any) -> str:
    """A 32-bit float, as few digits as bring back the same bits.

    >>> literal(0.1), literal(2)
    ('0.1f', '2.0f')
    """
    return f"{np.float32(number)!s}f"


def double(number: Any) -> str:
    """A 64-bit float, likewise.

    >>> double(1 / 3)
    '0.3333333333333333'
    """
    return repr(float(number))


def constant(kind: str, name: str, array: ndarray) -> str:
    """A constant array of floats, doubles or whole numbers.

    >>> print(constant("int8_t", "q", np.int8([[1, -2]])))
    static const int8_t q[2] = {
      1, -2,
    };
    """
    write = {"float": literal, "double": double}.get(kind, str)
    numbers = ", ".join(write(number) for number in array.reshape(-1).tolist()) + ","
    lines = textwrap.fill(numbers, 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return f"static const {kind} {name}[{array.size}] = {{\n{lines}\n}};"

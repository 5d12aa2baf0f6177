"""From a network to a folder of C."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from sluicegate.errors import ConfigError
from sluicegate.export.layers import is_whole
from sluicegate.export.network import Network
from sluicegate.export.vectors import expected_of, inputs_for

from .source import sources
from .vectors import test_program

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
STEPS = 24
"""Steps of the test in `model_test.c`."""
TOLERANCE = 2e-6


class Written(NamedTuple):
    """What was written.

    Args:
        files: their paths.
        state_bytes: of the caller's struct.
        constant_bytes: of the weights and other constants.
        multiply_adds: of a step that computes the layers.
    """

    files: tuple[Path, ...]
    state_bytes: int
    constant_bytes: int
    multiply_adds: int


def write_c(network: Network, folder: str | Path, *, name: str = "model") -> Written:
    """Write a network down in C99: `NAME.h`, `NAME.c` and `NAME_test.c`.

    Args:
        network: such as `sluicegate.export.of_folder` and `of_layers` make them.
        folder: where the files go; those of the same names are replaced.
        name: what the files and all names in them begin with.

    Returns:
        What was written.

    Raises:
        ConfigError: `name` is none of C.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"`name` (={name!r}) must be a name of C: a letter, then letters, digits and '_'")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    inputs = inputs_for(network, STEPS)
    made = sources(network, name, version("sluicegate"))
    texts = {f"{name}.h": made.header, f"{name}.c": made.source, f"{name}_test.c": _test(network, name, inputs)}
    for file, text in texts.items():
        (place / file).write_text(text, encoding="utf-8")
    files = tuple(place / file for file in texts)
    return Written(files, made.state_bytes, made.constant_bytes, network.multiply_adds)


def _test(network: Network, name: str, inputs: ndarray) -> str:
    expected = expected_of(network, inputs)
    exact = all(map(is_whole, network.members[0].layers))
    exact = exact and network.shape is None and network.members[0].weight is None and network.mean is None
    largest = max(1.0, float(np.abs(expected).max(initial=0.0)))
    return test_program(name, inputs, expected, 0.0 if exact else TOLERANCE * largest)

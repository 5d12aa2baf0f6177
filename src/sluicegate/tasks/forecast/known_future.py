"""What training saw of the future: covariates known in advance, as arrays of the saved model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sluicegate.data import Panel, TimeAxis


def future_arrays(future: Panel | None, names: tuple[Any, ...], known: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays, none where nothing is known of the future."""
    if future is None or not known:
        return {}
    numbers = {name: i for i, name in enumerate(names)}
    future = future.take(np.array([name in numbers for name in future.names]))  # the others were too short to train on
    return {
        "future": np.stack([future.columns[name] for name in known]),
        "future_series": np.array([numbers[name] for name in future.names]),
        "future_starts": future.starts,
        "future_bounds": future.bounds,
    }


def future_panel(
    arrays: Mapping[str, np.ndarray], axis: TimeAxis, names: tuple[Any, ...], known: tuple[str, ...]
) -> Panel | None:
    """The panel that `future_arrays` made these of."""
    if "future" not in arrays:
        return None
    values, series, starts, bounds = (
        arrays[name] for name in ("future", "future_series", "future_starts", "future_bounds")
    )
    return Panel(axis, tuple(names[i] for i in series), bounds, starts, dict(zip(known, values, strict=True)), {})

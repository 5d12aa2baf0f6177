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
    """The panel that `future_arrays` made these of.

    Raises:
        ValueError: the arrays do not fit one another.
    """
    if "future" not in arrays:
        return None
    values, series, starts, bounds = (
        arrays[name] for name in ("future", "future_series", "future_starts", "future_bounds")
    )
    if (
        any(array.dtype != np.int64 or array.ndim != 1 for array in (series, starts, bounds))
        or values.shape != (len(known), bounds[-1] if len(bounds) else -1)
        or values.dtype != np.float64
        or not len(series) == len(starts) == len(bounds) - 1
        or bounds[0] != 0
        or (np.diff(bounds) < 1).any()
        or len(np.unique(series)) < len(series)
        or (series < 0).any()
        or (series >= len(names)).any()
        or not np.isfinite(values).all()
    ):
        raise ValueError("scaler.safetensors holds a future that does not fit the series")
    return Panel(axis, tuple(names[i] for i in series), bounds, starts, dict(zip(known, values, strict=True)), {})

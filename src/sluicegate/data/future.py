"""Where a table's future begins: rows at the end of a series that have covariates, but no target yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64


def coming_rows(
    targets: Sequence[Float64[np.ndarray, " rows"]], bounds: Int64[np.ndarray, " bounds"]
) -> Bool[np.ndarray, " rows"] | None:
    """The rows after the last one of each series that has a target; None where there are none.

    A series without any target has no history, and so no future.

    Args:
        targets: NaN where they are empty.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
    """
    if not targets or not all(np.isnan(values[bounds[1:] - 1]).any() for values in targets):
        return None
    empty = np.isnan(targets[0])
    for values in targets[1:]:
        empty &= np.isnan(values)
    rows = np.arange(len(empty))
    last = np.maximum.reduceat(np.where(empty, -1, rows), bounds[:-1])
    last = np.where(last < 0, bounds[1:] - 1, last)
    coming: Bool[np.ndarray, " rows"] = rows > np.repeat(last, np.diff(bounds))
    return coming if coming.any() else None

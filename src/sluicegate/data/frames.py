"""Frames in the kind that the user works with."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import polars as pl


def backend_of(data: Any) -> Any:
    """What kind of frame it is, as narwhals names it."""
    return nw.from_native(data, eager_only=True).implementation


def like(frame: pl.DataFrame, backend: Any) -> Any:
    """The frame in another kind."""
    if backend.is_pandas_like():
        return frame.to_pandas()
    return frame.to_arrow() if backend.is_pyarrow() else frame

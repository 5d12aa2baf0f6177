"""Frames in the kind that the user works with."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from .headings import headed

KINDS = {
    "pandas": nw.Implementation.PANDAS,
    "pyarrow": nw.Implementation.PYARROW,
    "polars": nw.Implementation.POLARS,
}


def backend_of(data: Any) -> Any:
    """What kind of frame it is, as narwhals names it."""
    return nw.from_native(headed(data), eager_only=True).implementation


def kind_of(backend: Any) -> str:
    """The kind's name, which a saved model remembers; all that is like pandas is pandas."""
    if backend.is_pandas_like():
        return "pandas"
    return "pyarrow" if backend.is_pyarrow() else "polars"


def kind_named(kind: str) -> Any:
    """What `kind_of` named, or polars where that package is not installed."""
    return KINDS[kind] if find_spec(kind) is not None else nw.Implementation.POLARS


def short_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with floating-point numbers of 32 bits, which are written with the few digits that tell them apart."""
    return frame.cast({pl.Float64: pl.Float32})


def like(frame: pl.DataFrame, backend: Any) -> Any:
    """The frame in another kind."""
    if not (backend.is_pandas_like() or backend.is_pyarrow()):
        return frame
    pa: Any = import_module("pyarrow")  # whoever works with such frames has it, and nobody else needs it

    # Column by column: a whole frame is converted in polars' threads, which a forked process does not have.
    table = pa.table({column.name: column.to_arrow() for column in frame})
    return table if backend.is_pyarrow() else table.to_pandas(date_as_object=False)

"""Tables and answers as JSON takes them."""

from __future__ import annotations

import math
from typing import Any

import polars as pl


def as_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """A table as JSON takes it: times in the form of ISO 8601, numbers as they are."""
    rows: list[dict[str, Any]] = table.to_dicts()
    return [{name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in row.items()} for row in rows]


def finite(value: Any) -> Any:
    """A value in which what is not a finite number is None, for JSON has no word for it."""
    if isinstance(value, dict):
        return {str(name): finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

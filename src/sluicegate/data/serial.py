"""What polars would do in threads of its own, done in the calling thread.

A forked process does not have polars' threads: where an operation needs them, it waits for ever. Everything that is
done to a column of a user's goes by operations that need none, or by those below.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64


def computed(column: pl.Series, expression: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """An expression of a column, without sorting: that asks for threads in any case.

    polars computes the inputs of an expression in its threads where it has more of these than there are expressions.
    """
    here = pl.col("here")  # `pl.col` of the column's own name would be many columns where that is `*` or `^x$`
    others = [here.alias(str(number)) for number in range(pl.thread_pool_size() + 1)]
    frame = pl.DataFrame([column.alias("here")]).select_seq(expression(here).alias("here"), *others)
    return frame["here"].alias(column.name)


def changes(column: pl.Series) -> Bool[np.ndarray, " rows"]:
    """Which values differ from the one before, the first one included; a missing value is one like any other."""
    differ = np.ones(len(column), dtype=bool)
    before, after = column.head(max(0, len(column) - 1)), column.slice(1)
    differ[1:][(before == after).arg_true().to_numpy()] = False
    if column.null_count():
        missing = column.is_null().to_numpy()
        differ[1:][missing[1:] & missing[:-1]] = False
    return differ


def codes(*columns: pl.Series) -> Int64[np.ndarray, " rows"]:
    """Numbers from 0 that are equal where texts or whole numbers are, in all of the columns."""
    found = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if column.dtype == pl.Int128:  # which NumPy does not have
            column = column.cast(pl.String)
        keys = column.cast(pl.Categorical).to_physical() if column.dtype == pl.String else column
        distinct, own = np.unique(keys.to_numpy(), return_inverse=True)
        found = np.unique(found * len(distinct) + own, return_inverse=True)[1].astype(np.int64)
    return found

"""Many texts, kept as a table keeps them: beside those of a list they take a fifth of the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import overload

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64

_AT_ONCE = 10_000  # texts that are made of the column together, where all are gone through


class TextColumn(Sequence[str]):
    """Texts as a sequence of them, each of which is made when it is asked for.

    Args:
        series: of texts, none of which is missing.
    """

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    @classmethod
    def of(cls, texts: Sequence[str]) -> TextColumn:
        """A few texts as such a column."""
        return cls(pl.Series(texts, dtype=pl.String))

    @classmethod
    def pairs(cls, pairs: Iterable[tuple[str, str]]) -> tuple[TextColumn, TextColumn]:
        """The first texts of pairs, and the second ones."""
        remaining, parts = iter(pairs), [pl.DataFrame(schema={"first": pl.String, "second": pl.String})]
        while some := list(islice(remaining, _AT_ONCE)):
            parts.append(pl.DataFrame(some, schema=parts[0].schema, orient="row"))
        both = pl.concat(parts)
        return cls(both["first"]), cls(both["second"])

    def __len__(self) -> int:
        """How many texts."""
        return len(self._series)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> TextColumn: ...

    def __getitem__(self, place: int | slice) -> str | TextColumn:
        """A text, or some that follow one another."""
        if isinstance(place, slice):
            return TextColumn(self._series[place])
        text: str = self._series[place]
        return text

    def __iter__(self) -> Iterator[str]:
        """All texts."""
        for begin in range(0, len(self._series), _AT_ONCE):
            yield from self._series[begin : begin + _AT_ONCE].to_list()

    def __eq__(self, other: object) -> bool:
        """Whether the texts are the same."""
        return isinstance(other, TextColumn) and self._series.equals(other._series)

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        """The first of them."""
        return f"TextColumn({self._series.head(3).to_list()}, {len(self)} in all)"

    def take(self, rows: Int64[np.ndarray, " rows"]) -> TextColumn:
        """Some of the texts, in this order."""
        return TextColumn(self._series.gather(rows))

    def behind(self, other: TextColumn) -> TextColumn:
        """The other's texts, and then these."""
        return TextColumn(pl.concat([other._series, self._series], rechunk=False))

    def ranks(self, alike: Callable[[str], str] = str) -> Int64[np.ndarray, " texts"]:
        """Texts as numbers from 0 up in their order, equal ones as the same number.

        Args:
            alike: what is equal of texts that count as equal.
        """
        series = self._series
        parts = [series[begin : begin + _AT_ONCE] for begin in range(0, len(series), _AT_ONCE)]
        made = [pl.Series([alike(text) for text in part.to_list()], dtype=pl.String) for part in parts]
        found: Int64[np.ndarray, " texts"] = pl.concat(made).rank("dense").to_numpy().astype(np.int64) - 1
        return found


def with_words(series: pl.Series) -> Bool[np.ndarray, " texts"]:
    """Which texts of a column are neither missing nor blank."""
    found = np.empty(len(series), dtype=bool)
    for begin in range(0, len(series), _AT_ONCE):
        some = series[begin : begin + _AT_ONCE].to_list()
        found[begin : begin + len(some)] = [text is not None and bool(text.strip()) for text in some]
    return found

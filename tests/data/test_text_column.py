"""Texts as a table keeps them are a sequence like a list."""

import numpy as np
import polars as pl
import pytest

from sluicegate.data import text_column
from sluicegate.data.text_column import TextColumn, with_words

TEXTS = ["the cat", "", "\u732b \U0001f408", "The Cat ", "a\nb", "the cat"]


@pytest.fixture(params=[2, 4, 10_000])
def column(request, monkeypatch):
    """The texts, of which so many are made at a time."""
    monkeypatch.setattr(text_column, "_AT_ONCE", request.param)
    return TextColumn.of(TEXTS)


def test_it_is_a_sequence(column):
    assert list(column) == TEXTS
    assert [column[place] for place in range(len(column))] == TEXTS
    assert (column[-1], list(column[1:3]), list(reversed(column))) == (TEXTS[-1], TEXTS[1:3], TEXTS[::-1])
    assert "a\nb" in column
    with pytest.raises(IndexError):
        column[len(TEXTS)]
    assert list(TextColumn.of([])) == []
    assert repr(column) == "TextColumn(['the cat', '', '\u732b \U0001f408'], 6 in all)"


def test_parts_of_it(column):
    rows = np.array([4, 0, 4])
    assert list(column.take(rows)) == [TEXTS[row] for row in rows]
    assert column.take(rows) == TextColumn.of(["a\nb", "the cat", "a\nb"]) != column
    assert list(column.behind(TextColumn.of(["first"]))) == ["first", *TEXTS]


def test_equal_texts_have_one_number(column):
    order = sorted(set(TEXTS))
    assert column.ranks().tolist() == [order.index(text) for text in TEXTS]
    alike = [text.strip().casefold() for text in TEXTS]
    order = sorted(set(alike))
    assert column.ranks(lambda text: text.strip().casefold()).tolist() == [order.index(text) for text in alike]


def test_blank_ones_are_told(column):
    series = pl.Series([*TEXTS, None, " \t\u3000", "\x1c"])
    assert with_words(series).tolist() == [True, False, True, True, True, True, False, False, False]

"""Pairs out of tables: what is blank is left out and counted, what is no text is refused."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sluicegate.data import Source
from sluicegate.data.text_column import TextColumn
from sluicegate.errors import DataError
from sluicegate.tasks.generation.texts import Texts, given_texts, pairs_of

TABLE = pl.DataFrame(
    {
        "de": ["Hund", None, " ", "Katze", "Baum"],
        "en": ["dog", "x", "y", "\t\n", "tree"],
        "by": ["a", "b", "c", None, None],
    }
)


def test_blank_and_missing_ones_are_left_out_and_counted():
    texts, left_out = pairs_of(TABLE, "de", "en", "by", Source())
    assert ([*texts.sources], [*texts.targets]) == (["Hund", "Baum"], ["dog", "tree"])
    assert texts.groups == TextColumn.of(["a", ""])
    assert left_out == 3


def test_nothing_but_blanks():
    with pytest.raises(DataError, match=re.escape("t.csv holds no pair of texts: expected a row at least with a text")):
        pairs_of(TABLE[1:4], "de", "en", None, Source("t.csv"))


def test_numbers_are_no_texts():
    with pytest.raises(DataError, match="column 'n' in the table is of type Int64: expected texts"):
        pairs_of(TABLE.with_columns(n=pl.int_range(5)), "n", "en", None, Source())
    with pytest.raises(DataError, match="text 1 of the sequence is int"):
        given_texts(["a", 3], "de", Source())
    with pytest.raises(DataError, match="no texts to read"):
        given_texts(None, "de", Source())


def test_classes_are_texts():
    texts, _ = pairs_of(TABLE.with_columns(pl.col("en").cast(pl.Categorical)), "de", "en", None, Source())
    assert [*texts.targets] == ["dog", "tree"]


def test_halves_of_surrogate_pairs_become_question_marks():
    table = pd.DataFrame({"de": ["a \ud800 b"], "en": ["x"]})
    assert given_texts(table["de"].to_list(), "de", Source())[0] == ["a ? b"]


def test_a_missing_text_is_blank():
    assert given_texts(TABLE, "de", Source())[0] == ["Hund", "", " ", "Katze", "Baum"]
    assert given_texts(["a", None], "de", Source())[0] == ["a", ""]


def test_some_of_them():
    texts = Texts(*(TextColumn.of([*letters]) for letters in ("abc", "def", "ghi")))
    assert texts.first(2) == Texts(*(TextColumn.of([*letters]) for letters in ("ab", "de", "gh")))
    assert [*texts.take(np.array([2, 0])).sources] == ["c", "a"]
    assert len(texts.first(9)) == 3

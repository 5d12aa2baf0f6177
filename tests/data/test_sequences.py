"""Texts in every kind of sequence are the same texts."""

import re
from collections import deque

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sluicegate.data.sequences import texts_in
from sluicegate.errors import DataError

TEXTS = ["a film", "", "fine"]
MISSING = ["a film", None, "fine"]
POLARS, PANDAS, ARROW = (getattr(nw.Implementation, name) for name in ("POLARS", "PANDAS", "PYARROW"))


@pytest.mark.parametrize(
    ("data", "backend"),
    [
        (TEXTS, POLARS),
        (tuple(MISSING), POLARS),
        (deque(TEXTS), POLARS),
        (iter(TEXTS), POLARS),
        (dict.fromkeys(TEXTS).keys(), POLARS),
        (["a film", np.nan, np.str_("fine")], POLARS),
        (["a film", pd.NA, "fine"], POLARS),
        (np.array(TEXTS), POLARS),
        (np.array(MISSING, dtype=object), POLARS),
        (np.array(["a film", np.nan, "fine"], dtype=object), POLARS),
        (pd.Series(MISSING, index=[7, 8, 7]), PANDAS),
        (pd.Series(["a film", np.nan, "fine"]), PANDAS),
        (pd.Series(MISSING, dtype="string"), PANDAS),
        (pd.Series(MISSING, dtype="category"), PANDAS),
        (pd.Series(MISSING, dtype=pd.ArrowDtype(pa.string())), PANDAS),
        (pd.Index(TEXTS), PANDAS),
        (pd.array(MISSING, dtype="string"), PANDAS),
        (pl.Series(MISSING), POLARS),
        (pl.Series(MISSING, dtype=pl.Categorical), POLARS),
        (nw.from_native(pl.Series(MISSING), series_only=True), POLARS),
        (pa.array(MISSING), ARROW),
        (pa.array(MISSING, pa.large_string()).dictionary_encode(), ARROW),
        (pa.chunked_array([MISSING[:2], MISSING[2:]]), ARROW),
    ],
    ids=lambda value: getattr(type(value), "__name__", None),
)
def test_texts_of_any_sequence(data, backend):
    assert texts_in(data, "the sequence") == (TEXTS, backend)


@pytest.mark.parametrize("data", [pl.DataFrame({"text": TEXTS}), pa.table({"text": TEXTS}), {"text": TEXTS}, 7, {"a"}])
def test_what_is_no_sequence_is_left_to_the_reader_of_tables(data):
    assert texts_in(data, "the sequence") is None


def test_all_missing():
    for data in (pd.Series([np.nan, np.nan]), pl.Series([None, None]), [None, float("nan")], pa.nulls(2)):
        assert texts_in(data, "the sequence")[0] == ["", ""]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("a text", "not a single text: put it into a list"),
        (b"a text", "not a single bytes: put it into a list"),
        (
            ["a", 1],
            "text 1 of the sequence is int: expected texts in the sequence; convert it by `str`, or leave it out",
        ),
        (pd.Series(["a", "b", 2.5], dtype=object), "text 2 of the sequence is float"),
        (np.array([3, 4]), "text 0 of the sequence is int"),
        (np.array([b"a"]), "text 0 of the sequence is bytes: expected texts in the sequence; decode it by `.decode()`"),
        (pl.Series([["a"], ["b"]]), "text 0 of the sequence is list"),
        (np.array([["a", "b"]]), "is an array of shape (1, 2): expected one text after the other"),
        (np.array("a"), "is an array without an axis"),
    ],
)
def test_what_is_no_text_is_named_by_its_place(data, words):
    with pytest.raises(DataError, match=re.escape(words)):
        texts_in(data, "the sequence")

"""Recordings from arrays and tables: what goes in comes out, and what is wrong is said in one sentence."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sluicegate.data import Recordings
from sluicegate.errors import DataError

PARTS = [np.arange(6.0).reshape(3, 2), np.arange(4.0).reshape(2, 2)]
TABLE = pl.DataFrame(
    {
        "id": ["b", "a", "b", "a", "b"],
        "t": [1, 5, 2, 9, 3],
        "x": [0.0, 0.0, 2.0, 2.0, 4.0],
        "y": [1.0, 1.0, 3.0, 3.0, 5.0],
        "kind": ["u", "v", "u", "v", "u"],
        "who": [1, 2, 1, 2, 1],
    }
)


def refuse(words, make, *arguments, **options):
    with pytest.raises(DataError, match=re.escape(words)) as raised:
        make(*arguments, **options)
    assert "\n" not in str(raised.value)


def test_arrays_are_kept_as_they_are():
    found = Recordings.of_arrays(PARTS, labels=[0, 1], groups=("p", "q"))
    assert found.values[0] is PARTS[0]
    assert found.lengths.tolist() == [3, 2]
    assert found.channels == ("channel 0", "channel 1")
    assert found.labels.to_list() == [0, 1]
    assert found.groups.to_list() == ["p", "q"]
    assert [part.tolist() for part in found.take(np.array([1])).values] == [PARTS[1].tolist()]
    assert found.take(np.array([1])).groups.to_list() == ["q"]


def test_lists_whole_numbers_and_single_channels():
    found = Recordings.of_arrays([[1, 2, 3], np.array([4, 5])])
    assert [part.shape for part in found.values] == [(3, 1), (2, 1)]
    assert found.values[0].dtype == np.float64
    assert Recordings.of_arrays(np.zeros((2, 5, 3), np.float32)).values[0].dtype == np.float32


def test_a_table_is_cut_by_its_recordings():
    found = Recordings.of_table(TABLE, series="id", time="t", label="kind", group="who")
    assert found.channels == ("x", "y")
    assert found.names.to_list() == ["b", "a"]
    assert [part.tolist() for part in found.values] == [part.tolist() for part in PARTS]
    assert found.labels.to_list() == ["u", "v"]
    assert found.groups.to_list() == [1, 2]
    chosen = Recordings.of_table(TABLE.to_pandas(), series="id", channels=["y"])
    assert chosen.values[1].tolist() == [[1.0], [3.0]]


def test_padding_at_the_end_is_length():
    nan, padded = np.nan, np.array([[[1, 2], [3, 4]], [[5, 6], [np.nan, np.nan]]])
    for arrays in (padded, padded.astype(np.float32), list(padded), padded.tolist(), np.ma.masked_invalid(padded)):
        found = Recordings.of_arrays(arrays)
        assert [part.tolist() for part in found.values] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert Recordings.of_arrays([[1.0, None], [nan, 2.0, nan, nan][1:]]).lengths.tolist() == [1, 1]


def test_padding_in_a_table_is_length():
    rows = [("b", 1, 0.0, 1.0), ("a", 1, 2.0, 3.0), ("b", 2, None, None), ("a", 2, 4.0, 5.0), ("b", None, None, None)]
    table = pl.DataFrame(rows, schema=["id", "t", "x", "y"], orient="row")
    for frame in (table, table.to_pandas(), table.to_arrow(), table.sort("id", maintain_order=True)):
        found = Recordings.of_table(frame, series="id", time="t")
        parts = dict(zip(found.names, (part.tolist() for part in found.values), strict=True))
        assert parts == {"b": [[0, 1]], "a": [[2, 3], [4, 5]]}
    refuse(
        "channel 'x' has no finite number in row 2",
        Recordings.of_table,
        table.with_columns(y=pl.lit(1.0), t=pl.Series([1, 1, 2, 2, 3])),
        series="id",
        time="t",
    )
    refuse("recording 'b' has no number in any row", Recordings.of_table, table[1:], series="id", time="t")
    gone = table.with_columns(x=pl.Series([None, 2.0, 1.0, 4.0, None]), y=pl.Series([None, 3.0, 1.0, 5.0, None]))
    refuse("channel 'x' has no finite number in row 0 (1 such", Recordings.of_table, gone, series="id", time="t")


NAMES = ["u", None, "v"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array(["u", None, "v"], dtype=object), NAMES),
        (np.array(["u", np.nan, "v"], dtype=object), NAMES),
        (pd.Series(NAMES, index=[7, 7, 8]), NAMES),
        (pd.Series(NAMES, dtype="category"), NAMES),
        (pd.Categorical(NAMES), NAMES),
        (pd.Series(NAMES, dtype="string"), NAMES),
        (pl.Series(NAMES, dtype=pl.Categorical), NAMES),
        (pa.array(NAMES), NAMES),
        (pa.chunked_array([NAMES]), NAMES),
        (np.array([[b"u"], [b"w"], [b"v"]]), ["u", "w", "v"]),
        ([1, float("nan"), 2], [1, None, 2]),
        (np.array([1.0, np.nan, 2.0]), [1.0, None, 2.0]),
        (pd.Series([1, None, 2], dtype="Int64"), [1, None, 2]),
        (pd.Series([True, False, None]), [True, False, None]),
        (np.array([3, 4, 5], dtype=np.uint8), [3, 4, 5]),
    ],
)
def test_labels_of_any_kind(labels, expected):
    assert Recordings.of_arrays([*PARTS, PARTS[0]], labels=labels).labels.to_list() == expected


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (np.zeros((3, 2)), "not an array of shape (3, 2): put a single recording into a list"),
        ("abc", "expected a sequence of [time, channels] arrays or a long table, not str"),
        ([], "there are no recordings in the recordings"),
        ([PARTS[0], np.zeros((0, 2))], "recording 1 in the recordings has no rows: leave it out"),
        ([PARTS[0], np.zeros((4, 3))], "recording 1 in the recordings has 3 channels where 2 were expected"),
        ([PARTS[0], np.zeros((4, 1))], "recording 1 in the recordings has 1 channel where 2 were expected"),
        ([np.zeros((4, 0))], "recording 0 in the recordings has no channels"),
        ([np.zeros((4, 2, 2))], "recording 0 in the recordings is of shape (4, 2, 2)"),
        ([["a", "b"]], "recording 0 in the recordings is not an array of numbers"),
        ([[[1.0, 2.0], [3.0]]], "recording 0 in the recordings is not an array of numbers"),
        ([np.array([[0.0, np.nan], [np.inf, 1.0]])], "holds nan at step 0, channel 1 (2 such in all), and numbers"),
        ([np.array([[1.0, 2.0], [3.0, np.nan]])], "recording 0 in the recordings holds nan at step 1, channel 1"),
        ([np.array([[np.nan, np.nan], [3.0, 1.0]])], "recording 0 in the recordings holds nan at step 0, channel 0"),
        ([PARTS[0], np.full((3, 2), np.nan)], "recording 1 in the recordings holds no values but missing ones"),
        ([np.array([[0.0], [1e31]])], "holds 1e+31 at step 1, channel 0: expected values of at most 1e+30"),
    ],
)
def test_arrays_that_cannot_be_used(arrays, words):
    refuse(words, Recordings.of_arrays, arrays)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": [0, 1, 1]}, "there are 2 recordings and 3 labels: expected as many"),
        ({"groups": [0]}, "there are 2 recordings and 1 groups: expected as many"),
        ({"labels": "kind"}, "`labels` (='kind') names a column, which recordings in arrays do not have"),
        ({"labels": [0, "a"]}, "`labels` holds values of mixed types, int and str"),
        ({"labels": np.eye(2)}, "`labels` holds an array of shape (2,) for recording 0: expected one value for each"),
        ({"labels": [b"a", b"\xff"]}, "`labels` holds bytes that are not UTF-8 for recording 1"),
    ],
)
def test_labels_that_cannot_be_used(options, words):
    refuse(words, Recordings.of_arrays, PARTS, **options)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            TABLE.with_columns(t=pl.Series([1, 5, 1, 9, 3])),
            "time column 't' does not ascend in row 2, where 1 follows 1",
        ),
        (TABLE.with_columns(t=pl.Series([1, 5, None, 9, 3])), "time column 't' is empty in row 2"),
        (
            TABLE.with_columns(x=pl.Series([1, 5, None, 9, 3])),
            "channel 'x' has no finite number in row 2 (1 such in all)",
        ),
        (TABLE.with_columns(x=pl.lit("word")), "column 'x' holds the text 'word' in row 0"),
        (
            TABLE.with_columns(kind=pl.Series(["u", "v", "w", "v", "u"])),
            "column 'kind' changes within recording 'b', to 'w' in row 2",
        ),
        (TABLE.with_columns(id=pl.Series(["b", None, "b", "a", "b"])), "series column 'id' is empty in row 1"),
        (TABLE.clear(), "the table holds no rows"),
        (TABLE.drop("t"), "there is no column 't' in the table"),
        (TABLE.select("id", "t", "kind"), "the table has no columns beside id, t, kind: expected channels of numbers"),
        (pd.DataFrame({"id": ["a", 1], "t": [0, 1], "kind": [0, 0], "x": [1.0, 2.0]}), "mixed types"),
        ([1, 2], "expected a pandas or polars data frame or an Arrow table, not list"),
    ],
)
def test_tables_that_cannot_be_used(table, words):
    refuse(words, Recordings.of_table, table, series="id", time="t", label="kind")

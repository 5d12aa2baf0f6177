from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data import Source, read_panel
from sluicegate.errors import DataError

DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(6)]


def panel_of(frame, **options):
    return read_panel(frame, **{"time": "t", "values": ["x"], **options})


def refused(frame, **options):
    with pytest.raises(DataError) as caught:
        panel_of(frame, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def table(t, x=None, **more):
    return pl.DataFrame({"t": t, "x": [float(i) for i in range(len(t))] if x is None else x, **more}, strict=False)


def long_table(series=("b", "a", "c"), rows=4):
    return pl.DataFrame(
        {
            "s": [name for name in series for _ in range(rows)],
            "t": list(range(rows)) * len(series),
            "x": [100.0 * i + j for i in range(len(series)) for j in range(rows)],
        }
    )


def test_series_lie_end_to_end_in_order_of_appearance():
    panel = panel_of(long_table(), series="s")
    assert panel.names == ("b", "a", "c")
    assert panel.bounds.tolist() == [0, 4, 8, 12]
    assert panel.rows == 12
    assert panel.lengths.tolist() == [4, 4, 4]
    assert panel.columns["x"].tolist() == long_table()["x"].to_list()
    assert panel.filled == {}


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["a", "b", "c"])])
def test_a_table_in_order_of_time_is_the_same_panel(kind):
    series_major = long_table().with_columns(pl.col("s").cast(kind))
    time_major = series_major.sort("t", maintain_order=True)
    one, other = panel_of(series_major, series="s"), panel_of(time_major, series="s")
    assert one.names == other.names == ("b", "a", "c")
    assert one.bounds.tolist() == other.bounds.tolist()
    assert one.columns["x"].tolist() == other.columns["x"].tolist()


@given(st.data())
def test_rows_of_series_may_be_mixed_in_any_way(data):
    lengths = data.draw(st.lists(st.integers(2, 5), min_size=1, max_size=4))
    labels = data.draw(st.permutations([i for i, length in enumerate(lengths) for _ in range(length)]))
    count = dict.fromkeys(labels, 0)
    times = []
    for label in labels:
        times.append(count[label])
        count[label] += 1
    frame = pl.DataFrame({"s": labels, "t": times, "x": [100.0 * a + b for a, b in zip(labels, times, strict=True)]})
    panel = panel_of(frame, series="s")
    assert panel.names == tuple(dict.fromkeys(labels))
    for i, name in enumerate(panel.names):
        part = panel.columns["x"][panel.bounds[i] : panel.bounds[i + 1]]
        assert part.tolist() == [100.0 * name + j for j in range(lengths[name])]


def test_whole_numbers_name_series():
    assert panel_of(long_table((3, 1, 2)), series="s").names == (3, 1, 2)


def test_columns_are_views_where_nothing_had_to_change():
    values = np.arange(4.0)
    panel = panel_of(pl.DataFrame({"t": range(4), "x": values}))
    assert panel.columns["x"].tolist() == values.tolist()
    assert not panel.columns["x"].flags.owndata


def test_ticks_go_on_past_the_end():
    panel = panel_of(long_table().with_columns(pl.col("t") * 5), series="s")
    assert panel.ticks(np.array([1, 1, 2]), np.array([4, 9, 12])).tolist() == [0, 25, 20]


def test_taking_some_series():
    frame = long_table().with_columns(x=pl.when(pl.col("x") == 201.0).then(None).otherwise("x"))
    panel = panel_of(frame, series="s", fill="forward").take(np.array([True, False, True]))
    assert panel.names == ("b", "c")
    assert panel.bounds.tolist() == [0, 4, 8]
    assert panel.columns["x"].tolist() == [0, 1, 2, 3, 200, 200, 202, 203]
    assert panel.filled["x"].tolist() == [False] * 5 + [True, False, False]


def test_lines_are_named_as_the_file_has_them():
    frame = (
        long_table().sort("t", maintain_order=True).with_columns(x=pl.Series([float(i) for i in range(11)] + [None]))
    )
    assert "in line 13 of sales.csv" in refused(frame, series="s", source=Source("sales.csv", 2))
    assert "in row 11" in refused(frame, series="s")


def test_a_single_row():
    assert "single row" in refused(table([1]))
    assert "single row" in refused(long_table(rows=1), series="s")


def test_no_row():
    assert "holds no rows" in refused(table([1]).head(0))


# Series


def test_a_series_column_with_nulls():
    frame = long_table().with_columns(s=pl.when(pl.col("x") == 101).then(None).otherwise("s"))
    assert "series column 's' is empty in row 5" in refused(frame, series="s")


@pytest.mark.parametrize("kind", [pl.Float64, pl.Date, pl.Boolean])
def test_a_series_column_of_another_type(kind):
    frame = long_table((0, 1)).with_columns(pl.col("s").cast(pl.Int32).cast(kind))
    assert "series column 's' is of type" in refused(frame, series="s")


# Filling in


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("forward", [2, 2, 2, 2, 5, 5]),
        ("linear", [2, 2, 3, 4, 5, 5]),
        ("zero", [0, 2, 0, 0, 5, 0]),
    ],
)
def test_missing_values_are_filled_in(fill, expected):
    panel = panel_of(table(range(6), [None, 2.0, float("nan"), float("inf"), 5.0, None]), fill=fill)
    assert panel.columns["x"].tolist() == expected
    guess = fill != "zero"  # what is empty says 0; what is infinite said something else
    assert panel.filled["x"].tolist() == [guess, False, guess, True, False, guess]


@pytest.mark.parametrize(
    ("fill", "expected"), [("forward", [1, 1, 1, 7]), ("linear", [1, 3, 5, 7]), ("zero", [1, 0, 0, 7])]
)
def test_missing_rows_are_filled_in(fill, expected):
    panel = panel_of(table([0, 3, 4, 5], [1.0, 7.0, 8.0, 9.0]), fill=fill)
    assert panel.columns["x"].tolist() == [*expected, 8, 9]
    assert [bool(gone) for gone in panel.filled.get("x", np.zeros(6))] == [False, *[fill != "zero"] * 2, *[False] * 3]


def test_missing_days_and_missing_months_are_filled_in():
    panel = panel_of(table([DAYS[0], DAYS[1], DAYS[4], DAYS[5]]), fill="linear")
    np.testing.assert_allclose(panel.columns["x"], [0, 1, 4 / 3, 5 / 3, 2, 3])
    months = [date(2024, month, 1) for month in (1, 2, 3, 6)]
    assert panel_of(table(months), fill="zero").columns["x"].tolist() == [0, 1, 2, 0, 0, 3]


def test_series_are_filled_in_each_by_itself():
    frame = pl.DataFrame(
        {"s": ["a", "a", "a", "b", "b", "b"], "t": [0, 1, 3, 0, 1, 2], "x": [1.0, 2.0, 4.0, None, 8.0, 9.0]}
    )
    for order in (frame, frame.sort("t", maintain_order=True)):
        panel = panel_of(order, series="s", fill="forward")
        assert panel.bounds.tolist() == [0, 4, 7]
        assert panel.columns["x"].tolist() == [1, 2, 2, 4, 8, 8, 9]


def test_nothing_to_fill_in_from():
    frame = long_table(("a", "b")).with_columns(x=pl.when(pl.col("s") == "b").then(None).otherwise("x"))
    assert "column 'x' of series 'b' has no value at all" in refused(frame, series="s", fill="linear")
    assert panel_of(frame, series="s", fill="zero").columns["x"][4:].tolist() == [0, 0, 0, 0]
    assert "column 'x' has no value at all" in refused(table([0, 1], [None, None]), fill="forward")


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 2, 4, 5, 7, 9]])
def test_filling_in_does_not_hide_other_faults(times):
    assert "time column 't'" in refused(table(times), fill="linear")


def test_a_gap_too_wide_to_fill_in():
    sentence = refused(table([0, 1, 2, 10**13]), fill="zero")
    assert "has gaps of 9,999,999,999,997 rows in all, where the table has 4" in sentence


# A ledger: no row says 0


def ledger(**rows):
    """A table of series, each with these times and a value of 1."""
    return pl.concat(
        [
            pl.DataFrame({"s": name, "t": times, "x": 1.0}, schema_overrides={"t": pl.Int64})
            for name, times in rows.items()
        ]
    )


def read_ledger(frame, **options):
    return read_panel(frame, time="t", series="s", values=["x"], targets=["x"], fill="zero", **options)


def test_a_ledgers_series_end_with_the_table_and_begin_with_their_first_row():
    panel = read_ledger(ledger(a=[0, 1, 5], b=[3, 4], c=[2, 9]))
    assert panel.bounds.tolist() == [0, 10, 17, 25]
    assert panel.starts.tolist() == [0, 3, 2]
    assert panel.columns["x"][:10].tolist() == [1, 1, 0, 0, 0, 1, 0, 0, 0, 0]
    assert panel.columns["x"][10:17].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert panel.filled == {}
    assert panel.zeros == 25 - 7
    guessed = read_panel(
        ledger(a=[0, 1, 5], b=[3, 4]), time="t", series="s", values=["x"], targets=["x"], fill="linear"
    )
    assert guessed.lengths.tolist() == [6, 2]


def test_a_series_that_was_there_before_begins_with_the_table():
    since = {"a": 0, "b": -50, "c": 2}
    panel = read_ledger(
        ledger(a=[4, 5], b=[3, 5], c=[3, 9], d=[7, 8], e=[1, 2]),
        since=lambda names: np.array([since.get(name, np.iinfo(np.int64).max) for name in names]),
    )
    assert panel.starts.tolist() == [1, 1, 2, 7, 1]
    assert panel.lengths.tolist() == [9, 9, 8, 3, 9]


def test_series_off_step_with_each_other_end_within_the_table():
    panel = read_ledger(ledger(a=[0, 7, 14, 28], b=[3, 10, 17]))
    assert panel.axis.step == 7
    assert panel.lengths.tolist() == [5, 4]  # b's next one would be the 31st


def test_the_future_of_a_ledger_begins_for_all_series_at_once():
    frame = pl.DataFrame(
        {
            "s": ["a"] * 6 + ["b"] * 5,
            "t": [0, 1, 2, 3, 4, 5, 0, 1, 3, 4, 5],
            "x": [1.0, 2, 3, 4, None, None, 5, 6, None, None, None],
            "price": 1.0,
        }
    )
    panel = read_panel(frame, time="t", series="s", values=["x", "price"], targets=["x"], known=["price"], fill="zero")
    assert panel.lengths.tolist() == [4, 4]
    assert panel.columns["x"].tolist() == [1, 2, 3, 4, 5, 6, 0, 0]
    assert panel.future.lengths.tolist() == [2, 2]


def test_a_ledger_of_many_series_with_few_rows_is_no_mistake_but_a_wrong_time_is():
    frame = ledger(**{f"s{i}": [i % 7, 7 * i + 9, 7 * i + 10] for i in range(1, 300)})
    panel = read_ledger(frame)
    assert panel.rows > 100 * len(frame)
    assert "look for a wrong time" in refused(
        ledger(a=[0, 1, 2], b=[0, 10**13]), series="s", targets=["x"], fill="zero"
    )


def test_a_ledger_with_few_rows_has_the_step_that_divides_all():
    assert read_ledger(ledger(a=[0, 2, 4, 5], b=[1, 3, 4, 7])).lengths.tolist() == [8, 7]
    assert "most rows are 2 apart" in refused(ledger(a=[0, 2, 4, 5, 7]), series="s")

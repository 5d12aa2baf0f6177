"""A stream of forecasts says, row by row, what `predict` says of all rows so far, to the bit."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sluicegate
from sluicegate.errors import DataError, SnapshotError, StreamError
from sluicegate.streaming import snapshots

QUICK = {"hidden": 4, "steps": 20, "batch": 32, "context": 12, "season": 6, "segment": 3}


def table(rows, names=("a", "b"), every="1h", start=datetime(2024, 1, 1)):
    """Waves with a column that is known in advance and one that is not."""
    time = pl.select(pl.datetime_range(start, datetime(2060, 1, 1), every).head(rows)).to_series()
    parts = []
    for number, name in enumerate(names, 1):
        hours = np.arange(rows)
        sales = np.round(10 * number + 3 * np.sin(hours * 2 * np.pi / 6) + 0.01 * hours + hours * number % 5 * 0.1, 3)
        columns = {"id": [name] * rows, "time": time, "price": hours % 7 / 7.0, "wind": hours % 5 / 5.0, "sales": sales}
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def trained(rows, *, fill=None, roles=None, **knobs):
    task = sluicegate.Forecaster(3, **{**QUICK, "fill": fill, **knobs})
    return task.fit(rows, time="time", target="sales", progress=False, **(roles or {}))


@pytest.fixture(scope="module")
def several():
    return trained(table(80), roles={"series": "id", "past": ["wind"]})


@pytest.fixture(scope="module")
def priced():
    return trained(table(80), roles={"series": "id", "known": ["price"], "past": ["wind"]})


@pytest.fixture(scope="module", params=["forward", "linear", "zero"])
def filling(request):
    return trained(table(80, ("a",)).drop("id"), fill=request.param)


@pytest.fixture(scope="module")
def single():
    return trained(table(80, ("a",)).drop("id"))


def same(one, other):
    assert one.columns == other.columns
    for name in one.columns:
        assert one[name].to_list() == other[name].to_list(), name


@settings(max_examples=6)
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=25), st.integers(1, 4), st.integers(0, 20))
def test_no_bit_hangs_on_how_rows_are_pushed(several, order, size, restored_at):
    rows = {name: table(25, (name,)).rows(named=True) for name in "ab"}
    given_rows, counts, ends = [], {"a": 0, "b": 0}, []
    for name in order:
        given_rows.append(rows[name][counts[name]])
        counts[name] += 1
        ends.append((name, counts[name]))
    stream, chunked, said, together = several.open_stream(), several.open_stream(), [], []
    for number, row in enumerate(given_rows):
        if number == restored_at:
            snapshot, stream = stream.snapshot(), several.open_stream()
            stream.restore(snapshot)
        said.append(stream.push(row))
    for begin in range(0, len(given_rows), size):
        together += chunked.push(given_rows[begin : begin + size])
    for (name, count), one, other in zip(ends, said, together, strict=True):
        same(one, other)
        same(one, several.predict(pl.DataFrame(rows[name][:count])))
    assert stream.nbytes <= 2 * 12 * 2 * 8


@settings(max_examples=12)
@given(st.lists(st.sampled_from(["row", "row", "none", "nan", "gap"]), min_size=1, max_size=30))
def test_what_is_missing_is_filled_in_as_predict_does(filling, kinds):
    rows = table(60, ("a",)).drop("id").rows(named=True)
    stream, pushed, at = filling.open_stream(), [rows[0]], 0
    stream.push(rows[0])
    for kind in kinds:
        at += 3 if kind == "gap" else 1
        row = rows[at % 60] | {"time": rows[0]["time"] + at * (rows[1]["time"] - rows[0]["time"])}
        row |= {"sales": None} if kind == "none" else {"sales": float("nan")} if kind == "nan" else {}
        pushed.append(row)
        last = stream.push(row)
    same(last, filling.predict(pl.DataFrame(pushed)))


def test_what_is_known_in_advance_is_given_with_the_row(priced):
    rows = table(40, ("a",)).rows(named=True)
    ahead = [{name: row[name] for name in ("time", "price")} for row in rows]
    stream = priced.open_stream()
    for number in range(20):
        said = stream.push(rows[number], future=ahead[number + 1 : number + 4])
        future = pl.DataFrame(rows[: number + 6])
        same(said, priced.predict(pl.DataFrame(rows[: number + 1]), future=future))
    same(priced.open_stream().push(pl.DataFrame(rows[:20]), future=pl.DataFrame(ahead[20:23]))[-1], said)
    before = stream.snapshot()
    for future in (None, ahead[20:22], ahead[25:30]):
        with pytest.raises(DataError, match=r"`future`"):
            stream.push(rows[20], future=future)
    with pytest.raises(DataError, match="sales is missing in row 20 of the stream"):
        stream.push(rows[20] | {"sales": None}, future=ahead[21:24])
    assert stream.snapshot() == before


def test_warm_begins_where_training_ended(several, single):
    stream, ahead = several.open_stream(warm=True), table(81)
    after = ahead.filter(pl.col("time") == ahead["time"][80]).rows(named=True)
    for row, name in zip(after, "ab", strict=True):
        same(stream.push(row), several.predict(ahead.filter(pl.col("id") == name)))
    stream.reset()
    same(stream.push(after[0]), several.predict(ahead.filter(pl.col("id") == "a")))


def test_text_numbers_and_other_names_are_read_as_tables_are(single, several):
    rows = table(8, ("a",)).rows(named=True)
    stream, other = several.open_stream(), single.open_stream()
    for row in rows:
        text = {**row, "time": row["time"].strftime("%Y-%m-%dT%H:%M:%S"), "sales": str(row["sales"]), "odd": [1]}
        same(stream.push(text), several.predict(pl.DataFrame([r for r in rows if r["time"] <= row["time"]])))
        short = {"time": row["time"].strftime("%Y-%m-%d %H:%M"), "sales": row["sales"]}
        last = other.push(short)
    same(last, single.predict(pl.DataFrame(rows)))
    new = several.open_stream()
    for row in rows:
        said = new.push({**row, "id": "c"})
    same(said, several.predict(pl.DataFrame([{**row, "id": "c"} for row in rows])))
    assert "not there in training" in new.notes[0]


@pytest.mark.parametrize("every", ["1d", "1mo", "business", "number"])
def test_axes_of_other_kinds(every):
    rows = table(140, ("a",), "1d" if every == "business" else every if every != "number" else "1h").drop("id")
    if every == "business":
        rows = rows.filter(pl.col("time").dt.weekday() < 6).with_columns(pl.col("time").cast(pl.Date))
    if every == "number":
        rows = rows.with_columns(time=pl.int_range(0, 2 * pl.len(), 2))
    task, stream, pushed = trained(rows[:80], drop_short=True), None, []
    stream = task.open_stream()
    for number, row in enumerate(rows[80:].rows(named=True)[:18]):
        if every == "business" and number == 7:
            continue  # a holiday: `predict` finds it too
        pushed.append(row)
        same(stream.push(row), task.predict(pl.DataFrame(pushed)))
        again = task.open_stream()
        again.restore(stream.snapshot())
        stream = again


REFUSED = [
    ({"sales": 1.0}, "no column 'time'"),
    ({"time": "2024-01-01 02:00"}, "no column 'sales'"),
    ({"time": "2024-01-01 02:00", "sales": None}, "'sales' is missing in row 2 of the stream"),
    ({"time": "2024-01-01 02:00", "sales": float("nan")}, "'sales' is missing in row 2 of the stream.*`fill`"),
    ({"time": "2024-01-01 02:00", "sales": "much"}, "holds the text 'much' in row 2"),
    ({"time": "2024-01-01 02:00", "sales": float("inf")}, "'sales' is infinite in row 2 of the stream"),
    ({"time": "2024-01-01 02:00", "sales": 1e31}, "at most 1e\\+30"),
    ({"time": "2024-01-01 02:00", "sales": [1]}, "expected numbers"),
    ({"time": "2024-01-01 01:00", "sales": 1.0}, "repeats 2024-01-01 01:00:00 in row 1 of the stream and row 2"),
    ({"time": "2024-01-01 00:00", "sales": 1.0}, "goes back"),
    ({"time": "2024-01-01 05:00", "sales": 1.0}, "gap.*before row 2 of the stream.*`fill`"),
    ({"time": "2024-01-01 02:30", "sales": 1.0}, "irregular"),
    ({"time": "soon", "sales": 1.0}, "'soon'"),
    ({"time": 3, "sales": 1.0}, "trained on time stamps"),
    ({"time": None, "sales": 1.0}, "time"),
    (5, "expected a row"),
    ([{"time": "2024-01-01 02:00", "sales": 1.0}, {"time": "2024-01-01 02:00", "sales": 1.0}], "repeats"),
]


@pytest.mark.parametrize(("row", "message"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_is_refused_leaves_the_state(single, row, message):
    stream = single.open_stream()
    stream.push([{"time": f"2024-01-01 0{hour}:00", "sales": 10.0} for hour in (0, 1)])
    before = stream.snapshot()
    with pytest.raises(DataError, match=message):
        stream.push(row)
    assert stream.snapshot() == before


def test_finished_another_models_and_altered(single, filling):
    stream = single.open_stream()
    stream.push({"time": "2024-01-01 00:00", "sales": 10.0})
    before = stream.snapshot()
    stream.finish()
    with pytest.raises(StreamError):
        stream.push({"time": "2024-01-01 01:00", "sales": 10.0})
    stream.restore(before)
    with pytest.raises(SnapshotError, match="another model"):
        filling.open_stream().restore(before)
    about, arrays = snapshots.read(before, "forecast", stream.fingerprint)
    (one,) = about["series"]
    broken = [
        ({}, arrays),
        ({**about, "series": [one, one]}, {**arrays, "1": arrays["0"]}),
        *(({**about, "series": [{**one, name: {"x": 1}}]}, arrays) for name in one),
        ({**about, "series": [{**one, "start": 2**70}]}, arrays),
        *(
            (about, {"0": value})
            for value in (np.zeros((1, 13)), np.zeros((1, 0)), np.full((1, 1), np.nan), np.zeros(1))
        ),
    ]
    for settings_, values in broken:
        with pytest.raises(SnapshotError):
            stream.restore(snapshots.write("forecast", stream.fingerprint, settings_, values))
    assert stream.snapshot() == before


def test_a_loaded_model_goes_on(single, tmp_path):
    stream = single.open_stream()
    rows = table(10, ("a",)).rows(named=True)
    stream.push(rows[:9])
    single.save(tmp_path / "model")
    again = sluicegate.load(tmp_path / "model").open_stream()
    again.restore(stream.snapshot())
    same(again.push(rows[9]), stream.push(rows[9]))

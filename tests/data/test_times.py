"""Times in all the forms that users have them in."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sluicegate.data import read_panel
from sluicegate.data.times import parse_time
from sluicegate.errors import DataError

DAYS = pd.date_range("2001-01-30", periods=30)
MONTHS = pd.date_range("1949-01-01", periods=30, freq="MS")


def first_stamps(frame):
    panel = read_panel(frame, time="t", values=["x"])
    assert panel.rows == 30
    return panel.axis, panel.axis.stamps(panel.starts + np.arange(30) * panel.axis.step)


def in_pandas(times):
    return pd.DataFrame({"t": times, "x": np.ones(30)})


@pytest.mark.parametrize(
    "form", ["%Y-%m", "%Y/%m", "%YM%m", "%Y-M%m", "%b %Y", "%B %Y", "%b-%Y", "%Y-%b", "%Y %B", "%b. %Y", "%b/%Y"]
)
def test_months_in_text(form):
    axis, stamps = first_stamps(in_pandas(MONTHS.strftime(form)))
    assert (axis.kind, axis.unit) == ("month", "date")
    assert stamps.to_list() == [stamp.date() for stamp in MONTHS]


@pytest.mark.parametrize("form", ["%YQ{}", "%Y-Q{}", "%Y q{}", "Q{} %Y", "Q{}-%Y"])
def test_quarters_in_text(form):
    first = pd.date_range("1949-01-01", periods=30, freq="QS")
    axis, stamps = first_stamps(in_pandas([stamp.strftime(form).format(stamp.quarter) for stamp in first]))
    assert (axis.kind, axis.step, axis.season) == ("month", 3, 4)
    assert stamps.to_list() == [stamp.date() for stamp in first]


@pytest.mark.parametrize("form", ["%G-W%V", "%GW%V"])
def test_weeks_in_text(form):
    mondays = pd.date_range("2020-11-02", periods=30, freq="7D")  # 2020 has a week 53
    assert first_stamps(in_pandas(mondays.strftime(form)))[1].to_list() == [stamp.date() for stamp in mondays]


@pytest.mark.parametrize(
    "form", ["%b %d %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d/%B/%Y", "%b %-d %Y", "%d-%b.-%Y"]
)
def test_days_with_the_month_in_letters(form):
    for change in (str, str.upper):
        text = [change(stamp.strftime(form)) for stamp in DAYS]
        assert first_stamps(in_pandas(text))[1].to_list() == [stamp.date() for stamp in DAYS]


def test_the_time_of_day_in_halves():
    times = pd.date_range("2001-01-30", periods=30, freq="h")
    for form in ("%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"):
        assert first_stamps(in_pandas(times.strftime(form)))[1].to_list() == times.to_list()


def test_years_stay_whole_numbers():
    for years in (range(1990, 2020), [str(year) for year in range(1990, 2020)]):
        axis, stamps = first_stamps(pl.DataFrame({"t": years, "x": np.ones(30)}))
        assert (axis.kind, axis.step) == ("integer", 1)
        assert stamps.to_list() == list(range(1990, 2020))


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        (["1949-01", "1949-02", "1949-13"], "1949-13"),
        (["1949-01", "1949-02", "1949-03-01"], "1949-03-01"),
        (["1949Q1", "1949Q2", "1949Q5"], "1949Q5"),
        (["2021-W01", "2021-W02", "2021-W54"], "2021-W54"),
        (["Jan 1949", "Feb 1949", "Mai 1949"], "Mai 1949"),
        (["Jan 30 2001", "Jan 31 2001", "Feb 30 2001"], "Feb 30 2001"),
        (["1949", "1950", "1951.5"], "1951.5"),
        (["Mar 01", "Mar 02", "Mar 03"], "Mar 01"),  # a year or a day?
        (["01/02/2001", "01/03/2001", "01/04/2001"], "01/02/2001"),
    ],
)
def test_text_that_is_no_time_or_might_be_two(text, bad):
    with pytest.raises(DataError, match=f"holds '{bad}' in .*: expected a time stamp with the year first"):
        parse_time(pl.Series("t", text), str)


@pytest.mark.filterwarnings("ignore:.*(BDay|PeriodDtype):FutureWarning")
@pytest.mark.parametrize("freq", ["M", "Q", "Q-JAN", "Y", "W", "W-WED", "D", "B", "h", "min", "s", "2M", "3D"])
@pytest.mark.parametrize("kind", ["period", object])
def test_periods_are_the_times_at_which_they_begin(freq, kind):
    periods = pd.period_range("2001-01-01", periods=30, freq=freq)
    column = pd.Series(periods) if kind == "period" else pd.Series(list(periods), dtype=object)
    assert first_stamps(in_pandas(column))[1].to_list() == periods.to_timestamp().to_list()


def test_an_index_of_periods_is_named():
    frame = pd.DataFrame({"x": np.ones(30)}, index=pd.period_range("2001", periods=30, freq="M", name="month"))
    with pytest.raises(DataError, match=r"a column by `reset_index\(names='t'\)`"):
        read_panel(frame, time="t", values=["x"])
    assert read_panel(frame.reset_index(names="t"), time="t", values=["x"]).axis.kind == "month"


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_stamps_of_any_unit(unit, zone):
    times = DAYS.astype(f"datetime64[{unit}]").tz_localize(zone)
    axis, stamps = first_stamps(in_pandas(times))
    assert axis.unit == ("ms" if unit == "s" else unit)
    assert stamps.to_list() == times.to_list()


@pytest.mark.parametrize(
    "frame",
    [
        in_pandas(pd.Series([stamp.date() for stamp in DAYS], dtype=object)),
        in_pandas(pd.Series([stamp.to_pydatetime() for stamp in DAYS], dtype=object)),
        in_pandas(pd.Series(list(DAYS.to_numpy()), dtype=object)),
        in_pandas(pd.Series(DAYS).astype("timestamp[s][pyarrow]")),
        in_pandas(pd.Series(DAYS.strftime("%Y-%m-%d")).astype("category")),
        in_pandas(pd.Series(DAYS).astype("category")),
        pa.table({"t": pa.array([stamp.date() for stamp in DAYS], pa.date64()), "x": np.ones(30)}),
        pl.DataFrame({"t": pl.Series([str(day.date()) for day in DAYS], dtype=pl.Categorical), "x": np.ones(30)}),
    ],
)
def test_days_of_many_types(frame):
    stamps = first_stamps(frame)[1]
    assert stamps.cast(pl.Date).to_list() == [stamp.date() for stamp in DAYS]
    assert isinstance(stamps[0], date | datetime)


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_years_that_no_calendar_has(unit):
    far = pl.Series("t", [0, 4_902_000_000_000_000_000], dtype=pl.Int64).cast(pl.Datetime(unit))
    with pytest.raises(DataError, match=r"'t' holds a year before 1 or after 9999 in row 1 \(1 such in all\): look"):
        parse_time(far, lambda row: f"row {row}")
    days = pl.Series("t", [date.min, date.max])
    assert parse_time(days, str).equals(days)
    assert parse_time(days.cast(pl.Datetime(unit)), str).equals(days.cast(pl.Datetime(unit)))

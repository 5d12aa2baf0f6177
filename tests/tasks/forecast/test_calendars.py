"""Forecasts on the calendars that tables have: every stamp exists, and none is of a day that does not occur."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
import sluicegate.tasks
from sluicegate.cli.app import app
from sluicegate.errors import ConfigError, DataError

QUICK = {"context": 14, "steps": 5, "hidden": 4, "batch": 16}


def fit(frame, horizon=7, time="day", target="y", **options):
    knobs = {
        name: options.pop(name) for name in list(options) if name in sluicegate.tasks.ForecasterConfig.model_fields
    }
    return sluicegate.Forecaster(horizon, **QUICK | knobs).fit(frame, time=time, target=target, **options)


def wave(rows, period=7):
    return 10 + np.sin(2 * np.pi * np.arange(rows) / period) + 0.1 * np.random.default_rng(0).normal(size=rows)


def cairo(rows, first="2023-11-01"):
    """Days by the clock of Cairo, where 2024-04-26 begins at 01:00."""
    day = pd.date_range(first, periods=rows).tz_localize("Africa/Cairo", nonexistent="shift_forward")
    return pd.DataFrame({"day": day, "y": wave(rows), "price": np.arange(rows) % 5.0})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of days in Cairo, saved and loaded; the day that begins at 01:00 is the fourth of its horizon."""
    folder = tmp_path_factory.mktemp("cairo") / "model"
    fit(cairo(174), known=["price"]).save(folder)
    return sluicegate.load(folder)


def test_a_midnight_that_does_not_exist_is_shifted_forward_in_a_forecast(model):
    truth = cairo(181)
    frame = model.predict(truth[:174], future=truth[174:][["day", "price"]])
    assert frame["time"].tolist() == truth["day"][174:].tolist()
    assert frame["time"].dt.hour.tolist() == [0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("begin", [177, 178])
def test_the_change_of_clocks_in_the_history_and_at_the_begin_of_the_future(model, begin):
    truth = cairo(195)
    frame = model.predict(truth[:begin], future=truth[begin:][["day", "price"]])
    assert frame["time"].tolist() == truth["day"][begin : begin + 7].tolist()


@pytest.mark.parametrize(
    "start", ["2024-04-26", date(2024, 4, 26), pd.Timestamp("2024-04-26 01:00", tz="Africa/Cairo")]
)
def test_an_evaluation_may_start_where_midnight_does_not_exist(model, start):
    report = model.evaluate(cairo(195), start=start, baselines=[])
    assert report.facts["windows"] == str(195 - 177 - 7 + 1)
    assert report.facts["evaluated"].startswith("2024-04-26")


def test_hours_summed_to_days_by_pandas_and_by_polars():
    hours = pd.date_range("2023-06-01", periods=24 * 130, freq="h", tz="America/Santiago")
    values = pd.Series(wave(len(hours), 24 * 7), hours, name="y")
    by_pandas = values.resample("D").sum().rename_axis("day").reset_index()
    table = pl.DataFrame(
        {"day": pl.from_pandas(values.rename_axis("day").reset_index())["day"], "y": values.to_numpy()}
    )
    by_polars = table.group_by_dynamic("day", every="1d").agg(pl.col("y").sum())
    one, other = fit(by_pandas).predict()["time"], fit(by_polars).predict()["time"]
    assert one.tolist() == other.to_list()
    assert (one.dt.hour == 0).all()


def test_hours_go_on_through_both_changes():
    for first in ("2024-03-28", "2024-10-24"):
        hours = pd.date_range(first, periods=24 * 4, freq="h", tz="Europe/Berlin")
        model = fit(pd.DataFrame({"day": hours[:72], "y": wave(72)}), horizon=12, context=24)
        expected = pd.date_range(first, periods=84, freq="h", tz="Europe/Berlin")[72:]
        assert model.predict()["time"].tolist() == expected.tolist()
        assert datetime(expected[0].year, expected[0].month, expected[0].day).weekday() == 6


CHRISTMAS = [date(2023, 12, 25), date(2023, 12, 26), date(2024, 1, 1)]


def business(first="2023-06-01", last="2024-02-29"):
    """Business days without those about Christmas."""
    days = pd.bdate_range(first, last)
    days = days[~days.isin(pd.DatetimeIndex(CHRISTMAS))]
    return pd.DataFrame({"day": days, "y": wave(len(days), 5), "price": np.arange(len(days)) % 5.0})


@pytest.fixture(scope="module")
def trader(tmp_path_factory):
    """A model of business days that was trained up to 2023-12-15, saved and loaded."""
    folder = tmp_path_factory.mktemp("business") / "model"
    fit(business(last="2023-12-15"), known=["price"]).save(folder)
    return sluicegate.load(folder)


def test_nothing_is_forecast_for_weekends(trader):
    assert trader._trained.season == 5
    frame = trader.predict(future=business("2023-12-18", "2024-01-10")[["day", "price"]])
    # The rows of the future tell which days are holidays.
    expected = ["12-18", "12-19", "12-20", "12-21", "12-22", "12-27", "12-28"]
    assert frame["time"].dt.strftime("%m-%d").to_list() == expected


def test_holidays_after_training_are_read_from_the_table(trader):
    table = business()
    report = trader.evaluate(table, baselines=[])
    assert report.facts["calendar"] == "Monday to Friday"
    assert report.facts["evaluated"] == "2023-12-18 to 2024-02-29"
    assert report.facts["windows"] == str((table["day"] > "2023-12-15").sum() - 6)
    assert any("3 days of Monday to Friday, such as 2023-12-25" in note for note in report.notes)
    later = trader.evaluate(table, start="2024-01-02", baselines=[])
    assert later.facts["windows"] == str((table["day"] >= "2024-01-02").sum() - 6)
    begin = int((table["day"] < "2023-12-27").sum())
    frame = trader.predict(table[:begin], future=table[begin:])
    assert frame["time"].tolist() == table["day"][begin : begin + 7].tolist()


def test_daily_rows_are_not_for_a_model_of_business_days(trader):
    days = pd.date_range("2024-01-01", periods=40)
    with pytest.raises(
        DataError, match=r"a Saturday, in row 5 .* the model was trained on Monday to Friday; leave such"
    ):
        trader.predict(pd.DataFrame({"day": days, "y": 1.0, "price": 1.0}))


def test_given_holidays_are_passed_over(tmp_path):
    table = business(last="2023-12-22")
    knob = pd.DatetimeIndex(CHRISTMAS)
    model = fit(table, holidays=knob)
    expected = ["12-27", "12-28", "12-29", "01-02", "01-03", "01-04", "01-05"]
    assert model.predict()["time"].dt.strftime("%m-%d").to_list() == expected
    model.save(tmp_path / "model")
    assert sluicegate.load(tmp_path / "model").predict()["time"].dt.strftime("%m-%d").to_list() == expected


def test_validation_rows_after_holidays():
    table = business()
    before = table["day"] < "2023-12-25"
    model = fit(table[before], validation=table[~before])
    assert model.report.facts["evaluated"].startswith("2023-12-27")


@pytest.mark.parametrize("days", [["2024-13-01"], [20241225], "2024-12-25", [None]])
def test_days_that_are_none(days):
    with pytest.raises(ConfigError, match="`holidays"):
        sluicegate.Forecaster(7, holidays=days)


def with_future(table, rows, past=()):
    """The last rows as they are before they came."""
    return table.assign(**{name: table[name].where(np.arange(len(table)) < len(table) - rows) for name in ("y", *past)})


@pytest.fixture(scope="module")
def daily():
    rows = 100
    day = pd.date_range("2024-01-01", periods=rows)
    return pd.DataFrame({"day": day, "y": wave(rows), "price": np.arange(rows) % 3.0, "rain": np.arange(rows) % 4.0})


@pytest.fixture(scope="module")
def planner(daily):
    return fit(daily[:80], known=["price"], past=["rain"])


@pytest.mark.parametrize("rows", [7, 10])
def test_rows_with_an_empty_target_at_the_end_are_the_future(planner, daily, rows):
    expected = planner.predict(daily[: 100 - rows], future=daily[100 - rows :][["day", "price"]])
    pd.testing.assert_frame_equal(planner.predict(with_future(daily, rows, ["rain"])), expected)
    pd.testing.assert_frame_equal(planner.predict(with_future(daily, rows)), expected)


def test_the_future_of_each_series_by_itself(daily):
    two = pd.concat([daily[:90].assign(id="a"), daily.assign(id="b", y=daily["y"] * 2)])
    model = fit(two, known=["price"], series="id")
    table = pd.concat([with_future(daily[:90], 7).assign(id="a"), with_future(daily, 9).assign(id="b")])
    frame = model.predict(table.sort_values("day", kind="stable"))
    first = frame.groupby("series")["time"].min()
    assert first.tolist() == [daily["day"][83], daily["day"][91]]


def test_fit_and_evaluate_leave_the_future_out(planner, daily):
    table = with_future(daily, 7, ["rain"])
    for fill in (None, "forward"):
        model = fit(table, known=["price"], past=["rain"], fill=fill)
        assert any("The last rows of the table, 7 in all, have no target" in note for note in model.report.notes)
        pd.testing.assert_frame_equal(
            model.predict(), fit(daily[:93], known=["price"], past=["rain"], fill=fill).predict(future=daily[93:])
        )
    report = planner.evaluate(table, baselines=[])
    assert report.metrics == planner.evaluate(daily[:93], baselines=[]).metrics
    assert any("7 in all, have no target" in note for note in report.notes)


def test_the_future_that_training_saw_is_kept_in_the_saved_model(daily, tmp_path):
    model = fit(with_future(daily, 7), known=["price"])
    model.save(tmp_path / "model")
    assert list(sluicegate.load(tmp_path / "model").predict()["mean"]) == list(model.predict()["mean"])


def test_too_few_rows_of_the_future(planner, daily):
    with pytest.raises(DataError, match="must hold the 7 rows that begin at 2024-04-06"):
        planner.predict(with_future(daily, 4))


def test_an_empty_target_further_up_is_still_a_fault(planner, daily):
    table = with_future(daily, 7)
    table.loc[50, "y"] = np.nan
    with pytest.raises(DataError, match=r"column 'y' is missing in row 50 \(1 such in all\)"):
        planner.predict(table)
    table = with_future(daily, 7)
    table.loc[97, "price"] = np.nan
    with pytest.raises(DataError, match="column 'price' is missing in row 97"):
        planner.predict(table)


def test_the_future_in_a_file(planner, daily, tmp_path):
    planner.save(tmp_path / "model")
    with_future(daily, 7).to_csv(tmp_path / "table.csv", index=False)
    result = CliRunner().invoke(app, ["predict", str(tmp_path / "model"), str(tmp_path / "table.csv")])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1].startswith("2024-04-03")

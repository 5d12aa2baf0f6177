"""Forecasts on the calendars that tables have: every stamp exists, and none is of a day that does not occur."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sluicegate
import sluicegate.tasks

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

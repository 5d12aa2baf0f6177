"""Series that training did not have, that have few rows, or that are of another scale than they were in training."""

import logging

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from sluicegate.data import Panel, Windows
from sluicegate.data.axis import TimeAxis
from sluicegate.data.scaling import arcsinh_scaled
from sluicegate.runtime.forecast.scales import at_least_as_wide, rescaled, worthless
from sluicegate.tasks.forecast.batches import first_origins
from sluicegate.tasks.forecast.model import SegmentForecaster, Shape

CONTEXT, HORIZON, SEASON = 28, 7, 7
WEEK = np.array([0.0, 2, 3, 1, 5, 9, 4])
QUICK = {"steps": 20, "hidden": 8, "batch": 32, "season": SEASON}


def sales(name, rows, level=20.0, height=1.0, start=0, seed=0):
    """A week over and over, with a little noise, from a day on."""
    days = np.arange(start, start + rows)
    noise = 0.1 * np.random.default_rng(seed).normal(size=rows)
    return pl.DataFrame({"day": days, "shop": name, "y": level + height * (WEEK[days % SEASON] + noise)})


def still(name, rows, value=5.0, start=0):
    return pl.DataFrame({"day": np.arange(start, start + rows), "shop": name, "y": np.full(rows, value)})


TRAINED = pl.concat([sales("a", 140), sales("b", 140, 300, 10), still("still", 140)])


@pytest.fixture(scope="module")
def trained():
    task = sluicegate.Forecaster(HORIZON, context=CONTEXT, **QUICK)
    return task.fit(TRAINED, time="day", target="y", series="shop")


def week_after(rows, level=20.0, height=1.0):
    return level + height * WEEK[(rows + np.arange(HORIZON)) % SEASON]


# New series


def test_a_new_series_is_forecast_by_the_scale_of_its_rows(trained, caplog):
    """A thousand times as large, and shifted: the same forecast, a thousand times as large and shifted."""
    with caplog.at_level(logging.WARNING, "sluicegate"):
        frame = trained.predict(sales("new", 140, 5e5, 1e3, start=3))
    assert frame["series"].unique().to_list() == ["new"]
    assert frame["time"][0] == 143
    np.testing.assert_allclose(frame["q50"], week_after(143, 5e5, 1e3), atol=1200)
    (note,) = trained.notes
    assert note.startswith("Series 'new' was not there in training: the scale is that of the rows given")
    assert caplog.messages == [note]


def test_what_training_knew_is_forecast_as_before_beside_a_new_series(trained):
    both = trained.predict(pl.concat([sales("x", 60), TRAINED.filter(shop="a"), sales("y", 60)]))
    assert both["series"].unique(maintain_order=True).to_list() == ["x", "a", "y"]
    assert trained.notes[0].startswith("2 series, such as 'x', were not there in training")
    alone = trained.predict(TRAINED.filter(shop="a"))
    assert trained.notes == ()
    for column in ("mean", "q10", "q50", "q90"):  # products of other sizes are rounded otherwise
        np.testing.assert_allclose(both.filter(series="a")[column], alone[column], rtol=1e-5)


def test_a_new_series_is_evaluated_by_the_scale_of_the_rows_before_its_first_window(trained):
    table = sales("new", 90, 500, 10)
    report = trained.evaluate(table, baselines=[])
    assert report.facts["windows"] == str(90 - CONTEXT - HORIZON + 1)
    assert any("'new' was not there in training" in note for note in report.notes)
    assert not any("trained on: the figures flatter" in note for note in report.notes)
    first = table["y"][:CONTEXT].to_numpy()
    scale = np.abs(first[SEASON:] - first[:-SEASON]).mean()
    assert report.metrics["mase"] == pytest.approx(report.metrics["mae"] / scale)
    # What comes later is not felt in the first window's forecast.
    wild = table.with_columns(y=pl.when(pl.col("day") < CONTEXT).then("y").otherwise(1e6))
    window = {"start": CONTEXT, "stride": 1000, "baselines": []}
    examples = [trained.evaluate(part, **window).details["examples"][0] for part in (table, wild)]
    assert examples[0]["mean"] == examples[1]["mean"]


def test_what_was_left_out_as_too_short_can_be_predicted_and_evaluated():
    table = pl.concat([TRAINED, sales("young", 20, 7)])
    task = sluicegate.Forecaster(HORIZON, context=CONTEXT, drop_short=True, **QUICK)
    task.fit(table, time="day", target="y", series="shop")
    assert "young" not in task._trained.names
    assert set(task.predict(table)["series"]) == {"a", "b", "still", "young"}
    assert "'young' was shorter than the 28 rows" in task.notes[1]
    report = task.evaluate(table, baselines=[])
    # Of 20 rows, less a horizon, half are looked back on at first.
    assert report.facts["windows"] == str(20 - 6 - HORIZON + 1)


# Short series


def test_short_series_are_trained_on_with_the_others_and_saved(tmp_path):
    table = pl.concat([TRAINED, sales("short", 24, 3), sales("shorter", HORIZON + 2, 9)])
    task = sluicegate.Forecaster(HORIZON, context=CONTEXT, **QUICK)
    task.fit(table, time="day", target="y", series="shop")
    assert task._trained.names == ("a", "b", "still", "short", "shorter")
    before = task.predict()
    assert len(before) == 5 * HORIZON
    assert "2 series, such as 'short', were shorter than the 28 rows" in task.notes[0]
    np.testing.assert_allclose(before.filter(series="short")["q50"], week_after(24, 3), atol=1.5)
    task.save(tmp_path / "model")
    assert sluicegate.load(tmp_path / "model").predict().equals(before)
    assert task.predict(table).equals(before)


@pytest.mark.parametrize(("lengths", "context"), [((140, 140, 100), 75), ((140, 140, 60), 98), ((140,), 98)])
def test_the_context_follows_the_shortest_series_as_long_as_that_is_reasonable(lengths, context):
    table = pl.concat([sales(f"s{i}", rows) for i, rows in enumerate(lengths)])
    task = sluicegate.Forecaster(HORIZON, **QUICK | {"steps": 1}).fit(table, time="day", target="y", series="shop")
    assert task._trained.shape.context == context


def test_five_monthly_prices_of_which_one_began_later():
    rng = np.random.default_rng(0)
    parts = []
    for i, months in enumerate((123, 123, 123, 123, 68)):
        stamps = pl.date_range(pl.date(2000, 1, 1), pl.date(2010, 3, 1), "1mo", eager=True).tail(months)
        prices = 50 * (i + 1) * np.exp(np.cumsum(0.05 * rng.normal(size=months)))
        parts.append(pl.DataFrame({"symbol": f"s{i}", "date": stamps, "price": prices}))
    table = pl.concat(parts)
    task = sluicegate.Forecaster(12, steps=5, hidden=8).fit(table, time="date", target="price", series="symbol")
    assert len(task.predict(table)) == 60
    assert task.evaluate(table, start="2009-01-01", baselines=[]).facts["series"] == "5"


def test_a_single_row_is_enough_to_forecast_a_series_that_training_had(trained):
    frame = trained.predict(TRAINED.filter(shop="a").head(1))
    assert np.isfinite(frame["mean"].to_numpy()).all()
    assert "the shortest has 1 row)" in trained.notes[0]


def test_a_short_series_repeats_its_first_season_before_its_first_row(trained):
    values = np.concatenate([np.arange(10.0), np.zeros(HORIZON), np.arange(100.0, 103), np.zeros(HORIZON)])
    bounds = np.array([0, 17, 27])
    panel = Panel(TimeAxis("integer", 1), ("a", "b"), bounds, np.zeros(2, np.int64), {"y": values}, {})
    windowed = trained._trained.prepare(panel, np.array([0, 1]))
    series, origins = np.arange(2), bounds[1:] - HORIZON
    expected = np.stack([np.arange(-18, 10.0), np.full(28, 100.0)])
    expected[0, :18] %= SEASON
    expected[1, -2:] = 101, 102
    np.testing.assert_array_equal(windowed.contexts(series, origins, 0), expected)
    batch, _ = windowed.batch(series, origins, np.zeros(2, np.int64))
    assert batch.padded.tolist() == [18, 25]
    scaler = trained._trained.scalers.targets
    for row, known, i in zip(batch.context.numpy(), expected, series, strict=True):
        z = (arcsinh_scaled(known, scaler.knee[i, 0]) - scaler.mean[i, 0]) / scaler.deviation[i, 0]
        np.testing.assert_array_equal(row, z.astype(np.float32))


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_the_recurrent_layer_skips_segments_that_are_not_there(cell):
    torch.manual_seed(0)
    model = SegmentForecaster(Shape(10, 4, 3, 1, 0, 0, 4, 2, cell, 5, 2, 0.0)).eval()
    batch, padded = 6, torch.tensor([0, 1, 2, 4, 7, 9])
    context, past = torch.randn(batch, 10), torch.randn(batch, 1, 10)
    inputs = (context, past, torch.zeros(batch, 0, 14), torch.zeros(batch, 6, 0))
    with torch.no_grad():
        model.shortcut.zero_()
        together = model(*inputs, padded)
        # Segments of 3 over 10 steps: the first holds but one of these, the others end in steps 4, 7 and 10.
        for i, whole in enumerate([0, 1, 1, 2, 3, 3]):
            row = [part[i : i + 1].clone() for part in inputs]
            end = 0 if whole == 0 else 3 * whole - 2
            row[0][:, :end] = 1e3
            row[1][..., :end] = -1e3
            torch.testing.assert_close(model(*row, padded[i : i + 1])[0], together[i])
            assert (whole == 0) == torch.allclose(model(*inputs)[i], together[i], atol=1e-5)


def test_first_origins():
    bounds = np.array([0, 35, 69, 78, 80])
    panel = Panel(TimeAxis("integer", 1), tuple("abcd"), bounds, np.zeros(4, np.int64), {}, {})
    first = first_origins(panel, CONTEXT, HORIZON)
    assert first.tolist() == [28, 35 + 13, 69 + 1, 78 + 1]
    assert Windows.between(first, bounds[1:], HORIZON).counts.tolist() == [1, 15, 2, 0]


# Series of another scale


def test_a_series_that_stood_still_and_lives_is_forecast_by_the_rows_given(trained):
    alive = pl.concat([still("still", 140), sales("still", 35, 100, 10, start=140)])
    frame = trained.predict(alive)
    assert "'still' was of another scale than in training" in trained.notes[0]
    np.testing.assert_allclose(frame["q50"], week_after(175, 100, 10), atol=15)
    spread = alive["y"].tail(CONTEXT).std()
    assert (frame["q90"] - frame["q10"] > 2.5 * spread).all()
    report = trained.evaluate(alive, baselines=[])
    assert any("'still' was of another scale" in note for note in report.notes)


def test_a_series_that_began_to_live_a_day_ago_has_a_wide_interval(trained):
    frame = trained.predict(pl.concat([still("still", 140), still("still", 1, 50.0, start=140)]))
    assert (frame["q10"] < 35).all()
    assert (frame["q90"] > 65).all()


def test_a_series_that_still_stands_still_is_forecast_to(trained):
    frame = trained.predict(still("still", 40, 8.0))
    assert trained.notes == ()
    assert set(frame["mean"]) == set(frame["q10"]) == {8.0}


@pytest.mark.parametrize("factor", [1e3, 1e-3, 1e7])
def test_another_unit_is_noticed(trained, factor):
    frame = trained.predict(sales("b", 60, 300 * factor, 10 * factor))
    assert "'b' was of another scale" in trained.notes[0]
    np.testing.assert_allclose(frame["q50"], week_after(60, 300 * factor, 10 * factor), atol=20 * factor)


def test_a_quiet_stretch_of_a_lively_series_is_none_of_another_scale(trained):
    trained.predict(still("b", 60, 320.0))
    assert trained.notes == ()


def test_a_series_that_comes_to_life_in_the_validation_part_has_a_scale():
    table = pl.concat([TRAINED, still("late", 130), sales("late", 10, 1e6, 1e5, start=130)])
    task = sluicegate.Forecaster(HORIZON, context=CONTEXT, **QUICK).fit(table, time="day", target="y", series="shop")
    assert task._trained.scalers.targets.deviation[3, 0] > 1e4
    assert max(task._trained.curve.validation) < 100


def test_series_that_stand_still_do_not_narrow_the_interval_of_the_others():
    dead = pl.concat([still(f"d{i}", 140) for i in range(8)])
    with_dead, without = (
        sluicegate.Forecaster(HORIZON, context=CONTEXT, **QUICK)
        .fit(table, time="day", target="y", series="shop")
        .predict(TRAINED.filter(shop="a"))
        for table in (pl.concat([TRAINED.filter(pl.col("shop") != "still"), dead]), TRAINED)
    )
    np.testing.assert_allclose(with_dead["q90"] - with_dead["q10"], without["q90"] - without["q10"], rtol=0.5)


@pytest.mark.parametrize(
    ("context", "deviation", "expected"),
    [
        ([0.0, 0, 0], 0.0, False),
        ([0.0, 0, 1e-6], 0.0, True),
        ([-1.0, 0, 1], 2.0, False),
        ([-100.0, 0, 100], 2.0, True),
        ([40.0, 41, 40], 2.0, True),
        ([10.0, 11, 10], 2.0, False),
        ([10.0, 10.001, 10], 2.0, True),
        ([1.0, 1.001, 1], 2.0, False),
        ([400.0, 400, 400], 2.0, False),
    ],
)
def test_worthless_scales(context, deviation, expected):
    assert worthless(np.array([context]), np.array([deviation])).tolist() == [expected]


def test_windows_by_their_own_rows():
    values = np.array([[5.0, 5, 5, 1, 3, 1], [1, 3, 1, 3, 1, 3]])
    scaled, scale, begun = rescaled(values, 2)
    assert begun.tolist() == [3, 1]
    assert scale.mean.tolist() == [2.5, 2.0]
    np.testing.assert_allclose(scale.deviation, [np.std([5, 1, 3, 1]), 1])
    np.testing.assert_allclose(scaled[0] * scale.deviation[0] + 2.5, [3, 1, 3, 1, 3, 1])
    assert scaled[1].tolist() == [-1, 1, -1, 1, -1, 1]


def test_at_least_as_wide_as_a_normal_value():
    narrow, wide = np.array([[[-0.1, 0.0, 0.1]]]), np.array([[[-3.0, 1.0, 9.0]]])
    np.testing.assert_allclose(at_least_as_wide(narrow, (0.1, 0.5, 0.9))[0, 0], [-1.2816, 0, 1.2816], atol=1e-4)
    np.testing.assert_array_equal(at_least_as_wide(wide, (0.1, 0.5, 0.9)), wide)


# On the command line


def test_the_command_line_says_it_on_standard_error(trained, tmp_path):
    trained.save(tmp_path / "model")
    sales("new", 60).write_csv(tmp_path / "t.csv")
    result = CliRunner().invoke(app, ["predict", str(tmp_path / "model"), str(tmp_path / "t.csv")])
    assert result.exit_code == 0
    assert "Series 'new' was not there in training" in result.stderr
    assert "not there" not in result.stdout

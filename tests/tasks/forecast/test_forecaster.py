"""The forecaster learns, is honest about it, and gives the same bits however it is asked."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.checks import Case, checks

QUICK = {"hidden": 16, "steps": 60, "batch": 32}


def waves(series=3, rows=400, seed=0, columns=("y",)):
    """Noisy daily waves, hour by hour, each series at a level and a height of its own."""
    rng = np.random.default_rng(seed)
    hours = np.arange(rows)
    parts = []
    for i in range(series):
        wave = np.sin(2 * np.pi * (hours + 3 * i) / 24)
        values = {
            name: 10 * (i + 1) + (i + 1 + j) * wave + 0.1 * rng.normal(size=rows) for j, name in enumerate(columns)
        }
        time = pl.datetime_range(
            pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1) + pl.duration(hours=rows - 1), interval="1h", eager=True
        )
        parts.append(pl.DataFrame({"id": [f"s{i}"] * rows, "time": time, **values}))
    return pl.concat(parts)


def until(table, rows):
    """The first rows of each series."""
    return table.filter(pl.int_range(pl.len()).over("id") < rows)


def fit(table, horizon=12, context=48, targets="y", **options):
    knobs = {**QUICK, **{k: options.pop(k) for k in list(options) if k not in {"known", "past", "validation"}}}
    task = sluicegate.Forecaster(horizon, context=context, **knobs)
    return task.fit(table, time="time", target=targets, series="id", **options)


@pytest.fixture(scope="module")
def table():
    return waves()


@pytest.fixture(scope="module")
def trained(table):
    return fit(table.filter(pl.col("time") < pl.datetime(2024, 1, 15)), steps=300)


@pytest.fixture(scope="module")
def case(table):
    return Case(
        make=lambda seed, **knobs: sluicegate.Forecaster(12, context=48, seed=seed, **QUICK, **knobs),
        fit=lambda task: task.fit(until(table, 350), time="time", target="y", series="id"),
        data=table,
        rows=table.filter(pl.col("id") == "s1").rows(named=True)[:12],
        offline=lambda task, rows: task.predict(pl.DataFrame(rows)),
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_learns_a_wave(table, cell):
    report = fit(until(table, 340), cell=cell, steps=300).evaluate(table, baselines=[])
    # The wave has noise of 0.1, and a day ago has it twice: sqrt(2) times the error.
    noise = 0.1 * np.sqrt(2 / np.pi)
    assert report.metrics["mae"] < 1.35 * noise
    assert report.baselines["seasonal_naive"]["mae"] == pytest.approx(np.sqrt(2) * noise, rel=0.15)
    assert report.metrics["mae"] < 0.9 * min(report.baselines[name]["mae"] for name in ("seasonal_naive", "last_value"))


def test_verdict_says_when_the_simple_method_is_better(table):
    """What repeats exactly, day by day, nobody forecasts better than yesterday does."""
    exact = table.with_columns(y=(pl.int_range(pl.len()).over("id") * 7 % 24).cast(pl.Float64))
    report = fit(until(exact, 340)).evaluate(exact, baselines=[])
    assert report.baselines["seasonal_naive"]["mae"] == 0
    assert report.metrics["mae"] > 0
    assert report.verdict.startswith("Use seasonal naive")


def test_metrics_are_those_of_the_forecasts(table, trained):
    """Every window's forecast, asked for one at a time through `predict`, gives the report's figures."""
    report = trained.evaluate(table, start="2024-01-16 02:00", stride=7)
    errors, squares, inside = [], [], []
    for name in ("s0", "s1", "s2"):
        rows = table.filter(id=name)
        first = rows["time"].index_of(pl.datetime(2024, 1, 16, 2))
        for origin in range(first, 400 - 12 + 1, 7):
            forecast = trained.predict(rows[:origin])
            truth = rows["y"][origin : origin + 12].to_numpy()
            errors.append(np.abs(truth - forecast["q50"].to_numpy()))
            squares.append((truth - forecast["mean"].to_numpy()) ** 2)
            inside.append((truth >= forecast["q10"].to_numpy()) & (truth <= forecast["q90"].to_numpy()))
    assert report.facts["windows"] == str(len(errors))
    assert report.metrics["mae"] == pytest.approx(np.mean(errors), rel=1e-5)
    assert report.metrics["rmse"] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)
    assert report.metrics["coverage_80"] == pytest.approx(np.mean(inside), abs=1e-3)


def test_seasonal_naive_is_the_value_a_day_ago(table, trained):
    report = trained.evaluate(table, start="2024-01-16", stride=1)
    errors = []
    for name in ("s0", "s1", "s2"):
        values = table.filter(id=name)["y"].to_numpy()
        for origin in range(15 * 24, 400 - 12 + 1):
            errors.append(np.abs(values[origin : origin + 12] - values[origin - 24 : origin - 12]))
    assert report.baselines["seasonal_naive"]["mae"] == pytest.approx(np.mean(errors))


def test_scales_come_from_the_training_rows_alone(table):
    """What comes after the training rows cannot be felt in the weights or the scales."""
    train = table.filter(pl.col("time") < pl.datetime(2024, 1, 13))
    rest = table.filter(pl.col("time") >= pl.datetime(2024, 1, 13))
    wild = rest.with_columns(pl.col("y") * 3 + 500)
    first, second = (fit(train, validation=part, patience=100) for part in (rest, wild))
    one, two = first._trained.scalers.targets, second._trained.scalers.targets
    expected = train.group_by("id", maintain_order=True).agg(
        pl.col("y").mean().alias("m"), pl.col("y").std(ddof=0).alias("s")
    )
    np.testing.assert_allclose(one.mean[:, 0], expected["m"])
    np.testing.assert_allclose(one.deviation[:, 0], expected["s"])
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.deviation, two.deviation)


def test_validation_rows_that_overlap_are_context_only(table):
    train = table.filter(pl.col("time") < pl.datetime(2024, 1, 13))
    after = table.filter(pl.col("time") >= pl.datetime(2024, 1, 13))
    with_context = table.filter(pl.col("time") >= pl.datetime(2024, 1, 9))
    first, second = (fit(train, validation=part) for part in (after, with_context))
    assert first.files()["weights.safetensors"] == second.files()["weights.safetensors"]
    assert first.report.metrics == second.report.metrics


def test_validation_with_a_hole_before_it_is_refused(table):
    train = table.filter(pl.col("time") < pl.datetime(2024, 1, 12))
    with pytest.raises(DataError, match="the training rows end before 2024-01-12"):
        fit(train, validation=table.filter(pl.col("time") >= pl.datetime(2024, 1, 13)))


def test_held_back_part_is_the_last_one(table):
    task = fit(table)
    last = table["time"].max()
    begin, end = (pd.Timestamp(moment) for moment in task.report.facts["evaluated"].split(" to "))
    trained = pd.Timestamp(task.report.facts["trained on"].removeprefix("rows up to "))
    assert end == last
    assert last - pd.Timedelta(hours=100) <= trained < begin <= last - pd.Timedelta(hours=11)


def test_known_covariates_are_used():
    """A jump that only the known column announces is forecast; without the column it cannot be."""
    rng = np.random.default_rng(0)
    flag = (rng.random(1200) < 0.2).astype(float)
    table = waves(1, 1200).with_columns(flag=pl.Series(flag), y=pl.col("y") + 5 * pl.Series(flag))
    train, everything = until(table, 1000), table
    task = fit(train, known=["flag"], steps=400)
    without = fit(train, steps=400).evaluate(everything, baselines=[])
    assert task.evaluate(everything, baselines=[]).metrics["mae"] < 0.5 * without.metrics["mae"]
    forecast = task.predict(until(table, 1100), future=table[1100:1112].select("id", "time", "flag"))
    np.testing.assert_allclose(forecast["mean"], table["y"][1100:1112], atol=2.0)


def test_past_covariates_are_used():
    """A column that leads the target by the horizon tells what comes; the target's own past does not."""
    rng = np.random.default_rng(0)
    lead = rng.normal(size=2012)
    table = waves(1, 2000).with_columns(lead=pl.Series(lead[12:]), y=pl.Series(lead[:-12]))
    with_it = fit(until(table, 1700), past=["lead"], steps=300, hidden=48, learning_rate=5e-3).evaluate(
        table, baselines=[]
    )
    without = fit(until(table, 1700), steps=300, hidden=48, learning_rate=5e-3).evaluate(table, baselines=[])
    assert with_it.metrics["mae"] < 0.6 * without.metrics["mae"]


def test_several_targets(table):
    wide = waves(2, 400, columns=("a", "b"))
    task = fit(until(wide, 340), targets=["a", "b"])
    forecast = task.predict()
    assert forecast["target"].unique(maintain_order=True).to_list() == ["a", "b"]
    assert len(forecast) == 2 * 2 * 12
    report = task.evaluate(until(wide, 400))
    assert set(report.details["mae_by_series"]["model"]) == {"s0 a", "s0 b", "s1 a", "s1 b"}


def test_forecast_goes_on_from_training_rows(table):
    train = table.filter(pl.col("time") < pl.datetime(2024, 1, 15))
    task = fit(train)
    assert task.predict().equals(task.predict(train))
    forecast = task.predict()
    assert forecast["time"].min() == pl.Series([train["time"].max()]).dt.offset_by("1h")[0]
    assert (forecast["q10"] <= forecast["q50"]).all()
    assert (forecast["q50"] <= forecast["q90"]).all()


def test_order_and_company_of_series_do_not_matter(table, trained):
    alone = trained.predict(table.filter(id="s1"))
    reverse = trained.predict(pl.concat([table.filter(id=name) for name in ("s2", "s1", "s0")]))
    together = reverse.filter(series="s1")
    for name in ("mean", "q10", "q50", "q90"):
        np.testing.assert_allclose(alone[name], together[name], rtol=1e-5)


def test_interleaved_rows_are_the_same_table(table):
    interleaved = table.sort("time", maintain_order=True)
    first, second = fit(table), fit(interleaved)
    assert first.files()["weights.safetensors"] == second.files()["weights.safetensors"]


def test_frames_come_back_as_they_went_in(table, trained):
    as_polars = trained.predict(table)
    as_pandas = trained.predict(table.to_pandas())
    as_arrow = trained.predict(table.to_arrow())
    assert isinstance(as_pandas, pd.DataFrame)
    assert type(as_arrow).__module__.startswith("pyarrow")
    assert as_polars["mean"].to_list() == as_pandas["mean"].to_list() == as_arrow["mean"].to_pylist()
    assert as_polars["time"].to_list() == [stamp.to_pydatetime() for stamp in as_pandas["time"]]


@pytest.mark.parametrize("level", [0.0, 7.0, -1e9])
def test_constant_series_is_forecast_to_the_bit(table, level):
    constant = table.with_columns(y=pl.when(pl.col("id") == "s1").then(level).otherwise(pl.col("y")))
    forecast = fit(constant).predict().filter(series="s1")
    for name in ("mean", "q10", "q50", "q90"):
        assert (forecast[name] == level).all()


def test_large_level_with_a_small_swing(table):
    lifted = table.with_columns(pl.col("y") + 1e9)
    report = fit(until(lifted, 340), steps=300).evaluate(until(lifted, 400))
    assert report.metrics["mae"] < 0.15


def test_filled_values_are_not_scored(table):
    holes = table.with_columns(y=pl.when(pl.col("time").dt.day() == 16).then(None).otherwise(pl.col("y")))
    task = fit(until(table, 340), fill="forward")
    report = task.evaluate(holes)
    assert any("filled in" in note for note in report.notes)
    kept = task.evaluate(table)
    assert report.metrics["mae"] != kept.metrics["mae"]
    assert all(np.isfinite(value) for value in report.metrics.values())


def test_evaluating_on_training_rows_is_said(table, trained):
    report = trained.evaluate(table, start="2024-01-05")
    assert any("trained on" in note for note in report.notes)
    assert not any("trained on" in note for note in trained.evaluate(table).notes)


def test_windows_begin_at_start(table, trained):
    rows = 400 - 16 * 24
    assert trained.evaluate(table, start="2024-01-17").facts["windows"] == str(3 * (rows - 12 + 1))
    with pytest.raises(DataError, match="no window to evaluate"):
        trained.evaluate(table, start="2024-03-01")
    with pytest.raises(ConfigError, match="`start`"):
        trained.evaluate(table, start="tomorrow")


def test_slow_baselines_on_the_same_windows(table):
    pytest.importorskip("statsforecast", reason="the extra `baselines` is not installed")
    task = fit(until(table, 340))
    report = task.evaluate(table, stride=16)
    assert list(report.baselines)[-2:] == ["AutoETS", "AutoTheta"]
    # A wave of one height: both methods find it, and cannot be far from the noise.
    assert report.baselines["AutoETS"]["mae"] < 0.3
    with pytest.raises(ConfigError, match=r"`baselines` \(`--baseline`\) names 'Prophet'"):
        task.evaluate(table, baselines=["Prophet"])


def test_whole_number_time_and_its_season():
    values = np.tile([1.0, 5.0, 2.0, 8.0, 3.0], 80) + np.random.default_rng(0).normal(0, 0.05, 400)
    table = pl.DataFrame({"step": np.arange(0, 800, 2), "y": values})
    task = sluicegate.Forecaster(horizon=5, context=20, **{**QUICK, "steps": 300}).fit(table, time="step", target="y")
    assert task._trained.season == 5
    forecast = task.predict()
    assert forecast["time"].to_list() == [800, 802, 804, 806, 808]
    np.testing.assert_allclose(forecast["mean"], [1, 5, 2, 8, 3], atol=0.6)


def test_quantiles_asked_for_are_given(table):
    assert fit(table, quantiles=(0.025, 0.975)).predict().columns[3:] == ["mean", "q2.5", "q10", "q50", "q90", "q97.5"]


def test_interval_covers_what_it_says():
    table = waves(4, 900)
    report = fit(table.filter(pl.col("time") < pl.datetime(2024, 1, 25)), steps=400).evaluate(table)
    assert 0.7 <= report.metrics["coverage_80"] <= 0.9


def test_window_of_ten_million_rows_is_a_view():
    from sluicegate.data import Windows

    windows = Windows.between(np.array([336]), np.array([10_000_000]), 96)
    assert len(windows) == 10_000_000 - 336 - 96 + 1
    assert windows.first.nbytes + windows.counts.nbytes == 16

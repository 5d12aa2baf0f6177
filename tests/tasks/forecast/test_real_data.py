"""On real data the forecaster is better than the simple method, with margins that a broken part would use up."""

import polars as pl

import sluicegate


def test_transformer_load(shared_data):
    """ETTh1: trained on a year, judged on the four months that follow and that validated; the linear start has 0.67."""
    table = pl.read_csv(shared_data / "forecasting/ETT/ETTh1.csv")[:11_520]
    variables = table.columns[1:]
    task = sluicegate.Forecaster(horizon=96, context=336, steps=300)
    task.fit(table[:8640], time="date", target=variables, validation=table[8640:])
    assert task.report.metrics["mse_scaled"] < 0.66
    assert task.report.metrics["mse_scaled"] < 0.8 * task.report.baselines["seasonal_naive"]["mse_scaled"]
    assert 0.7 < task.report.metrics["coverage_80"] < 0.9


def test_weather(shared_data):
    """Seattle's daily weather: a year that the model has not seen."""
    table = pl.read_csv(shared_data / "forecasting/vega/seattle-weather.csv")
    past = ["precipitation", "wind"]
    task = sluicegate.Forecaster(horizon=28, steps=150).fit(table[:1096], time="date", target="temp_max", past=past)
    report = task.evaluate(table, baselines=[])
    assert report.metrics["mae"] < 0.8 * report.baselines["seasonal_naive"]["mae"]
    # The calendar is as good a guess, and is named for being the simpler.
    assert "calendar average" in report.verdict
    assert "within noise" in report.verdict

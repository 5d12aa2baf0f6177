"""The demo, cut short: the whole of it is `make demo`."""

import builtins
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

from sluicegate.cli import demo
from sluicegate.cli.app import app
from sluicegate.tasks import Forecaster


@pytest.fixture
def short(monkeypatch):
    """A sine wave that is learnt at once, and forecasters that hardly train."""
    monkeypatch.setattr(demo, "learn_sine", lambda: 1e-5)
    monkeypatch.setattr(demo, "learn_sine_in_keras", lambda: None)
    monkeypatch.setattr(demo, "Forecaster", lambda horizon, **knobs: Forecaster(horizon, **knobs, steps=3, hidden=4))


def test_the_demo_ends_with_a_table_a_verdict_and_a_report(tmp_path, short):
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "Sine wave: mean squared error 1.0e-05 after 50 epochs" in result.stdout
    for method in ("GRU", "LSTM", "RNN", "seasonal naive 365", "calendar average"):
        assert method in result.stdout
    assert "Use " in result.stdout
    assert result.stdout.rstrip().endswith("report.html")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["model", "report.html"]
    assert result.stderr.splitlines() == ["training the GRU", "training the LSTM", "training the RNN"]


@pytest.mark.parametrize("loss", [1e-4, 0.5, float("nan")])
def test_a_wave_that_is_not_learnt_fails_loudly(tmp_path, monkeypatch, loss):
    monkeypatch.setattr(demo, "learn_sine", lambda: loss)
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "error: the sine wave was not learnt" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_wave_is_learnt_epoch_by_epoch():
    """The full 50 epochs end at 1e-5; two bring the error from 0.5, the variance of a sine, well down."""
    assert demo.learn_sine(2) < 0.1


def test_the_wave_is_learnt_in_keras():
    pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
    assert demo.learn_sine_in_keras(2) < 0.1


def test_without_keras(monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    assert demo.learn_sine_in_keras() is None


def test_the_last_year_is_kept_from_the_models(short, tmp_path):
    weather = demo._weather()
    assert weather.columns[:2] == ["date", "precipitation"]
    assert len(weather) == 1461
    reports = demo.compare_cells(weather, tmp_path)
    assert {report.facts["windows"] for report in reports.values()} == {str(365 - demo.HORIZON + 1)}
    for name in set(reports["gru"].baselines) - {"linear_map"}:  # which the number of threads may round otherwise
        assert len({tuple(report.baselines[name].values()) for report in reports.values()}) == 1
    assert "trained on" not in " ".join(note for report in reports.values() for note in report.notes)


def test_the_simple_methods_on_seattles_temperatures_err_by_what_others_found(short, tmp_path):
    """Worked out apart from this package: two harmonics of the year by least squares, with the last error fading."""
    report = demo.compare_cells(demo._weather(), tmp_path)["gru"]
    found = {name: round(row["mae"], 2) for name, row in report.baselines.items()}
    assert found["seasonal_naive"] == 4.12
    assert found["last_value"] == 3.93
    assert found["season_mean"] == 3.52
    assert found["calendar_average"] == pytest.approx(3.0, abs=0.011)


def test_without_the_weather(monkeypatch):
    known = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "vega_datasets":
            raise ImportError(name)
        return known(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "vega_datasets", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "the demo needs the package 'vega_datasets', which is not installed" in result.stderr
    assert "run `pip install 'sluicegate[demo]'`" in result.stderr


def test_the_comparison_has_the_same_windows_for_all(short, tmp_path):
    reports = demo.compare_cells(demo._weather().filter(pl.col("date") < pl.date(2015, 3, 1)), tmp_path)
    table = demo._comparison(reports)
    assert [column.header for column in table.columns][:2] == ["method", "mae"]
    simple = ["last value", "history mean", "season mean", "seasonal naive", "seasonal naive 365", "calendar average"]
    assert list(table.columns[0].cells) == ["GRU", "LSTM", "RNN", *simple, "linear map"]

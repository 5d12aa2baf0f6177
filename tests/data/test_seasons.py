import numpy as np
import polars as pl
import pytest

from sluicegate.data import calendar_seasons, find_season, find_seasons, read_panel


def season_of(*columns, longest=100, ends=None):
    count = len(columns)
    rows = len(columns[0])
    table = pl.DataFrame(
        {
            "t": np.tile(np.arange(rows), count),
            "s": np.repeat(np.arange(count), rows),
            "x": np.concatenate(columns).astype(float),
        }
    )
    panel = read_panel(table, time="t", series="s", values=["x"])
    return find_season(panel, ["x"], panel.bounds[1:] if ends is None else ends, longest)


STEPS = np.arange(600)
NOISE = np.random.default_rng(0).normal(size=(20, 600))


@pytest.mark.parametrize("season", [4, 7, 12, 24, 52])
def test_a_season_under_noise_and_a_trend(season):
    shape = np.random.default_rng(season).normal(size=season)
    assert season_of(3 * shape[STEPS % season] + 0.3 * NOISE[0] + 0.05 * STEPS) == season


def test_many_series_vote():
    shape = np.random.default_rng(1).normal(size=12)
    assert season_of(*(shape[STEPS % 12] + noise for noise in NOISE[:10])) == 12


def test_only_the_training_rows_count():
    flat = np.where(STEPS < 300, NOISE[0], 10 * (STEPS % 5))
    assert season_of(flat, ends=np.array([300])) == 1
    assert season_of(flat) == 5


@pytest.mark.parametrize(
    "values",
    [NOISE[0], NOISE[0].cumsum(), 0.5 * STEPS, np.ones(600), np.exp(STEPS / 100.0), 1e-300 * NOISE[0]],
    ids=["noise", "walk", "line", "constant", "growth", "tiny"],
)
def test_none_where_none_repeats(values):
    assert season_of(values) == 1


def test_a_short_series_has_none():
    assert season_of(STEPS[:20] % 7, longest=100) == 1
    assert season_of(STEPS[:20] % 7, longest=1) == 1


def test_a_week_is_found_beside_its_days():
    """Whole numbers have no calendar: that weekends differ must be seen in the values."""
    hours = np.arange(24 * 60)
    day = np.random.default_rng(0).normal(size=24)
    weekend = np.random.default_rng(1).normal(size=24) * (hours // 24 % 7 > 4)[:, None]
    values = day[hours % 24] + weekend[hours, hours % 24] + 0.2 * np.random.default_rng(2).normal(size=len(hours))
    panel = read_panel(pl.DataFrame({"t": hours, "x": values}), time="t", values=["x"])
    assert find_seasons(panel, ["x"], panel.bounds[1:], 400) == [24, 168]
    assert calendar_seasons(panel) == []


@pytest.mark.parametrize(
    ("every", "seasons"),
    [("1h", [24, 168, 8766]), ("1d", [7, 365]), ("1w", [52]), ("1mo", [12]), ("1q", [4]), ("7h", [24, 1252])],
)
def test_the_calendar_suggests_day_week_and_year(every, seasons):
    time = pl.datetime_range(pl.datetime(2021, 1, 1), pl.datetime(2023, 6, 1), interval=every, eager=True)
    table = pl.DataFrame({"t": time, "x": np.zeros(len(time))})
    assert calendar_seasons(read_panel(table, time="t", values=["x"])) == seasons


def test_a_year_of_local_days_across_changes_of_the_clock():
    time = pl.datetime_range(
        pl.datetime(2021, 1, 1), pl.datetime(2023, 6, 1), interval="1d", eager=True, time_zone="Europe/Berlin"
    )
    assert calendar_seasons(read_panel(pl.DataFrame({"t": time, "x": 0.0}), time="t", values=["x"])) == [7, 365]

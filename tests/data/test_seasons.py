import numpy as np
import polars as pl
import pytest

from sluicegate.data import find_season, read_panel


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

import numpy as np
import polars as pl
import pytest

from sluicegate.data import Scaler, read_panel
from sluicegate.data.scaling import find_knee

TABLE = pl.DataFrame(
    {
        "t": [0, 1, 2, 3, 0, 1, 2, 3],
        "s": ["a"] * 4 + ["b"] * 4,
        "x": [1.0, 3.0, 5.0, 100.0, 7.0, 7.0, 7.0, 8.0],
        "y": [0.0, 0.0, 6.0, 0.0, 1.0, 2.0, 3.0, 0.0],
    }
)
ENDS = np.array([3, 7])


@pytest.fixture
def panel():
    return read_panel(TABLE, time="t", series="s", values=["x", "y"])


def test_training_rows_alone_are_measured(panel):
    scaler = Scaler.fit(panel, ["x", "y"], ENDS)
    np.testing.assert_allclose(scaler.mean, [[3, 2], [7, 2]])
    np.testing.assert_allclose(scaler.deviation, [[np.sqrt(8 / 3), np.sqrt(8)], [0, np.sqrt(2 / 3)]])
    assert scaler.unit[1, 0] == 1.0


def test_scaled_values(panel):
    scaler = Scaler.fit(panel, ["x", "y"], ENDS)
    scaled = scaler.apply(panel, np.array([0, 1]))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[0, :4], (np.array([1, 3, 5, 100]) - 3) / np.sqrt(8 / 3), rtol=1e-6)
    np.testing.assert_array_equal(scaled[0, 4:], [0, 0, 0, 1])
    swapped = scaler.apply(panel, np.array([1, 0]))
    np.testing.assert_array_equal(swapped[0, :4], [-6, -4, -2, 93])


def test_pooled_is_the_scale_of_all_rows_together(panel):
    scaler = Scaler.fit(panel, ["x", "y"], np.array([3, 8])).pooled(np.array([3, 4]))
    rows = TABLE.select("x", "y").to_numpy()[[0, 1, 2, 4, 5, 6, 7]]
    np.testing.assert_allclose(scaler.mean, [rows.mean(0)])
    np.testing.assert_allclose(scaler.deviation, [rows.std(0)])


def test_a_constant_column_is_constant_to_the_bit():
    """A mean of many equal numbers is off by rounding; a forecast of a constant must not be."""
    table = pl.DataFrame({"t": range(1000), "x": [0.1] * 1000})
    scaler = Scaler.fit(read_panel(table, time="t", values=["x"]), ["x"], np.array([1000]))
    assert scaler.mean[0, 0] == 0.1
    assert scaler.deviation[0, 0] == 0.0


def test_a_small_swing_on_a_large_level_survives():
    table = pl.DataFrame({"t": range(4), "x": [1e9, 1e9 + 1, 1e9, 1e9 + 1]})
    panel = read_panel(table, time="t", values=["x"])
    scaled = Scaler.fit(panel, ["x"], np.array([4])).apply(panel, np.array([0]))
    np.testing.assert_array_equal(scaled, [[-1, 1, -1, 1]])


def hours(days=40):
    day = 1 + 0.8 * np.sin(np.arange(24 * days) * 2 * np.pi / 24)
    return day, np.random.default_rng(0).normal(0, 0.2, 24 * days)


def test_errors_in_proportion_to_the_level_are_bent_away():
    day, noise = hours()
    assert find_knee(100 * day * np.exp(noise), 24) == pytest.approx(np.quantile(100 * day * np.exp(noise), 0.01))


def test_even_errors_and_negative_values_stay_straight():
    day, noise = hours()
    assert find_knee(100 * (day + noise) + 1000, 24) == 0
    assert find_knee(100 * day * np.exp(noise) - 50, 24) == 0
    assert find_knee(np.full(500, 3.0), 24) == 0
    assert find_knee(np.zeros(500), 24) == 0


def test_bent_values_are_standardised():
    day, noise = hours()
    values = 100 * day * np.exp(noise)
    panel = read_panel(pl.DataFrame({"t": range(len(values)), "x": values}), time="t", values=["x"])
    scaler = Scaler.fit(panel, ["x"], np.array([len(values)]), season=24)
    bent = np.arcsinh(values / scaler.knee[0, 0])
    np.testing.assert_allclose([scaler.mean[0, 0], scaler.deviation[0, 0]], [bent.mean(), bent.std()])
    np.testing.assert_allclose(scaler.apply(panel, np.array([0]))[0], (bent - bent.mean()) / bent.std(), atol=1e-6)
    np.testing.assert_allclose(scaler.knee[0, 0] * np.sinh(bent), values)

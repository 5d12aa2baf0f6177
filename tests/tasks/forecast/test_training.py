"""How much of what training added is kept: the share of least squared error, in doubt where few windows lie apart."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import torch

from sluicegate import Forecaster
from sluicegate.data import Panel, Scaler, Windows
from sluicegate.data.axis import TimeAxis
from sluicegate.errors import DataError
from sluicegate.tasks import task as verbs
from sluicegate.tasks.forecast.batches import Calendar, Columns, PreparedWindows, Scalers
from sluicegate.tasks.forecast.model import SegmentForecaster, Shape
from sluicegate.tasks.forecast.objective import Objective
from sluicegate.training import train


class Case:
    """Series as they are, neither scaled nor bent, and a network that adds `added` to a linear forecast.

    Args:
        series: for each series, its values, one column for each target.
        horizon: steps ahead.
        context: steps back.
        known: for each series, the values of a column known in advance.
        effect: what a step in it moves the target by.
    """

    def __init__(self, *series, horizon=1, context=2, known=None, effect=0.0):
        self.series = [np.array(values, np.float64).reshape(len(values), -1) for values in series]
        self.context, self.horizon, self.effect = context, horizon, effect
        self.known = None if known is None else [np.array(values, np.float64) for values in known]
        targets = tuple(f"y{j}" for j in range(self.series[0].shape[1]))
        names = () if known is None else ("k",)
        columns = {name: np.concatenate([values[:, j] for values in self.series]) for j, name in enumerate(targets)}
        if self.known is not None:
            columns["k"] = np.concatenate(self.known)
        lengths = [len(values) for values in self.series]
        self.bounds, count = np.concatenate([[0], np.cumsum(lengths)]), len(lengths)
        axis = TimeAxis("integer", 1)
        panel = Panel(axis, tuple(range(count)), self.bounds, np.zeros(count, np.int64), columns, {})
        shape = Shape(context, horizon, 1, 0, len(names), 0, 4, 2, "gru", 2, 1, 0.0)
        scalers = Scalers(_unscaled(targets, count), _unscaled(names, 1))
        roles = Columns("t", targets, None, (), names)
        prepared = PreparedWindows(panel, np.arange(count), roles, scalers, Calendar(axis, ()), shape)
        self.windows = Windows.between(self.bounds[:-1] + context, self.bounds[1:], horizon)
        self.draw = Objective(prepared, self.windows, len(targets), torch.tensor([0.1, 0.5, 0.9]))
        torch.manual_seed(0)
        self.model = SegmentForecaster(shape).eval()
        self.start = torch.zeros(horizon, context)
        with torch.no_grad():
            self.model.head.weight.zero_()
            self.model.head.bias.copy_(torch.tensor([0.0, -7.0, 50.0, 99.0]))  # of which the first is the mean
            if names:
                self.model.effect.fill_(effect)

    def adding(self, constant=0.0, of_context=None):
        """Make the network add a constant, and a map of the context less its last value."""
        with torch.no_grad():
            self.model.head.bias[0] = constant
            self.model.shortcut.copy_(self.start + (0 if of_context is None else of_context))
        return self

    def share(self, windows=None):
        return self.draw.share(self.model, self.windows if windows is None else windows, self.start)

    def expected(self):
        """The same by the definition: window by window, with the least squares of a single unknown."""
        added, missed = [], []
        start, final = self.start.double().numpy(), self.model.shortcut.detach().double().numpy()
        for i, values in enumerate(self.series):
            moves = np.zeros(len(values)) if self.known is None else self.effect * self.known[i]
            for row in range(self.context, len(values) - self.horizon + 1):
                for target in values.T:
                    explained = target - moves  # what is left when the known column's effect is taken off
                    z = explained[row - self.context : row] - explained[row - 1]
                    ahead = slice(row, row + self.horizon)
                    linear = start @ z + target[row - 1] + moves[ahead] - moves[row - 1]
                    added.append((final - start) @ z + self.model.head.bias[0].item())
                    missed.append(target[ahead] - linear)
        slope = np.linalg.lstsq(np.concatenate(added)[:, None], np.concatenate(missed), rcond=None)[0].item()
        lengths = [max(0, len(values) - self.context - self.horizon + 1) for values in self.series]
        blocks = sum(-(-length // self.horizon) for length in lengths)
        return min(max(slope, 0.0), 1.0) * blocks / (blocks + 3)


def _unscaled(columns, count):
    zeros = np.zeros((count, len(columns)))
    return Scaler(columns, zeros, zeros + 1, zeros)


def slope(rows, step=0.5, begin=0.0):
    return begin + step * np.arange(rows)


def noise(*size, seed=0):
    return np.random.default_rng(seed).normal(size=size)


def map_of(horizon, context, seed):
    return torch.tensor(noise(horizon, context, seed=seed), dtype=torch.float32)


# By hand: a series that climbs by 0.5 a row, a linear forecast that stays where it is, and a network that adds 1.


@pytest.mark.parametrize("windows", [1, 2, 3, 9, 97])
def test_the_share_is_what_the_network_was_right_about_less_the_doubt(windows):
    case = Case(slope(windows + 2)).adding(1.0)
    assert case.share() == pytest.approx(0.5 * windows / (windows + 3), rel=1e-6)


@pytest.mark.parametrize(("added", "right"), [(0.5, 1), (0.4, 1), (0.1, 1), (2.0, 0.25), (-1.0, 0), (-1e-3, 0)])
def test_the_share_lies_between_nothing_and_everything(added, right):
    case = Case(slope(99)).adding(added)
    assert case.share() == pytest.approx(right * 97 / 100, rel=1e-5)


def test_a_network_that_added_nothing_is_kept_but_for_the_doubt():
    assert Case(slope(99)).adding(0.0).share() == pytest.approx(0.97)


def test_on_a_series_that_never_changes_nothing_is_kept_of_what_was_added():
    assert Case(np.full(99, 4.0)).adding(1.0).share() == 0
    assert Case(np.full(99, 4.0)).adding(of_context=map_of(1, 2, 0)).share() == pytest.approx(0.97)  # it added nothing


def test_only_the_windows_that_validate_count():
    # Thirty rows climb by 0.5 a row, and eight more by 0.25: of the network's 1, that is what holds there.
    case = Case(np.concatenate([slope(30), slope(8, 0.25, begin=14.75)])).adding(1.0)
    assert case.share(Windows.between(np.array([30]), np.array([38]), 1)) == pytest.approx(0.25 * 8 / 11, rel=1e-6)


def test_windows_that_overlap_count_once():
    # Five windows of a horizon of two: three lie apart. The steps ahead climb by 0.5 and by 1, the network adds 1.
    case = Case(slope(8), horizon=2).adding(1.0)
    assert case.share() == pytest.approx(0.75 * 3 / 6, rel=1e-6)


def test_windows_of_several_series_lie_apart():
    # Of three series with 3, 1 and 0 windows of two steps, 2 + 1 + 0 lie apart: one more than of 4 in a row.
    case = Case(slope(6), slope(4, begin=30.0), slope(3), horizon=2).adding(1.0)
    assert case.share() == pytest.approx(0.75 * 3 / 6, rel=1e-6)


def test_targets_of_a_window_are_no_further_windows():
    # One climbs by 0.5 and one by 0.1, so that 0.3 of the network's 1 holds.
    case = Case(np.stack([slope(9), slope(9, 0.1)], 1)).adding(1.0)
    assert case.share() == pytest.approx(0.3 * 7 / 10, rel=1e-6)


def test_the_mean_is_what_counts_and_not_the_quantiles():
    case = Case(slope(99)).adding(1.0)
    before = case.share()
    with torch.no_grad():
        case.model.head.bias[1:] = torch.tensor([3.0, -8.0, 0.0])
    assert case.share() == before


# By the definition


def mixed(horizon=3, context=4, **more):
    """Noise, of which the network has learnt a part: between nothing and everything of it holds."""
    return Case(noise(40), noise(25, seed=1), noise(9, seed=2), horizon=horizon, context=context, **more)


def test_series_of_noise():
    case = mixed()
    case.start = map_of(3, 4, 3) * 0.1
    # On the way from the start to a map that sends the last value to zero, which for noise is about right.
    case.adding(0.1, of_context=torch.full((3, 4), 0.6) + 0.2 * map_of(3, 4, 4))
    expected = case.expected()
    assert 0.1 < expected < 0.7
    assert case.share() == pytest.approx(expected, rel=1e-4)


def test_several_targets_of_noise():
    case = Case(noise(40, 2), noise(25, 2, seed=1), horizon=2, context=5)
    case.adding(-0.2, of_context=torch.full((2, 5), 0.5))
    assert 0.1 < case.expected() < 0.7
    assert case.share() == pytest.approx(case.expected(), rel=1e-4)


def test_more_windows_than_the_network_takes_at_once():
    case = Case(noise(3100), horizon=2, context=4).adding(0.05, of_context=torch.full((2, 4), 0.6))
    assert 0.1 < case.expected() < 0.9
    assert case.share() == pytest.approx(case.expected(), rel=1e-4)


def test_what_is_known_in_advance_belongs_to_the_linear_forecast():
    known = [10 * noise(40, seed=5), 10 * noise(25, seed=6)]
    series = [noise(40) + 0.7 * known[0], noise(25, seed=1) + 0.7 * known[1]]
    case = Case(*series, known=known, effect=0.7, horizon=3, context=4)
    case.start = map_of(3, 4, 3) * 0.1
    case.adding(0.1, of_context=torch.full((3, 4), 0.3))
    with torch.no_grad():  # what the network makes of the known column itself is another matter
        case.model.embed.weight.zero_()
        case.model.query.weight.zero_()
    expected = case.expected()
    assert 0.1 < expected < 0.8
    assert case.share() == pytest.approx(expected, rel=1e-4)


def test_measuring_changes_nothing():
    case = mixed().adding(0.1, of_context=map_of(3, 4, 4))
    before = {name: values.clone() for name, values in case.model.state_dict().items()}
    start = case.start.clone()
    case.share()
    assert all(torch.equal(values, before[name]) for name, values in case.model.state_dict().items())
    assert torch.equal(case.start, start)


@pytest.mark.parametrize(
    ("counts", "horizon", "expected"),
    [([1], 1, 1), ([1], 24, 1), ([24], 24, 1), ([25], 24, 2), ([5], 1, 5), ([0], 3, 0), ([3, 1, 0, 7], 2, 7)],
)
def test_windows_apart(counts, horizon, expected):
    assert Windows(np.zeros(len(counts), np.int64), np.array(counts)).apart(horizon).sum() == expected


# In the whole of training


def test_what_was_trained_is_tempered_by_the_share(monkeypatch):
    starts = []

    def trained(model, *arguments, **options):
        curve = train(model, *arguments, **options)
        with torch.no_grad():
            model.shortcut.fill_(8.0)
            model.head.bias.fill_(100.0)
        return curve

    def share(draw, model, held_back, start):
        starts.append(start.clone())
        return 0.25

    monkeypatch.setattr(verbs, "train", trained)
    monkeypatch.setattr(Objective, "share", share)
    model = Forecaster(4, context=8, steps=2, hidden=2).fit(daily(60), time="day", target="y")._trained.model
    (start,) = starts
    assert not torch.equal(start, torch.zeros(4, 8))
    np.testing.assert_allclose(model.shortcut.detach(), 0.75 * start + 2, rtol=1e-5)
    # The mean keeps a quarter, the median too, and the quantiles on top of each other stay there.
    assert set(model.head.bias.tolist()) == {25.0}


def daily(rows):
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(rows)]
    return pl.DataFrame({"day": days, "y": noise(rows)})


def test_validation_rows_that_training_has_are_none():
    table = daily(60)
    forecaster = Forecaster(4, context=8, steps=2, hidden=2)
    with pytest.raises(DataError, match=r"49 windows to train on and 0 to validate on, each of 8 \+ 4 rows"):
        forecaster.fit(table, time="day", target="y", validation=table.tail(20))


def test_without_validation_rows_the_last_part_is_held_back():
    table = daily(60)
    one, other = (Forecaster(4, context=8, steps=2, hidden=2) for _ in range(2))
    one.fit(table, time="day", target="y")
    other.fit(table.head(51), time="day", target="y", validation=table.tail(9))
    assert one.report.metrics == other.report.metrics

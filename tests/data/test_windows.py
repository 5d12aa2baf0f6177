import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data import Windows


@st.composite
def panels(draw):
    """Series end to end: where each begins, the first row for a horizon in it, and where its rows end."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=5))
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    offsets = [draw(st.integers(0, length + 2)) for length in lengths]
    return bounds[:-1] + np.array(offsets, np.int64), bounds[1:]


def enumerated(first, end, horizon, stride):
    return [
        (series, row)
        for series, (begin, stop) in enumerate(zip(first.tolist(), end.tolist(), strict=True))
        for row in range(begin, stop, stride)
        if row + horizon <= stop
    ]


@given(panels(), st.integers(1, 6), st.integers(1, 5))
def test_windows_are_those_of_a_naive_enumeration(panel, horizon, stride):
    first, end = panel
    windows = Windows.between(first, end, horizon, stride)
    expected = enumerated(first, end, horizon, stride)
    assert len(windows) == len(expected)
    series, rows = windows.locate(np.arange(len(windows)))
    assert list(zip(series.tolist(), rows.tolist(), strict=True)) == expected


@given(panels(), st.integers(1, 6), st.data())
def test_a_batch_locates_its_windows_in_any_order(panel, horizon, data):
    windows = Windows.between(*panel, horizon)
    if not len(windows):
        return
    numbers = np.array(data.draw(st.lists(st.integers(0, len(windows) - 1), min_size=1)))
    every = np.stack(windows.locate(np.arange(len(windows))))
    assert (np.stack(windows.locate(numbers)) == every[:, numbers]).all()


@given(panels(), st.integers(1, 6), st.integers(1, 5))
def test_windows_that_lie_apart_are_those_of_a_walk_from_one_to_the_next(panel, horizon, stride):
    windows = Windows.between(*panel, horizon, stride)
    series, rows = windows.locate(np.arange(len(windows)))
    counts = np.zeros(len(panel[0]), int)
    free = np.zeros(len(panel[0]), int)
    for i, row in zip(series.tolist(), rows.tolist(), strict=True):
        if row >= free[i]:
            counts[i], free[i] = counts[i] + 1, row + horizon
    assert (windows.apart(horizon) == counts).all()


@given(panels(), st.integers(1, 6), st.integers(1, 9))
def test_thinned_windows_are_among_the_others_and_not_many_more_than_asked_for(panel, horizon, most):
    windows = Windows.between(*panel, horizon)
    thinned = windows.thinned(most)
    every, some = (
        set(zip(*map(np.ndarray.tolist, w.locate(np.arange(len(w)))), strict=True)) for w in (windows, thinned)
    )
    assert some <= every
    assert len(some) <= most + len(panel[0])
    assert len(some) == len(every) if most >= len(every) else len(some) > 0


def test_ten_million_windows_take_no_memory():
    windows = Windows.between(np.array([96]), np.array([10_000_095 + 96]), 96)
    assert len(windows) == 10_000_000
    assert [part.tolist() for part in windows.locate(np.array([0, 9_999_999]))] == [[0, 0], [96, 10_000_095]]

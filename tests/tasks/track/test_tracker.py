"""The tracker learns, keeps the promises of every task, and follows walkers who are not always seen."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError, SnapshotError
from sluicegate.metrics.tracking import Evaluation, Followed
from sluicegate.tasks.checks import Case, checks
from tests.tasks.track.walkers import QUICK, RATE, seen_of, walkers, write_detections, write_folder


def rows_of(table, frames=range(1, 13)):
    """A frame's boxes in each."""
    return [
        {
            "boxes": part.select("x", "y", "width", "height").to_numpy().tolist(),
            "scores": part["score"].to_list(),
        }
        for part in (table.filter(pl.col("frame") == frame) for frame in frames)
    ]


def told(task, rows):
    """What is told of the last frame when all are predicted as a table."""
    boxes = [
        (frame, *box, score)
        for frame, row in enumerate(rows, 1)
        for box, score in zip(row["boxes"], row["scores"], strict=True)
    ]
    table = pl.DataFrame(boxes, schema=["frame", "x", "y", "width", "height", "score"], orient="row")
    found = task.predict(table.with_columns(rate=pl.lit(RATE))).filter(pl.col("frame") == len(rows))
    first = table.with_row_index().filter(pl.col("frame") == len(rows))["index"][0]
    return {
        "ids": found["id"].to_list(),
        "rows": [-1 if row is None else row - first for row in found["row"]],
        "boxes": [list(box) for box in found.select("x", "y", "width", "height").rows()],
        "confidence": found["confidence"].to_list(),
    }


@pytest.fixture(scope="module")
def case(table):
    few = table.filter(pl.col("id") <= 3)
    return Case(
        make=lambda seed, **knobs: sluicegate.Tracker(seed=seed, **QUICK | {"steps": 6} | knobs),
        fit=lambda task: task.fit(few, progress=False),
        data=few,
        rows=rows_of(seen_of(table)),
        offline=told,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def scores(truth, found):
    def followed(table):
        return Followed(
            *(table[name].to_numpy() for name in ("frame", "id")), table.select("x", "y", "width", "height").to_numpy()
        )

    return Evaluation().add("one", followed(truth), followed(found), range(1, truth["frame"].max() + 1))


def test_walkers_are_followed(trained):
    truth = walkers(seed=5)
    found = trained.predict(seen_of(truth, missed=0.15))
    figures = scores(truth, found)
    assert figures.switches <= 2
    assert figures.idf1 > 85
    assert sorted(set(found["id"])) == list(range(1, found["id"].max() + 1))


def test_smoothing_fills_gaps_and_begins_early(trained):
    truth = walkers(seed=6)
    seen = seen_of(truth, missed=0.25)
    online, smooth = (scores(truth, trained.predict(seen, smooth=which)) for which in (False, True))
    assert smooth.misses < online.misses
    assert smooth.idf1 >= online.idf1


def test_the_row_is_that_of_the_data(trained):
    seen = seen_of(walkers(seed=7)).sample(fraction=1, shuffle=True, seed=0)
    found = trained.predict(seen).drop_nulls("row")
    there = seen[found["row"]]
    assert (there["frame"] == found["frame"]).all()
    assert np.abs(there["x"] - found["x"]).max() < 40


def test_frames_of_other_kinds_come_back(trained):
    seen = seen_of(walkers(seed=7, frames=12)).to_pandas()
    found = trained.predict(seen)
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns)[:3] == ["video", "frame", "id"]


def test_folders_and_files(trained, tmp_path):
    truth = walkers(seed=8, frames=20)
    seen = seen_of(truth)
    write_folder(tmp_path / "all" / "a", truth, seen)
    found = trained.predict(tmp_path / "all")
    assert set(found["video"]) == {"a"}
    write_detections(tmp_path / "boxes.txt", seen)
    assert trained.predict(tmp_path / "boxes.txt", rate=RATE)["id"].to_list() == found["id"].to_list()
    report = trained.evaluate(tmp_path / "all")
    assert "sequence a" in report.facts
    assert set(report.baselines) == {"sort", "sort_10", "byte_track"}
    assert "<svg" in report.to_html()


def test_times_of_any_distance(trained):
    """Every other frame is left out, and says so by its time: nobody changes the id."""
    truth = walkers(seed=9, jitter=0.5)
    stream, ids = trained.open_stream(), []
    for frame in range(1, 60):
        if frame % 3 == 0:
            continue
        boxes = truth.filter(pl.col("frame") == frame).select("x", "y", "width", "height").to_numpy()
        found = stream.update(boxes, time=frame / RATE)
        ids.append(dict(zip(found.rows.tolist(), found.ids.tolist(), strict=True)))
    last = ids[-1]
    assert len(last) == 6
    assert all(one.get(row, last[row]) == last[row] for one in ids for row in last)


def test_a_snapshot_goes_on_with_the_same_bits(trained):
    rows = rows_of(seen_of(walkers(seed=3)), range(1, 40))
    stream = trained.open_stream()
    for row in rows[:20]:
        stream.update(row["boxes"], row["scores"])
    other = trained.open_stream()
    other.restore(stream.snapshot())
    assert other.snapshot() == stream.snapshot()
    for row in rows[20:]:
        ours, theirs = (one.update(row["boxes"], row["scores"]) for one in (stream, other))
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
    with pytest.raises(SnapshotError, match="altered"):
        other.restore(stream.snapshot()[:-1] + b"\0")


def test_classes_do_not_change_within_a_track(trained, table):
    stream = trained.open_stream()
    box = [[100.0, 100.0, 30.0, 60.0]]
    for _ in range(10):
        first = stream.update(box, classes=[1])
    for _ in range(10):
        second = stream.update(box, classes=[2])
    assert 1 in first.ids
    assert not set(second.ids[second.rows == 0]) & set(first.ids)


def test_detections_of_supervision(trained):
    class Detections(SimpleNamespace):
        def __getitem__(self, rows):
            return Detections(xyxy=self.xyxy[rows], confidence=self.confidence[rows], class_id=None, tracker_id=None)

    stream = trained.open_stream()
    for _ in range(12):
        given = Detections(
            xyxy=np.array([[10.0, 20, 40, 80], [300, 20, 330, 80]]), confidence=np.ones(2), class_id=None
        )
        found = stream.update(given)
    assert sorted(found.tracker_id) == [1, 2]
    assert found.xyxy.shape == (2, 4)


def test_nothing_for_a_minute_and_thousands_of_boxes(trained):
    stream = trained.open_stream()
    box = np.array([[100.0, 100.0, 30.0, 60.0]])
    for _ in range(8):
        first = stream.update(box)
    for _ in range(600):
        stream.update(np.zeros((0, 4)))
    for _ in range(8):
        again = stream.update(box)
    assert first.ids.tolist() == [1]
    assert again.ids.tolist() == [2]
    grid = np.stack(np.meshgrid(np.arange(100.0), np.arange(50.0)), -1).reshape(-1, 2) * 40
    many = np.concatenate([grid, np.full((5000, 2), 30.0)], 1)
    for _ in range(5):
        found = stream.update(many)
    assert len(found.ids) >= 5000
    assert len(set(found.ids.tolist())) == len(found.ids)


def test_forecasts_go_on(trained):
    history = np.stack([[100.0 + 8 * step, 50.0, 30.0, 60.0] for step in range(8)])
    one = trained.forecast(history, steps=5, every=0.2)
    assert one.boxes.shape == (5, 4)
    assert one.boxes[0, 0] > history[-1, 0] - 4
    several = trained.forecast(np.stack([history, history]), steps=5, every=0.2)
    np.testing.assert_allclose(several.boxes[1], one.boxes, atol=1e-3)
    assert (np.diff(one.spread[:, 0]) > 0).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": [[1.0, 2, -3, 4]]}, "width -3 and height 4"),
        ({"boxes": [[1.0, 2, float("nan"), 4]]}, "finite numbers"),
        ({"boxes": [[1.0, 2, 3]]}, r"expected \[boxes 4\]"),
        ({"boxes": [[1.0, 2, 3, 4]], "scores": [1.0, 2.0]}, "one number for each"),
        ({"boxes": [[1.0, 2, 3, 4]], "scores": [float("inf")]}, "the score inf"),
        ({"boxes": [], "time": float("nan")}, "must be seconds"),
        ({"boxes": [], "time": 0.5}, "not after that of the last frame"),
    ],
)
def test_bad_frames_leave_the_state_as_it_was(trained, change, message):
    stream = trained.open_stream()
    stream.update([[1.0, 2, 30, 40]], time=1.0)
    before = stream.snapshot()
    with pytest.raises(DataError, match=message):
        stream.update(change["boxes"], change.get("scores"), time=change.get("time"))
    with pytest.raises(DataError, match="expected a mapping"):
        stream.push(3)
    assert stream.snapshot() == before


def test_bad_forecasts(trained):
    with pytest.raises(DataError, match="two times at least"):
        trained.forecast(np.ones((1, 4)))
    with pytest.raises(ConfigError, match="ahead at most"):
        trained.forecast(np.ones((3, 4)), steps=1000)
    with pytest.raises(ConfigError, match="`rate`"):
        trained.open_stream(rate=0)

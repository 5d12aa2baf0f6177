"""People are found, followed by where they were last, and lost, with models that are made of arrays."""

import numpy as np
import pytest

from sluicegate.data.pose.detector import COUNT, NUMBERS, Detector, anchors
from sluicegate.data.pose.fetching import unpacked
from sluicegate.data.pose.finder import JOINTS, PersonFinder, open_pose
from sluicegate.data.pose.regions import Region
from sluicegate.data.pose.smoothing import OneEuro
from sluicegate.errors import DataError

PICTURE = np.zeros((100, 200, 3), np.uint8)


class Landmarks:
    """Says the same points in every square, and notes the squares that it was asked for."""

    size = 64

    def __init__(self):
        self.score, self.asked = 1.0, []
        self.points = np.zeros((39, 5), np.float32)
        self.points[:, :2] = 32.0
        self.points[:, 3] = 4.0
        self.points[34, 1] = 32.0 - 64 * 0.4  # so that the next square is as large as this one

    def __call__(self, picture):
        self.asked.append(picture)
        return [self.points.reshape(1, -1), np.array([[self.score]], np.float32)]


class Boxes:
    """Says people of half the picture's side at anchors."""

    size = 224

    def __init__(self, *places):
        self.numbers = np.zeros((1, COUNT, NUMBERS), np.float32)
        self.scores = np.full((1, COUNT, 1), -20.0, np.float32)
        for score, place in places:
            self.numbers[0, place, 2:4] = 40.0
            self.numbers[0, place, 7] = -56.0  # the second point is a quarter above the first
            self.scores[0, place] = score

    def __call__(self, picture):
        return [self.numbers, self.scores]


def nearest(x, y):
    return int(np.square(anchors() - [x, y]).sum(1).argmin())


def test_anchors():
    found = anchors()
    assert found.shape == (COUNT, 2)
    np.testing.assert_allclose(found[0], 0.5 / 28)
    np.testing.assert_allclose(found[-1], 6.5 / 7)


def test_the_surest_person_first_and_boxes_that_overlap_made_one():
    left, right = nearest(0.3, 0.5), nearest(0.8, 0.5)
    people = Detector(Boxes((2.0, left), (1.9, left + 1), (3.0, right)))(PICTURE)
    assert len(people) == 2
    whole = Region.whole(PICTURE)
    places = whole.out(anchors()[[right, left]])
    np.testing.assert_allclose([[p.x, p.y] for p in people], places, atol=4)
    assert people[0].size == pytest.approx(2 * 0.25 * 200 * 1.25)
    assert people[0].angle == pytest.approx(0.0)
    assert Detector(Boxes())(PICTURE) == []


def test_a_square_is_cut_and_places_come_back():
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[20:24, 50:54] = 255
    region = Region(52.0, 22.0, 16.0, 0.5)
    cut = region.cut(picture, 32)
    rows, columns = np.nonzero(cut.mean(2) > 0.5)
    middle = region.out(np.array([[(columns.mean() + 0.5) / 32, (rows.mean() + 0.5) / 32]]))
    np.testing.assert_allclose(middle[0], [52, 22], atol=0.3)
    assert Region(0.0, 0.0, 40.0).cut(picture, 8)[:3, :3].max() == 0.0


def test_one_person_is_followed_without_the_detector():
    model, detector = Landmarks(), Detector(Boxes((3.0, nearest(0.5, 0.5))))
    finder = PersonFinder(model, detector, smooth=False)
    first = finder(PICTURE, 0.0)
    assert first.shape == (JOINTS, 2)
    finder._detector = None  # it is not asked again
    assert np.isfinite(finder(PICTURE, 0.1)).all()
    model.points[5, 3] = -4.0
    assert np.isnan(finder(PICTURE, 0.2)[5]).all(), "a joint that is not seen"


def test_a_person_who_was_lost_is_found_again_where_they_were():
    model = Landmarks()
    finder = PersonFinder(model, Detector(Boxes((2.0, nearest(0.2, 0.5)))), smooth=False)
    was = finder(PICTURE, 0.0)[0]
    model.score = 0.0
    assert np.isnan(finder(PICTURE, 0.1)).all()
    model.score = 1.0
    finder._detector = Detector(Boxes((2.0, nearest(0.2, 0.5)), (5.0, nearest(0.9, 0.5))))
    np.testing.assert_allclose(finder(PICTURE, 0.2)[0], was, atol=1.0)
    finder.reset()
    assert finder(PICTURE, 0.0)[0, 0] > 120, "with another video the surest"


def test_nobody():
    finder = PersonFinder(Landmarks(), Detector(Boxes()))
    assert np.isnan(finder(PICTURE, 0.0)).all()


def test_rest_is_smoothed_and_movement_followed():
    rng, smooth = np.random.default_rng(0), OneEuro()
    still = rng.normal(0, 1, (60, 3, 2))
    found = np.stack([smooth(place, n / 25, 100.0) for n, place in enumerate(still)])
    assert found[20:].std() < 0.7 * still[20:].std()
    smooth.reset()
    moving = np.arange(60)[:, None, None] * np.full((1, 3, 2), 20.0)
    found = np.stack([smooth(place, n / 25, 100.0) for n, place in enumerate(moving)])
    assert np.abs(found[-1] - moving[-1]).max() < 20.0


def test_files_that_are_no_pose_models(tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"none" * 100)
    with pytest.raises(DataError, match=r"none\.tflite is not there"):
        open_pose(tmp_path / "none.tflite")
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(DataError, match=r"a\.tflite is no model in the TensorFlow Lite form"):
        open_pose(tmp_path / "a.tflite")


def test_a_wheel_that_holds_something_else(tmp_path):
    import zipfile

    (tmp_path / "a.whl").write_bytes(b"none")
    with pytest.raises(DataError, match="does not hold the pose models"):
        unpacked(tmp_path / "a.whl")
    with zipfile.ZipFile(tmp_path / "b.whl", "w") as archive:
        archive.writestr("mediapipe/modules/pose_detection/pose_detection.tflite", b"other")
    with pytest.raises(DataError, match="is another file than expected"):
        unpacked(tmp_path / "b.whl")

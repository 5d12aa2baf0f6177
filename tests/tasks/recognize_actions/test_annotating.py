"""A video is written again with skeletons and what is done, whole or not at all."""

import numpy as np
import pytest

from sluicegate.data.joint_layouts import layout_of
from sluicegate.data.video import VideoWriter, frames_of
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.recognize_actions.annotating import drawn, written

av = pytest.importorskip("av")


class Known:
    """Says the skeletons of a clip, one after the other."""

    def __init__(self, clip):
        self.clip, self.number = clip, 0

    def reset(self):
        self.number = 0

    def __call__(self, picture, time):
        self.number += 1
        return self.clip[self.number - 1]


@pytest.fixture
def video(tmp_path):
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for number in range(12):
            writer.write(np.full((81, 120, 3), 100, np.uint8), number / 10)
    return tmp_path / "a.mp4"


def test_a_video_is_written_again(causal, make, video, tmp_path):
    clip = make(count=1)[0][0]
    assert causal.annotate(video, tmp_path / "out.mp4", pose_model=Known(clip)) == 12
    frames = list(frames_of(tmp_path / "out.mp4"))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 10, atol=2e-3)
    assert frames[5].picture.shape == (80, 120, 3)
    assert frames[5].picture[:20, :60].max() > 180, "the text"


def test_predict_of_a_video_reads_its_skeletons(trained, make, video):
    clip = make(count=1)[0][0]
    by_video = trained.predict(str(video), pose_model=Known(clip)).drop("clip")
    assert by_video.equals(trained.predict([clip[:12]]).drop("clip"))


def test_bones_and_joints():
    layout = layout_of("0-1", 3, 2)
    joints = np.array([[10.0, 30.0], [30.0, 30.0], [np.nan, np.nan]])
    found = drawn(np.zeros((48, 64, 3), np.uint8), joints, layout, {"label": None, "probability": None})
    assert found[30, 20].tolist() == [255, 160, 0]
    assert found[30, 10].tolist() == [255, 255, 255]
    assert not found[:28].any()
    assert written("wave 90%").max() > 200


def test_nothing_is_left_where_it_fails(causal, make, video, tmp_path):
    clip, out = make(count=1)[0][0], tmp_path / "out.mp4"
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"none")
    with pytest.raises(DataError, match="cannot be decoded"):
        causal.annotate(broken, out, pose_model=Known(clip))
    with pytest.raises(DataError, match="in the joint layout of training"):
        causal.annotate(video, out, pose_model=Known(clip[:, :4]))
    with pytest.raises(ConfigError, match="nothing finds skeletons in it: give a pose model"):
        causal.annotate(video, out)
    with pytest.raises(ConfigError, match="nothing finds skeletons in it"):
        causal.predict(str(video))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]

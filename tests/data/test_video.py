"""Videos are read frame by frame; what is none is refused in one sentence."""

import re
from fractions import Fraction

import numpy as np
import pytest

from sluicegate.data.pose import clip_of_video
from sluicegate.data.video import frames_of, is_video
from sluicegate.errors import DataError, MissingExtra

av = pytest.importorskip("av")


def written(path, count=10, size=(64, 48), rate=10, codec="mpeg4"):
    """A video in which a white square goes to the right, two pixels a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(count):
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            picture[10:20, 5 + 2 * number : 15 + 2 * number] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


class Square:
    """Finds the middle of the square as a single joint."""

    def __init__(self):
        self.resets = 0

    def reset(self):
        self.resets += 1

    def __call__(self, picture, time):
        rows, columns = np.nonzero(picture.mean(2) > 128)
        return np.array([[columns.mean(), rows.mean()]]) if len(rows) else np.full((1, 2), np.nan)


def test_frames_and_their_times(tmp_path):
    frames = list(frames_of(written(tmp_path / "a.mp4")))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(10) / 10, atol=1e-6)
    assert frames[0].picture.shape == (48, 64, 3)
    assert frames[3].picture[15, 15].min() > 200
    assert frames[3].picture[40, 40].max() < 50


def test_a_clip_of_a_video(tmp_path):
    pose = Square()
    clip = clip_of_video(written(tmp_path / "a.mp4"), pose)
    assert pose.resets == 1
    np.testing.assert_allclose(clip.values[:, 0, 0], 9.5 + 2 * np.arange(10), atol=0.6)
    np.testing.assert_allclose(clip.times, np.arange(10) / 10, atol=1e-6)


def test_what_names_a_video():
    assert all(map(is_video, ["a.mp4", "b.AVI", "camera:0", "rtsp://host/stream"]))
    assert not any(map(is_video, ["a.npy", "table.csv", "folder"]))


def refused(source, words):
    with pytest.raises(DataError, match=re.escape(words)) as raised:
        list(frames_of(source))
    assert "\n" not in str(raised.value)


def test_a_video_that_cannot_be_decoded(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video at all" * 100)
    refused(tmp_path / "a.mp4", "a.mp4 cannot be decoded as a video (")
    refused(tmp_path / "b.mp4", "b.mp4 is not there or is not a file")
    refused("camera:x", "camera:x names no camera: give its number, such as camera:0")
    refused("camera:99", "camera:99 cannot be decoded as a video")


def test_a_video_cut_short(tmp_path):
    whole = written(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "b.mp4", "b.mp4 holds no video, or was cut short")


def test_a_video_without_pictures(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    refused(tmp_path / "a.mp4", "a.mp4 holds no video")


def test_a_video_of_changing_size(tmp_path):
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        codecs = [av.CodecContext.create("mjpeg", "w") for _ in range(2)]
        for number, (codec, size) in enumerate(zip(codecs, ((64, 48), (32, 48)), strict=True)):
            codec.width, codec.height, codec.pix_fmt = *size, "yuvj420p"
            codec.time_base = Fraction(1, 10)
            frame = av.VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), format="rgb24")
            for packet in codec.encode(frame.reformat(format="yuvj420p")):
                packet.stream, packet.pts, packet.dts = stream, number, number
                container.mux(packet)
    refused(tmp_path / "a.avi", "a.avi changes its size from 64 x 48 to 32 x 48 at frame 1")


def test_a_person_never_seen(tmp_path):
    class Blind(Square):
        def __call__(self, picture, time):
            return np.full((1, 2), np.nan)

    with pytest.raises(DataError, match=r"a\.mp4 shows nobody, for no joint was seen in any of its 10 steps"):
        clip_of_video(written(tmp_path / "a.mp4"), Blind())


def test_pyav_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'sluicegate[video]'")):
        list(frames_of(tmp_path / "a.mp4"))

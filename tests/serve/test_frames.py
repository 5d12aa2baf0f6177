"""Rows and answers in binary frames."""

import numpy as np
import pytest

from sluicegate.errors import DataError
from sluicegate.serve import frames


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_is_written_is_read(count, kind):
    rng = np.random.default_rng(count)
    streams, sequence = rng.integers(0, 2**32, count), rng.integers(0, 2**62, count)
    values = rng.normal(size=(count, 3)).astype(kind)
    found = frames.read(frames.write(frames.Rows(streams, sequence, values)))
    assert (found.streams == streams).all()
    assert (found.sequence == sequence).all()
    assert found.values.dtype == kind
    assert found.values.tobytes() == values.tobytes()


def test_the_form_is_the_one_that_is_documented():
    frame = frames.write(frames.Rows(np.array([3]), np.array([7]), np.array([[1.5]])))
    assert frame == (
        b"\x01\x01\x08\x00" + b"\x01\0\0\0" + b"\x01\0\0\0" + bytes(4)
        + b"\x07" + bytes(7) + b"\x03\0\0\0" + bytes(4) + np.float64(1.5).tobytes()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: b"", "has 0 bytes"),
        (lambda frame: frame[:15], "has 15 bytes"),
        (lambda frame: b"\x02" + frame[1:], "begins with '02 01"),
        (lambda frame: frame[:1] + b"\x02" + frame[2:], "version 1"),
        (lambda frame: frame[:2] + b"\x05" + frame[3:], "must with"),
        (lambda frame: frame[:-1], "take"),
        (lambda frame: frame + b"?", "take"),
        (lambda frame: frame[:4] + b"\xff\xff\xff\xff" + frame[8:], "send the count that it has"),
    ],
)
def test_what_is_no_frame_is_refused(change, sentence):
    frame = frames.write(frames.Rows(np.zeros(2, int), np.zeros(2, int), np.zeros((2, 3))))
    with pytest.raises(DataError, match=sentence):
        frames.read(change(frame))

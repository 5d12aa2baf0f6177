"""The stream says what the model says, however it is pushed."""

import numpy as np
import pytest

from sluicegate.errors import SnapshotError
from sluicegate.streaming.snapshots import write
from sluicegate.tasks.language_model.stream import KIND


def test_a_text_may_be_pushed_word_by_word_line_by_line_or_whole(spelling):
    text = "the cat sat on\nmy zebra .\n"
    words, lines, whole = (spelling.open_stream() for _ in range(3))
    each = [words.push(word) for word in ("the", "cat", "sat", "on", "\n", "my", "zebra", ".", "\n")]
    several = [lines.push("the cat sat on\n"), lines.push("my zebra .\n")]
    (once,) = whole.push([text])
    for answers in (each, several, [once]):
        assert answers[-1]["next"] == once["next"]
        assert answers[-1]["probabilities"] == once["probabilities"]
        assert sum(answer["tokens"] for answer in answers) == once["tokens"]
        total = sum(answer["log_probability"] for answer in answers)
        assert total == pytest.approx(once["log_probability"], rel=1e-12)
    assert once["log_probability"] == pytest.approx(spelling.score([text])["log_probability"].sum(), rel=1e-12)


def test_rows_are_taken_by_the_name_of_the_column(trained):
    by_name, plain = trained.open_stream(most=3), trained.open_stream(most=3)
    assert by_name.push({"text": "the cat", "time": 1}) == plain.push("the cat")
    assert by_name.push([{"text": "sat"}, "on"]) == plain.push(["sat", "on"])


def test_all_probabilities_can_be_had(trained):
    stream = trained.open_stream(most=2)
    said = stream.push("the cat")
    told = np.exp(stream.log_probabilities.astype(np.float64))
    assert told.sum() == pytest.approx(1, abs=1e-5)
    assert said["probabilities"] == pytest.approx(sorted(told, reverse=True)[:2], rel=1e-6)
    stream.log_probabilities[:] = 0
    assert np.exp(stream.log_probabilities).sum() == pytest.approx(1, abs=1e-5)


def test_the_state_is_small_and_does_not_grow(trained):
    stream = trained.open_stream()
    before = stream.nbytes
    stream.push("the cat sat on the mat . " * 50)
    assert stream.nbytes == before == 16 * 4


def test_a_snapshot_is_held_to_what_it_must_be(trained, spelling):
    stream = trained.open_stream()
    stream.push("the cat")
    with pytest.raises(SnapshotError, match="another model"):
        spelling.open_stream().restore(stream.snapshot())
    good = {"said": np.zeros((1, 16), np.float32), "state.0.0": np.zeros((1, 1, 16), np.float32)}
    other = trained.open_stream()
    other.restore(write(KIND, stream.fingerprint, {"finished": False}, good))
    before = other.snapshot()
    for name, array in (
        ("said", np.zeros((1, 15), np.float32)),
        ("state.0.0", np.zeros((1, 1, 16))),
        ("state.0.0", np.full((1, 1, 16), np.nan, np.float32)),
    ):
        with pytest.raises(SnapshotError, match="damaged"):
            other.restore(write(KIND, stream.fingerprint, {"finished": False}, {**good, name: array}))
    with pytest.raises(SnapshotError, match="whether the stream was finished"):
        other.restore(write(KIND, stream.fingerprint, {}, good))
    assert other.snapshot() == before

"""Every bit of the runtime's answers on recordings is that of the whole library."""

import numpy as np
import pytest

from sluicegate import runtime
from sluicegate.errors import DataError, SnapshotError, StreamError
from tests.tasks.saved_models import FOLDER


def test_every_step_is_answered_with_the_same_bits(classifiers, steps):
    full, light = classifiers
    one, other = full.open_stream(), light.open_stream()
    for step in steps:
        assert other.push(step) == one.push(step)
    assert other.snapshot() == one.snapshot()


def test_chunks_restored_and_on_two_threads_have_the_same_bits(classifiers, steps):
    full, light = classifiers
    expected = full.open_stream().push(steps)
    one = light.open_stream()
    answers = [*one.push(steps[:1]), *one.push(steps[1:8])]
    moved = runtime.load(light.folder, threads=2).open_stream()
    moved.restore(one.snapshot())
    answers += moved.push(steps[8:])
    assert answers == expected.rows(named=True)


def test_whole_recordings_are_predicted_with_the_same_bits(classifiers, steps):
    full, light = classifiers
    recordings = [steps, steps[:9], steps[3:]]
    assert light.predict(recordings) == full.predict(recordings).drop("recording").rows(named=True)


def test_rows_name_their_recordings(classifiers, steps):
    full, light = classifiers
    names = light.channels
    rows = [dict(zip(names, step.tolist(), strict=True)) for step in steps]
    assert light.open_stream().push(rows) == full.open_stream().push(rows).rows(named=True)


def test_what_is_no_step_is_refused_and_the_state_is_as_it_was(classifiers, steps):
    _, light = classifiers
    stream = light.open_stream()
    stream.push(steps[:5])
    before = stream.snapshot()
    row = dict(zip(light.channels, steps[5].tolist(), strict=True))
    for wrong, why in (
        (steps[:, :1], "expected a step"),
        (np.array(["a", "b"]), "expected a step"),
        ("text", "expected a step"),
        (np.array([np.inf, 0.0]), "no finite number"),
        (np.array([np.nan, 0.0]), "no finite number"),
        ([[1.0], [1.0, 2.0]], "no array"),
        ({**row, light.channels[0]: "loud"}, "expected a number"),
        ({light.channels[0]: 1.0}, "there is no column"),
    ):
        with pytest.raises(DataError, match=why):
            stream.push(wrong)
        assert stream.snapshot() == before


def test_snapshots_of_another_model_are_refused(classifiers, steps, folders):
    _, light = classifiers
    stream = light.open_stream()
    stream.push(steps[:5])
    before = stream.snapshot()
    other = runtime.load(folders / "forecast-combined").open_stream().snapshot()
    for wrong, why in ((before[:-3], "cut short"), (before + b"1", "altered"), (other, "of the kind 'forecast'")):
        with pytest.raises(SnapshotError, match=why):
            stream.restore(wrong)
        assert stream.snapshot() == before


def test_a_finished_stream_takes_nothing_more(classifiers, steps):
    _, light = classifiers
    stream = light.open_stream()
    stream.finish()
    with pytest.raises(StreamError, match="was finished"):
        stream.push(steps[0])


def test_a_model_of_an_earlier_version_answers_too(steps):
    assert runtime.load(FOLDER / "series-causal").open_stream().push(steps[0])["label"] in {"fast", "slow"}

"""Recordings that are there several times: in one fold, and told of."""

import numpy as np

import sluicegate
from sluicegate.data import Recordings
from sluicegate.tasks.classify_series.copies import equal_recordings, near_recordings


def drawn(count, seed=0, steps=30):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(steps, 2)) for _ in range(count)]


def near(parts):
    recordings = Recordings.of_arrays(parts)
    found = near_recordings([part.astype(np.float32) for part in parts], equal_recordings(recordings))
    return found.tolist()


def test_equal_are_recordings_of_the_same_numbers():
    part = np.array([[0.0, 1.0], [2.0, 3.0]])
    parts = [part, part.astype(np.float32), part + 1e-9, -0.0 + part, part * [-1, 1], part[:1], part.reshape(2, 2)]
    parts[4] = np.where(part == 0, -0.0, part)
    assert equal_recordings(Recordings.of_arrays(parts)).tolist() == [0, 0, 2, 0, 0, 5, 0]
    assert equal_recordings(Recordings.of_arrays([np.zeros((4, 1)), np.zeros((2, 1))])).tolist() == [0, 1]
    padded = np.concatenate([part, [[np.nan, np.nan]]])
    assert equal_recordings(Recordings.of_arrays([part]), Recordings.of_arrays([padded])).tolist() == [0, 0]


def test_nearly_equal_recordings_are_found():
    parts = drawn(150)
    assert near(parts) == []
    changed = [part.round(2) for part in parts[:20]] + [part + 0.002 for part in parts[20:40]]
    assert near([*parts, *changed, *parts[:5]]) == [[i, 150 + i] for i in range(40)]
    assert near([np.zeros((5, 2))]) == []
    assert near([np.zeros((5, 2)), np.zeros((9, 2)), np.ones((5, 2))]) == []


def test_labels_by_chance_stay_chance(quick):
    generator = np.random.default_rng(0)
    parts, labels = drawn(30, steps=8) * 4, generator.choice(["a", "b"], 120)
    classifier = sluicegate.SeriesClassifier(**quick).fit(parts, labels, progress=False)
    assert classifier.report.metrics["accuracy"] < 0.7
    assert classifier.report.baselines["nearest_neighbour"]["accuracy"] < 0.7  # 0.8 where copies were in both parts
    (note,) = [note for note in classifier.report.notes if "equal" in note]
    assert note.startswith("120 of the 120 recordings are equal to another one: equal ones stay in one fold")


def test_validation_recordings_that_training_has(quick):
    parts, labels = drawn(16), ["a", "b"] * 8
    held = ([*parts[:2], parts[2].round(3), *drawn(2, seed=1)], ["a", "b", "a", "b", "a"])
    options = {**quick, "steps": 2, "folds": 1}
    classifier = sluicegate.SeriesClassifier(**options).fit(parts, labels, validation=held, progress=False)
    notes = " ".join(classifier.report.notes)
    assert "2 of the 5 recordings that validate are equal to one that was trained on" in notes
    assert "At least 1 of the recordings that validate are nearly equal" in notes

"""Small recordings, and a classifier trained on some."""

import numpy as np
import pytest

import sluicegate
from sluicegate.tasks.classify_series import baselines
from sluicegate.tasks.classify_series import trained as trained_module

SPEEDS = {"slow": 0.2, "middle": 0.5, "fast": 1.1}
QUICK = {"steps": 60, "folds": 2, "hidden": 12, "batch": 16, "learning_rate": 0.02}


def make_recordings(count=40, classes=("slow", "fast"), seed=0, shortest=20, longest=40):
    """Two noisy channels, of which the first swings; its speed is the class, its level and phase say nothing."""
    rng = np.random.default_rng(seed)
    labels = [classes[i % len(classes)] for i in range(count)]
    recordings = []
    for label in labels:
        time = np.arange(rng.integers(shortest, longest + 1))
        swing = np.sin(SPEEDS[label] * time + rng.uniform(0, 6.3)) + rng.normal(0, 1)
        noise = rng.normal(0, 0.1, (len(time), 2))
        recordings.append(np.stack([swing, np.zeros(len(time))], axis=1) + noise)
    return recordings, labels


@pytest.fixture(autouse=True)
def _without_minirocket(monkeypatch):
    """It takes a second a fit; one test of its own has it."""
    for module in (baselines, trained_module):
        monkeypatch.setattr(module, "has_minirocket", lambda: False)


@pytest.fixture(scope="session")
def record():
    return make_recordings


@pytest.fixture(scope="session")
def quick():
    """Knobs with which training takes a second."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def recordings():
    return make_recordings()


@pytest.fixture(scope="session")
def trained(recordings):
    patch = pytest.MonkeyPatch()
    for module in (baselines, trained_module):
        patch.setattr(module, "has_minirocket", lambda: False)
    task = sluicegate.SeriesClassifier(**QUICK).fit(*recordings, progress=False)
    patch.undo()
    return task

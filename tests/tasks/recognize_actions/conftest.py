"""Small clips of stick figures, and recognizers trained on some."""

import numpy as np
import pytest

import sluicegate
from sluicegate.tasks.recognize_actions import baselines
from sluicegate.tasks.recognize_actions import trained as trained_module

BONES = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 5)]
REST = np.array([[0, 0], [0, 1], [-0.5, 1], [-1, 1], [0.5, 1], [1, 1]])
SPEEDS = {"wave": 0.4, "shake": 1.2}
QUICK = {"steps": 60, "folds": 2, "hidden": 12, "batch": 16, "learning_rate": 0.02, "layout": BONES}


def make_clips(count=24, seed=0, dimensions=2):
    """Two people of other sizes at other places move a hand, slowly or fast; now and then a joint is not seen."""
    rng = np.random.default_rng(seed)
    clips, labels = [], [list(SPEEDS)[i % 2] for i in range(count)]
    for label in labels:
        steps = np.arange(rng.integers(20, 35))
        body = np.repeat(REST[None], len(steps), axis=0) + rng.normal(0, 0.01, (len(steps), *REST.shape))
        body[:, 3, 1] += 0.8 * np.sin(SPEEDS[label] * steps + rng.uniform(0, 6.3))
        body[rng.random(body.shape[:2]) < 0.03] = np.nan
        body = np.concatenate([body, np.zeros((*body.shape[:2], 1))], 2)[..., :dimensions]
        clips.append(body * rng.uniform(0.5, 50) + rng.uniform(-99, 99, dimensions))
    return clips, labels


def without_minirocket(patch):
    for module in (baselines, trained_module):
        patch.setattr(module, "has_minirocket", lambda: False)


@pytest.fixture(autouse=True)
def _without_minirocket(monkeypatch):
    """It takes a second a fit."""
    without_minirocket(monkeypatch)


@pytest.fixture(scope="session")
def quick():
    return dict(QUICK)


@pytest.fixture(scope="session")
def people():
    return [i // 2 % 3 for i in range(24)]


@pytest.fixture(scope="session")
def make():
    return make_clips


def fitted(**knobs):
    with pytest.MonkeyPatch.context() as patch:
        without_minirocket(patch)
        return sluicegate.ActionRecognizer(**QUICK, **knobs).fit(*make_clips(), progress=False)


@pytest.fixture(scope="session")
def trained():
    return fitted()


@pytest.fixture(scope="session")
def causal():
    return fitted(causal=True)

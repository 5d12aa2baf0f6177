"""Small clips of stick figures, and recognizers trained on some."""

import numpy as np
import pytest

import sluicegate
from sluicegate.tasks.recognize_actions import baselines
from sluicegate.tasks.recognize_actions import trained as trained_module

BONES = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 5)]
REST = np.array([[0, 0], [0, 1], [-0.5, 1], [-1, 1], [0.5, 1], [1, 1]])
WAYS = {"wave": [0.8, 0.0], "raise": [0.0, 0.8]}
QUICK = {
    "steps": 50,
    "folds": 2,
    "whole": 0,
    "hidden": 24,
    "batch": 16,
    "learning_rate": 0.01,
    "dropout": 0.1,
    "layout": BONES,
}


def make_clips(count=24, seed=0, dimensions=2):
    """People of all sizes at any place move a hand to the side or upwards; now and then a joint is not seen."""
    rng = np.random.default_rng(seed)
    clips, labels = [], [list(WAYS)[i % 2] for i in range(count)]
    for label in labels:
        steps = np.arange(rng.integers(20, 35))
        body = np.repeat(REST[None], len(steps), axis=0) + rng.normal(0, 0.01, (len(steps), *REST.shape))
        body[:, 3] += np.sin(0.4 * steps + rng.uniform(0, 6.3))[:, None] * WAYS[label]
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


@pytest.fixture(autouse=True)
def _without_a_fetched_model(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("SLUICEGATE_POSE", str(tmp_path_factory.getbasetemp() / "none"))


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

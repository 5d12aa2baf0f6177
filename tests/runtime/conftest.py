"""Saved models, each written anew by this version, and what they are pushed."""

import numpy as np
import pytest

import sluicegate
from sluicegate import runtime
from tests.tasks.saved_models import FOLDER, waves


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """The folders of small models by name: those of earlier versions get another fingerprint when they are saved."""
    place = tmp_path_factory.mktemp("models")
    for name in ("forecast-gru", "forecast-lstm", "forecast-mingru", "forecast-rnn", "forecast-combined"):
        sluicegate.load(FOLDER / name).save(place / name)
    for name in ("series-causal", "series-rnn", "text-gru", "text-lstm", "text-mingru"):
        sluicegate.load(FOLDER / name).save(place / name)
    return place


@pytest.fixture(params=["forecast-gru", "forecast-lstm", "forecast-mingru", "forecast-rnn", "forecast-combined"])
def forecasters(request, folders):
    return sluicegate.load(folders / request.param), runtime.load(folders / request.param)


@pytest.fixture(params=["series-causal", "series-rnn"])
def classifiers(request, folders):
    """One reads one way, and one both."""
    return sluicegate.load(folders / request.param), runtime.load(folders / request.param)


@pytest.fixture(params=["text-gru", "text-lstm", "text-mingru"])
def text_classifiers(request, folders):
    """In the first a simple method is mixed in."""
    return sluicegate.load(folders / request.param), runtime.load(folders / request.param)


@pytest.fixture
def steps():
    return np.random.default_rng(0).normal(size=(30, 2)).round(4)


def rows_for(task, count):
    """Rows of the two series in turn, as the forecaster was trained on, and those known in advance of what follows."""
    axis = task.trained.axis
    every = "1mo" if axis.kind == "month" else "1d" if axis.step == 24 * 3_600_000_000 else "1h"
    table = waves(count + 6, every=every).with_columns(step=0)
    if task.trained.columns.series is None:
        table = table.filter(table["id"] == "a")
    rows = sorted(table.rows(named=True), key=lambda row: row["time"])
    several = 1 if task.trained.columns.series is None else 2
    return rows[: count * several], rows[count * several :]

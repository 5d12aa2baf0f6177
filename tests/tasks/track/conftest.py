import pytest

import sluicegate
from tests.tasks.track.walkers import QUICK, walkers

pytest.importorskip("trackeval")


@pytest.fixture(scope="session")
def table():
    return walkers()


@pytest.fixture(scope="session")
def trained(table):
    return sluicegate.Tracker(seed=0, **QUICK).fit(table, progress=False)

import gc
from pathlib import Path

import pytest
import torch

from sluicegate.cli.starting import load_task
from sluicegate.errors import BundleError

SAVED = Path(__file__).parents[1] / "tasks" / "saved"


@pytest.fixture
def collector():
    yield
    gc.unfreeze()


def test_garbage_is_looked_for_again_but_not_in_what_was_imported(collector):
    before = gc.get_freeze_count()
    assert len(load_task(SAVED / "forecast-rnn", None).predict()) > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() > before


def test_also_where_there_is_no_model(collector, tmp_path):
    with pytest.raises(BundleError):
        load_task(tmp_path / "none", None)
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(collector):
    gc.disable()
    try:
        load_task(SAVED / "forecast-rnn", None)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_threads_are_those_asked_for(collector):
    before = torch.get_num_threads()
    try:
        load_task(SAVED / "forecast-rnn", 1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)

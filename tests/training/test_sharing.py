"""While a training runs there is a second team of OpenMP's threads, and afterwards there is none."""

import subprocess
import sys
import threading

import pytest
import torch

from sluicegate.training.sharing import sharing_processors

COUNTED = """
import os, torch
from sluicegate.training.sharing import sharing_processors
torch.set_num_threads(2)
torch.zeros(1 << 17).add_(1)
count = lambda: len(os.listdir("/proc/self/task"))
before = count()
with sharing_processors():
    print(count() - before)
"""


def names():
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere PyTorch has another OpenMP")
def test_a_second_team_is_there_with_more_threads_than_processors():
    """The thread that calls it and the one that it calls: what the runtime counts goes from two to three."""
    found = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True)
    assert found.stdout == "2\n"


def test_it_ends_with_the_block():
    torch.set_num_threads(2)
    with sharing_processors():
        assert ("sluicegate-second-team" in names()) == sys.platform.startswith("linux")
    assert "sluicegate-second-team" not in names()
    with pytest.raises(KeyError), sharing_processors():
        raise KeyError
    assert "sluicegate-second-team" not in names()
    assert torch.get_num_threads() == 2


def test_a_single_thread_needs_none():
    torch.set_num_threads(1)
    with sharing_processors():
        assert "sluicegate-second-team" not in names()

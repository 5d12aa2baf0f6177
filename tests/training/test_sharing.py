"""While a training runs beside other programs there is a second team of OpenMP's threads, and else there is none."""

import subprocess
import sys
import threading
import time

import pytest
import torch

from sluicegate.training import sharing
from sluicegate.training.sharing import SECOND_TEAM, sharing_processors, taken

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only on Linux is PyTorch's OpenMP that of GNU"
)

COUNTED = """
import os, time, torch
from sluicegate.training import sharing
begun = time.monotonic()
sharing.taken = lambda: (time.monotonic(), 100 * (time.monotonic() - begun), 2)
torch.set_num_threads(2)
torch.zeros(1 << 17).add_(1)
count = lambda: len(os.listdir("/proc/self/task"))
before = count()
with sharing.sharing_processors():
    for _ in range(200):
        time.sleep(0.05)
        if count() - before == 3:
            break
    print(count() - before)
for _ in range(200):  # the system takes a moment to take away a thread that has ended
    if count() == before:
        break
    time.sleep(0.05)
print(count() - before)
"""


def there():
    return SECOND_TEAM in [thread.name for thread in threading.enumerate()]


def comes(expected):
    """Whether it comes to this within seconds."""
    for _ in range(200):
        if there() == expected:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def others(monkeypatch):
    """How many of two processors other programs use, in a list that a test may change."""
    used, begun = [0.0], time.monotonic()
    last = [begun, 0.0]

    def said():
        now = time.monotonic()
        last[:] = now, last[1] + used[0] * (now - last[0])
        return now, last[1], 2

    monkeypatch.setattr(sharing, "taken", said)
    torch.set_num_threads(2)
    return used


def test_a_second_team_is_there_with_more_threads_than_processors():
    """Who watches, who calls the team, and the one that it calls: what the runtime counts goes from two to three."""
    found = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True)
    assert found.stdout == "3\n0\n"


def test_it_is_there_while_others_compute(others):
    with sharing_processors():
        time.sleep(0.6)
        assert not there()
        others[0] = 1.0
        assert comes(True)
        others[0] = 0.0
        assert comes(False)
        others[0] = 1.0
        assert comes(True)
    assert not there()
    assert torch.get_num_threads() == 2


def test_it_ends_with_the_block(others):
    others[0] = 1.0

    def fails():
        with sharing_processors():
            assert comes(True)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert not there()


def test_a_single_thread_needs_none(others):
    others[0] = 1.0
    torch.set_num_threads(1)
    with sharing_processors():
        time.sleep(0.6)
        assert not there()


def test_our_own_time_is_not_that_of_others():
    """Busy for a while, it is told of others what is theirs alone, which is less than the processors had."""
    clock, before, processors = taken()
    spent = time.process_time()
    while time.process_time() - spent < 0.3:
        pass
    now, after, _ = taken()
    assert processors >= 1
    assert -0.1 < after - before < (now - clock) * processors - 0.2

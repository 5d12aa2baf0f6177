"""Parts are worked off side by side, each in its order, and the caller finds PyTorch as it was."""

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sluicegate.training import Workers


@pytest.fixture(params=[1, 2, 4])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_every_part_once_in_order(threads, parts):
    with Workers(parts) as workers:
        assert workers.map(lambda part: part * part, range(parts)) == [part * part for part in range(parts)]
        assert workers.map(str, []) == []
    assert torch.get_num_threads() == threads
    with ThreadPoolExecutor(1) as pool:  # what a new thread of the process gets
        assert pool.submit(torch.get_num_threads).result() == threads


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_rounds_are_in_order_for_each_part(threads, parts):
    seen, at_work = defaultdict(list), set()

    def work(part, number):
        assert part not in at_work  # never in two threads at a time
        at_work.add(part)
        time.sleep(0.001 * (part % 3))
        seen[part].append(number)
        at_work.remove(part)

    with Workers(parts) as workers:
        workers.rounds(work, range(parts), range(3, 10))
        workers.rounds(work, range(parts), range(10, 10))
    assert seen == {part: list(range(3, 10)) for part in range(parts)}


def test_each_computes_with_one_thread(threads):
    with Workers(4) as workers:
        found = workers.map(lambda _: (torch.get_num_threads(), threading.get_ident()), range(8))
    assert {count for count, _ in found} == {1}
    assert (threading.get_ident() in {thread for _, thread in found}) == (threads == 1)


def test_a_single_part_has_all_threads(threads):
    with Workers(1) as workers:
        assert workers.map(lambda _: torch.get_num_threads(), [0]) == [threads]


def test_after_an_error_nobody_goes_on(threads):
    done = []

    def work(part, number):
        if part == 1:
            raise ValueError("no more")
        time.sleep(0.01)
        done.append((part, number))

    with pytest.raises(ValueError, match="no more"), Workers(3) as workers:
        workers.rounds(work, range(3), range(1000))
    assert len(done) < 20
    assert torch.get_num_threads() == threads

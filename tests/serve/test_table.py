"""What is remembered of each stream."""

import numpy as np
import pytest

from sluicegate.serve.engines import LayerEngine
from sluicegate.serve.table import FRESH, Table, ranked


class Nobody:
    def rest(self, number):
        raise AssertionError


OWNER = Nobody()


@pytest.mark.parametrize(
    ("slots", "expected"),
    [([], []), ([4], [0]), ([3, 1, 2], [0, 0, 0]), ([3, 1, 3, 3, 1], [0, 0, 1, 2, 1]), ([2, 2], [0, 1])],
)
def test_rows_of_a_stream_are_counted(slots, expected):
    rank, several = ranked(np.array(slots, np.int64))
    assert rank.tolist() == expected
    assert several == (max(expected, default=0) > 0)


def test_a_stream_goes_on_in_another_slot(layer):
    table = Table(LayerEngine(layer, 3), 3, window=4)
    slot = table.open((OWNER, 0), 0.0, FRESH)
    rng = np.random.default_rng(0)
    answers = []
    for number in range(6):
        answers.append(table.engine.push(np.array([slot]), rng.normal(size=(1, 3)).astype(np.float32))[0])
        table.accepted[slot] += 1
        table.keep(np.array([slot]), np.array([number]), answers[-1][None])
    assert [one.tolist() for one in table.kept(slot)] == [one.tolist() for one in answers[2:]]
    resting = table.rest(slot)
    table.close(slot)
    table.open((OWNER, 1), 0.0, FRESH)
    other = table.open((OWNER, 0), 1.0, resting)
    assert other != slot
    assert table.rest(other) == resting
    assert (table.accepted[other], table.answered[other], table.live) == (6, 6, 2)
    assert table.idle(2.0)[-1] == other

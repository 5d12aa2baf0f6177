"""Steps are fair, and answer each client's rows in order."""

import asyncio
from collections import deque

import numpy as np

from sluicegate.serve.engines import LayerEngine
from sluicegate.serve.stepper import Block, Stepper


class Someone:
    """A client that notes in which step each of its rows was answered."""

    def __init__(self, slots):
        self.keys, self.slots = [], slots
        self.blocks, self.waiting, self.turn, self.stalled = deque(), False, 0.0, False
        self.got = []
        self.steps = None

    def send(self, count):
        for number in range(count):
            streams, sequence = np.arange(len(self.slots)), np.full(len(self.slots), number)
            rows = np.zeros((len(self.slots), 3), np.float32)
            self.blocks.append(Block(self, np.array(self.slots), streams, sequence, rows, 0.0))

    def answered(self, block, answers, error):
        assert error is None
        assert len(answers) == len(block)
        self.got.append((int(block.sequence[0]), self.steps[0]))


def play(layer, clients, rows):
    async def scenario():
        steps = [0]

        def stepped(taken, answers, begun, took):
            for block, answer in zip(taken, answers, strict=True):
                block.client.answered(block, answer, None)
            steps[0] += 1

        stepper = Stepper(LayerEngine(layer, 100), rows, stepped)
        for client in clients:
            client.steps = steps
            stepper.put(client)
        while not stepper.quiet:
            await asyncio.sleep(0.001)
        stepper.stop()

    asyncio.run(scenario())


def test_rows_of_a_client_are_answered_in_order(layer):
    client = Someone([0, 1])
    client.send(20)
    play(layer, [client], 8)
    assert [number for number, _ in client.got] == list(range(20))
    assert [step for _, step in client.got] == list(range(20))  # a stream has one row in a step


def test_who_floods_does_not_hold_up_the_others(layer):
    """Ten clients with a row each wait for a step at most, beside two with hundreds of rows."""
    floods = [Someone(list(range(n, n + 10))) for n in (0, 10)]
    for one in floods:
        one.send(100)
    quiet = [Someone([20 + n]) for n in range(10)]
    for one in quiet:
        one.send(2)
    play(layer, [*floods, *quiet], 8)
    assert max(step for one in quiet for _, step in one.got) <= 5
    first, second = ([step for _, step in one.got] for one in floods)
    assert np.abs(np.array(first) - second).max() <= 10  # both get on evenly


def test_who_is_stalled_is_not_stepped(layer):
    stalled, other = Someone([0]), Someone([1])
    stalled.stalled = True
    for one in (stalled, other):
        one.send(3)
    play(layer, [stalled, other], 8)
    assert (len(stalled.got), len(other.got)) == (0, 3)

"""Slow readers, floods, and more streams than there are slots."""

import asyncio
import json

import numpy as np
import pytest

from sluicegate.errors import ConfigError
from sluicegate.serve import Limits, connection, frames


def frame_of(streams, number, row):
    count = len(streams)
    return frames.write(frames.Rows(np.array(streams), np.full(count, number), np.array([row] * count, np.float32)))


@pytest.mark.parametrize(
    "wrong",
    [{"policy": "ask"}, {"window": 0}, {"idle": float("nan")}, {"slots": -1}],
)
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)


def test_idle_streams_rest_and_go_on(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a", "b")
        await client.rows([0, 0, rows[0]])
        await client.rows([1, 0, rows[0]])
        version = service.models["layer"].current
        (session,) = service.sessions.values()
        await asyncio.sleep(0.02)
        service.tidy(asyncio.get_running_loop().time() + 1e6)
        assert (version.live, version.streams, session.slots[:2].tolist()) == (0, 2, [-1, -1])
        assert version.resting_bytes == sum(one.nbytes for one in session.resting.values()) > 0
        assert await client.rows([1, 1, rows[1]]) == {"answers": [[1, 1, expected[1]]]}
        assert (version.live, version.measures.evicted, version.measures.restored) == (1, 2, 1)
        await client.leave()

    play(scenario)


def test_more_streams_than_slots_take_turns(play, socket, rows, expected):
    """20 streams share 3 slots, all in every message."""

    async def scenario(service):
        client = socket(service)
        await client.open(*(str(number) for number in range(20)))
        for number in range(3):
            client.say(frame_of(range(20), number, rows[number]))
            found = {}
            while len(found) < 20:
                told = await client.hear()
                found |= dict(zip(told.streams.tolist(), told.values.tolist(), strict=True))
            assert list(found.values()) == [expected[number]["output"]] * 20
        assert service.models["layer"].current.live <= 3
        await client.leave()
        assert service.sessions

    play(scenario, slots=3)


def test_streams_without_a_client_are_forgotten_in_time(play, socket, rows):
    async def scenario(service):
        client = socket(service)
        await client.open("a", "b")
        await client.rows([0, 0, rows[0]])
        await client.leave()
        version = service.models["layer"].current
        now = asyncio.get_running_loop().time()
        service.tidy(now + 50)
        assert version.streams == 2
        service.tidy(now + 150)
        assert (version.streams, version.live, version.resting_bytes, version.sessions) == (0, 0, 0, 0)
        assert version.measures.forgotten == 2
        assert not service.sessions

    play(scenario, kept=100.0)


def test_streams_without_a_client_make_room_for_others(play, socket, rows):
    async def scenario(service):
        tokens = []
        for read in (True, False):
            client = socket(service)
            tokens.append(await client.open("a", "b"))
            if read:
                await client.rows([0, 0, rows[0]])
            await client.leave()
        client = socket(service)
        await client.open("c")
        assert service.models["layer"].current.streams == 3
        again = socket(service)
        await again.hear()
        for token, known in zip(tokens, (True, False), strict=True):
            again.say({"resume": token})
            assert ("resumed" in await again.hear()) == known
            if known:
                await again.answers(1)
                await again.leave()
                again = socket(service)
                await again.hear()
        await client.leave()
        await again.leave()

    play(scenario, streams=4)


def test_who_says_wrong_things_is_heard_ever_later(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for _ in range(3):
            client.say("?")
            await client.hear()
        assert await client.rows([0, 0, rows[0]]) == {"answers": [[0, 0, expected[0]]]}
        assert loop.time() - begun > 0.06 * 0.9
        await client.leave()

    play(scenario)


def test_a_flood_waits_where_the_policy_is_block(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a")
        for number in range(40):
            client.say({"rows": [[0, number, rows[number]]]})
        found = await client.answers(40)
        assert [found[0, number] for number in range(40)] == expected
        await client.leave()

    play(scenario, inbox=3)


def test_a_flood_is_thinned_where_the_policy_is_drop_oldest(play, socket, rows):
    async def scenario(service):
        client = socket(service)
        await client.open("a")
        for number in range(0, 40, 10):
            client.say({"rows": [[0, n, rows[n]] for n in range(number, number + 10)]})
        found = await client.answers(40)
        dropped = [number for (_, number), one in found.items() if "dropped" in one.get("error", "")]
        assert 0 < len(dropped) < 40
        assert service.models["layer"].measures.dropped == len(dropped)
        assert "output" in found[0, 39]
        await client.leave()

    play(scenario, inbox=3, policy="drop-oldest")


def test_a_flood_ends_the_connection_where_the_policy_is_close(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        token = await client.open("a")
        client.say({"rows": [[0, number, rows[number]] for number in range(10)]})
        client.say({"rows": [[0, 10, rows[10]]]})  # is not heard any more
        answered = 0
        while "type" not in (told := await client.hear()):
            answered += len(told.get("answers", ()))
        assert told["code"] == 1008
        assert told["reason"] == f"resume {token}"
        await client.leave()
        again = socket(service)
        await again.hear()
        again.say({"resume": token, "received": {"0": answered}})
        assert (await again.hear())["resumed"]["streams"] == [[0, "a", 10]]
        found = await again.answers(10 - answered)
        assert found == {(0, number): expected[number] for number in range(answered, 10)}
        await again.leave()

    play(scenario, inbox=3, policy="close", window=32)


async def unread(socket, service, rows, count):
    """A client that stops reading, and sends so many frames of 10 streams."""
    client = socket(service)
    await client.open(*"abcdefghij")
    client.reading.clear()
    for number in range(count):
        client.say(frame_of(range(10), number, rows[number]))
    for _ in range(400):
        await asyncio.sleep(0.001)
        if client.connection.stalled or not client.connection.quiet:
            await asyncio.sleep(0.02)
            break
    return client


def test_who_does_not_read_stalls_alone(play, socket, rows, expected):
    async def scenario(service):
        slow = await unread(socket, service, rows, 30)
        (session,) = service.sessions.values()
        assert slow.connection.stalled
        assert 0 < session.under_way <= 20
        other = socket(service)
        await other.open("x")
        assert await other.rows([0, 0, rows[0]]) == {"answers": [[0, 0, expected[0]]]}
        slow.reading.set()
        for number in range(30):
            assert (await slow.hear()).values.tolist() == [expected[number]["output"]] * 10
        await slow.leave()
        await other.leave()

    play(scenario, outbox=1000, inbox=10, slots=20)


def test_who_does_not_read_loses_the_oldest_answers(play, socket, rows):
    async def scenario(service):
        slow = await unread(socket, service, rows, 30)
        await asyncio.sleep(0.1)
        assert not slow.connection.stalled
        slow.reading.set()
        told = [(await slow.hear()).sequence[0]]
        while told[-1] != 29:
            told.append((await slow.hear()).sequence[0])
        assert len(told) < 30
        assert sorted(told) == told
        assert service.models["layer"].measures.dropped == 10 * (30 - len(told))
        await slow.leave()

    play(scenario, outbox=1000, policy="drop-oldest", slots=20)


def test_who_does_not_read_is_closed(play, socket, rows):
    async def scenario(service):
        slow = await unread(socket, service, rows, 30)
        await asyncio.sleep(0.1)
        slow.reading.set()
        while isinstance(told := await slow.hear(), frames.Rows):
            pass
        assert told["code"] == 1008
        assert "not read fast enough" in told["reason"]
        await slow.leave()

    play(scenario, outbox=1000, policy="close", slots=20)


def test_what_waits_for_a_reader_is_bounded(play, socket, rows, monkeypatch):
    monkeypatch.setattr(connection, "_DELAY", 0.0)

    async def scenario(service):
        slow = socket(service)
        await slow.open(*"abcdefghij")
        slow.reading.clear()
        wrong = json.dumps({"rows": [[0, 9, []]]})
        for _ in range(500):
            slow.say(wrong)
        await asyncio.sleep(0.2)
        assert slow.connection._sender._bytes < 5_000
        slow.reading.set()
        await slow.leave()

    play(scenario, outbox=1000)

"""Connections that break: their streams go on on another one, and no answer is lost or given twice."""

import asyncio

import pytest


async def resumed(socket, service, token, received):
    client = socket(service)
    assert "hello" in await client.hear()
    client.say({"resume": token, "received": received})
    return client, await client.hear()


def test_answers_that_did_not_come_are_told_again(play, socket, rows, expected):
    async def scenario(service):
        first = socket(service)
        token = await first.open("a", "b")
        first.say({"rows": [[0, 0, rows[0]], [0, 1, rows[1]], [0, 2, rows[2]], [1, 0, rows[0]]]})
        await first.answers(4)
        await first.leave()
        second, told = await resumed(socket, service, token, {"0": 1, "1": 1})
        assert told == {"resumed": {"session": token, "streams": [[0, "a", 3], [1, "b", 1]]}}
        assert await second.hear() == {"answers": [[0, 1, expected[1]], [0, 2, expected[2]]]}
        assert await second.rows([0, 3, rows[3]]) == {"answers": [[0, 3, expected[3]]]}
        await second.leave()

    play(scenario)


def test_rows_under_way_are_answered_on_the_next_connection(play, socket, rows, expected):
    async def scenario(service):
        first = socket(service)
        token = await first.open("a")
        await first.rows([0, 0, rows[0]])
        for number in range(1, 4):
            first.say({"rows": [[0, number, rows[number]]]})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second, told = await resumed(socket, service, token, {"0": 1})  # the first is there still
        ((_, _, due),) = told["resumed"]["streams"]
        second.say({"rows": [[0, number, rows[number]] for number in range(due, 6)]})
        found = await second.answers(5)
        assert found == {(0, number): expected[number] for number in range(1, 6)}
        await first.leave()
        assert await second.rows([0, 6, rows[6]]) == {"answers": [[0, 6, expected[6]]]}
        await second.leave()

    play(scenario, window=32)


def test_the_older_connection_is_closed(play, socket, rows):
    async def scenario(service):
        first = socket(service)
        token = await first.open("a")
        second, _ = await resumed(socket, service, token, {})
        assert (await first.hear())["reason"] == "the streams were resumed on another connection"
        await first.leave()
        await second.rows([0, 0, rows[0]])
        await second.leave()

    play(scenario)


def test_streams_that_rest_are_told_again_too(play, socket, rows, expected):
    async def scenario(service):
        first = socket(service)
        token = await first.open("a")
        first.say({"rows": [[0, 0, rows[0]], [0, 1, rows[1]]]})
        await first.answers(2)
        (session,) = service.sessions.values()
        session.rest(0)
        await first.leave()
        second, told = await resumed(socket, service, token, {"0": 0})
        assert told["resumed"]["streams"] == [[0, "a", 2]]
        assert await second.answers(2) == {(0, 0): expected[0], (0, 1): expected[1]}
        assert await second.rows([0, 2, rows[2]]) == {"answers": [[0, 2, expected[2]]]}
        await second.leave()

    play(scenario)


@pytest.mark.parametrize(
    ("received", "sentence"),
    [
        ({"0": 0}, "the last 4 are kept"),
        ({"0": 7}, "an older state"),
        ({"0": -1}, "how many answers came"),
        ({"a": 1}, "how many answers came"),
        ([1], "how many answers came"),
    ],
)
def test_what_cannot_be_resumed_is_refused(play, socket, rows, received, sentence):
    async def scenario(service):
        first = socket(service)
        token = await first.open("a")
        first.say({"rows": [[0, number, rows[number]] for number in range(6)]})
        await first.answers(6)
        await first.leave()
        second, told = await resumed(socket, service, token, received)
        assert sentence in told["error"]
        second.say({"resume": token, "received": {"0": 6}})
        assert "resumed" in await second.hear()
        await second.leave()

    play(scenario)


def test_an_unknown_token_is_refused(play, socket):
    async def scenario(service):
        client, told = await resumed(socket, service, "nothing", {})
        assert "of no streams that are known here" in told["error"]
        await client.leave()

    play(scenario)


def test_a_refused_row_is_told_again_as_refused(play, socket, rows, expected):
    async def scenario(service):
        first = socket(service)
        token = await first.open("a")
        first.say({"rows": [[0, 0, rows[0]], [0, 1, ["?", 0, 0]]]})
        await first.answers(2)
        await first.leave()
        second, _ = await resumed(socket, service, token, {})
        found = await second.answers(2)
        assert found[0, 0] == expected[0]
        assert "refused" in found[0, 1]["error"]
        await second.leave()

    play(scenario)

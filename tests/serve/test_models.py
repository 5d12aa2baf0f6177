"""A model that is loaded anew while it runs."""

import logging

from sluicegate.serve import state_file


def test_old_streams_finish_on_the_old_model(play, socket, rows, expected, other_layer, tmp_path, caplog):
    async def scenario(service):
        served = service.models["layer"]
        old = served.current
        first, idle = socket(service), socket(service)
        token = await first.open("a")
        await first.rows([0, 0, rows[0]])
        assert served.take(other_layer)
        assert not served.take(other_layer)  # it is the same one again
        assert served.versions == [served.current, old]

        second = socket(service)
        assert (await second.hear())["hello"]["version"] == served.current.fingerprint[:12]
        await second.open("b")
        told = await second.rows([0, 0, rows[0]])
        assert told["answers"][0][2] != expected[0]
        assert await first.rows([0, 1, rows[1]]) == {"answers": [[0, 1, expected[1]]]}
        await idle.open("c")  # opened after the new one came, on a connection that was there before
        assert await idle.rows([0, 0, rows[0]]) == told

        await first.leave()
        third = socket(service)
        await third.hear()
        third.say({"resume": token, "received": {"0": 2}})
        assert "resumed" in await third.hear()
        assert await third.rows([0, 2, rows[2]]) == {"answers": [[0, 2, expected[2]]]}
        assert state_file.save(service, tmp_path / "state") == 3
        third.say({"close": [0]})
        await third.hear()
        await third.leave()
        service.tidy(0.0)
        assert served.versions == [served.current]
        for client in (second, idle):
            await client.leave()

    play(scenario)

    async def next_start(service):
        service.models["layer"].take(other_layer)
        with caplog.at_level(logging.WARNING):
            assert state_file.load(service, tmp_path / "state") == 2  # those of the model that is served
        assert "1 streams of an older version of layer are not gone on with" in caplog.text

    play(next_start)

"""All streams in one file, and from there on."""

import asyncio

import pytest

from sluicegate.errors import ConfigError, SnapshotError
from sluicegate.serve import Limits, state_file
from sluicegate.serve.models import Served
from sluicegate.serve.service import Service


@pytest.fixture
def written(play, socket, rows, tmp_path):
    """A file with two sessions of streams, of which some rest and one was never pushed; and the tokens."""
    path, tokens = tmp_path / "state", []

    async def scenario(service):
        first, second = socket(service), socket(service)
        tokens.append(await first.open("a", "b", "never pushed"))
        tokens.append(await second.open("c", "d"))
        first.say({"rows": [[0, n, rows[n]] for n in range(6)] + [[1, 0, rows[0]]]})
        await first.answers(7)
        await second.rows([1, 0, rows[0]])
        second.say({"close": [0]})
        await second.hear()
        service.sessions[next(iter(service.sessions))].rest(1)
        assert state_file.save(service, path) == 4
        await first.leave()
        await second.leave()

    play(scenario)
    return path, tokens


def test_streams_go_on_from_a_file(play, socket, rows, expected, written):
    path, (first, second) = written

    async def scenario(service):
        assert state_file.load(service, path) == 4
        service.tidy(asyncio.get_running_loop().time())
        one = socket(service)
        await one.hear()
        one.say({"resume": first, "received": {"0": 4, "1": 1}})
        assert (await one.hear())["resumed"]["streams"] == [[0, "a", 6], [1, "b", 1], [2, "never pushed", 0]]
        assert await one.hear() == {"answers": [[0, 4, expected[4]], [0, 5, expected[5]]]}
        one.say({"rows": [[0, 6, rows[6]], [1, 1, rows[1]], [2, 0, rows[0]]]})
        assert await one.answers(3) == {(0, 6): expected[6], (1, 1): expected[1], (2, 0): expected[0]}
        two = socket(service)
        await two.hear()
        two.say({"resume": second, "received": {"1": 1}})
        assert (await two.hear())["resumed"]["streams"] == [[1, "d", 1]]
        assert await two.rows([1, 1, rows[1]]) == {"answers": [[1, 1, expected[1]]]}
        await one.leave()
        await two.leave()

    play(scenario)


def test_the_file_is_private_and_holds_no_token(written):
    path, tokens = written
    assert path.stat().st_mode & 0o077 == 0
    content = path.read_bytes()
    assert not any(token.encode() in content for token in tokens)


@pytest.mark.parametrize("place", [0, 30, 60, 200, -1])
def test_an_altered_file_is_refused(play, written, place):
    path, _ = written
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    check_refused(play, path, SnapshotError, "cannot be gone on from")


@pytest.mark.parametrize("length", [0, 10, 100, -1])
def test_a_cut_file_is_refused(play, written, length):
    path, _ = written
    path.write_bytes(path.read_bytes()[:length])
    check_refused(play, path, SnapshotError, "cannot be gone on from")


def test_a_folder_is_refused(play, tmp_path):
    check_refused(play, tmp_path, ConfigError, "is no file")


def check_refused(play, path, error, sentence):
    async def scenario(service):
        with pytest.raises(error, match=sentence) as raised:
            state_file.load(service, path)
        assert "\n" not in str(raised.value)
        assert not service.sessions

    play(scenario)


def test_streams_of_a_model_that_is_not_served_are_refused(layer, other_layer, written):
    path, _ = written

    async def scenario(models):
        limits = Limits(slots=8, window=4)
        service = Service({name: Served(name, one, None, limits) for name, one in models.items()}, limits)
        with pytest.raises(ConfigError, match="serve that model too"):
            state_file.load(service, path)
        service.end()

    asyncio.run(scenario({"layer": other_layer}))
    asyncio.run(scenario({"other": layer}))


def test_no_file_is_no_state(play, tmp_path):
    async def scenario(service):
        assert state_file.load(service, tmp_path / "none") == 0

    play(scenario)


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        state_file.require_writable(tmp_path / "file" / "state")
    state_file.require_writable(tmp_path / "new" / "state")
    assert not list((tmp_path / "new").iterdir())

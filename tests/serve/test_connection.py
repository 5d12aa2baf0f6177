"""What is said over a WebSocket, and what is wrong with it."""

import json

import numpy as np
import pytest

from sluicegate.serve import frames


def test_each_row_is_answered_as_a_stream_alone_answers_it(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        hello = (await client.hear())["hello"]
        assert hello["columns"] == ["input 0", "input 1", "input 2"]
        await client.open("a", "b")
        client.say({"rows": [[0, 0, rows[0]], [1, 0, rows[0]], [0, 1, rows[1]]]})
        named = dict(zip(hello["columns"], rows[1], strict=True))
        client.say({"rows": [[1, 1, named], [0, 2, rows[2]]]})
        found = await client.answers(5)
        for (_, number), answer in found.items():
            assert answer == expected[number]
        await client.leave()

    play(scenario)


def test_binary_frames_have_the_same_bits(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a", "b")
        for number in range(5):
            values = np.array([rows[number]] * 2, np.float64 if number % 2 else np.float32)
            client.say(frames.write(frames.Rows(np.array([1, 0]), np.full(2, number), values)))
            told = await client.hear()
            assert told.streams.tolist() == [1, 0]
            assert told.sequence.tolist() == [number] * 2
            assert told.values.tolist() == [expected[number]["output"]] * 2
        await client.leave()

    play(scenario)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{", "not JSON"),
        ("[" * 5000, "not JSON"),
        ("null", "nothing that there is"),
        ({"open": "a"}, "with a list"),
        ({"open": [1]}, "texts of up to 200 letters"),
        ({"open": ["x" * 201]}, "texts of up to 200 letters"),
        ({"rows": [[0, 0]]}, "two whole numbers"),
        ({"rows": [[0, True, [1, 2, 3]]]}, "two whole numbers"),
        ({"rows": [[-1, 0, [1, 2, 3]]]}, "count both from 0"),
        ({"rows": [[0, 2**62, [1, 2, 3]]]}, "count both from 0"),
        ({"rows": [[9, 0, [1, 2, 3]]]}, "there is no stream 9"),
        ({"close": [9]}, "no stream that was opened"),
        ({"close": ["a"]}, "no stream that was opened"),
        ({"resume": "x"}, "streams are open here already"),
        (b"?", "has 1 bytes"),
        (frames.write(frames.Rows(np.zeros(1, int), np.zeros(1, int), np.zeros((1, 2)))), "and the model reads 3"),
        (frames.write(frames.Rows(np.array([7]), np.zeros(1, int), np.zeros((1, 3)))), "there is no stream 7"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_changes_nothing(play, socket, rows, expected, said, sentence):
    async def scenario(service):
        client = socket(service)
        await client.open("a")
        assert await client.rows([0, 0, rows[0]]) == {"answers": [[0, 0, expected[0]]]}
        client.say(said)
        told = await client.hear()
        assert sentence in told["error"]
        assert "\n" not in told["error"]
        assert await client.rows([0, 1, rows[1]]) == {"answers": [[0, 1, expected[1]]]}
        await client.leave()

    play(scenario)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ([1.0, 2.0], "the row is 2 numbers"),
        ("text", "the row is a str"),
        ({"input 0": 1.0}, "has no column 'input 1'"),
        ([1.0, "2", 3.0], "column 'input 1' holds '2'"),
        ([1.0, float("nan"), 3.0], "finite number"),
        ([1.0, 1e300, 3.0], "finite number of at most 1e+30"),
        ([1.0, True, 3.0], "finite number"),
        (None, "a NoneType"),
    ],
)
def test_a_row_that_is_none_is_answered_by_an_error_in_its_place(play, socket, rows, expected, row, sentence):
    async def scenario(service):
        client = socket(service)
        await client.open("a")
        client.say(json.dumps({"rows": [[0, 0, rows[0]], [0, 1, row], [0, 2, rows[1]]]}))
        found = await client.answers(3)
        assert found[0, 0] == expected[0]
        assert sentence in found[0, 1]["error"]
        assert found[0, 2] == expected[1]  # the state was untouched
        await client.leave()

    play(scenario)


def test_numbers_of_a_binary_frame_that_are_too_large_are_refused(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a", "b")
        values = np.array([[np.inf, 0, 0], rows[0]])
        client.say(frames.write(frames.Rows(np.array([0, 1]), np.zeros(2, int), values)))
        client.say(frames.write(frames.Rows(np.array([0]), np.ones(1, int), np.array([[1e200, 0, 0]]))))
        told = [await client.hear() for _ in range(3)]
        refused = [one["answers"][0] for one in told if isinstance(one, dict)]
        assert [one[:2] for one in refused] == [[0, 0], [0, 1]]
        assert all("not finite" in one[2]["error"] for one in refused)
        (fine,) = (one for one in told if not isinstance(one, dict))
        assert fine.values.tolist() == [expected[0]["output"]]
        await client.leave()

    play(scenario)


def test_rows_out_of_order_are_dropped_or_told(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a")
        assert await client.rows([0, 0, rows[0]]) == {"answers": [[0, 0, expected[0]]]}
        told = await client.rows([0, 0, rows[0]], [0, 3, rows[3]], [0, 4, rows[4]])  # one again, and two too early
        assert told == {
            "error": "stream 0 is at row 1, and row 3 came: send those between first",
            "due": [[0, 1]],
        }  # fmt: skip
        assert await client.rows([0, 1, rows[1]]) == {"answers": [[0, 1, expected[1]]]}
        measures = service.models["layer"].measures
        assert (measures.duplicates, measures.gaps, measures.rows) == (1, 2, 2)
        await client.leave()

    play(scenario)


def test_a_closed_stream_takes_no_rows(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.open("a", "b")
        client.say({"rows": [[0, 0, rows[0]]]})
        client.say({"close": [0, 0]})
        client.say({"rows": [[0, 1, rows[1]]]})
        client.say({"close": [0]})
        told = [await client.hear() for _ in range(3)]
        assert {"closed": [[0, None]]} in told
        assert {"answers": [[0, 0, expected[0]]]} in told
        assert any("was closed, and takes no rows" in one.get("error", "") for one in told)
        assert await client.rows([1, 0, rows[0]]) == {"answers": [[1, 0, expected[0]]]}
        assert service.models["layer"].current.streams == 1
        await client.leave()

    play(scenario)


def test_rows_before_any_stream_is_open_are_refused(play, socket, rows):
    async def scenario(service):
        client = socket(service)
        await client.hear()
        assert "no stream is open here" in (await client.rows([0, 0, rows[0]]))["error"]
        client.say(frames.write(frames.Rows(np.zeros(1, int), np.zeros(1, int), np.zeros((1, 3)))))
        assert "no stream is open here" in (await client.hear())["error"]
        await client.leave()

    play(scenario)


def test_more_streams_than_allowed_are_refused(play, socket, rows, expected):
    async def scenario(service):
        client = socket(service)
        await client.hear()
        client.say({"open": ["a", "b", "c"]})
        assert len((await client.hear())["opened"]["streams"]) == 2
        assert "no more are allowed" in (await client.hear())["error"]
        assert await client.rows([1, 0, rows[0]]) == {"answers": [[1, 0, expected[0]]]}
        client.say({"close": [0]})
        await client.hear()
        await client.open("d")
        await client.leave()

    play(scenario, streams=2)

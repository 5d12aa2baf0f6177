"""HTTP: models, predictions, steps with the state passed in and out, events, health, metrics and the page."""

import json
import urllib.error
import urllib.request

import numpy as np
import pytest

TOKEN = "0123456789abcdef-token"


@pytest.fixture(scope="module")
def server(run_server, layer):
    with run_server({"layer": layer}, token=TOKEN) as (address, _):
        yield address


def ask(address, path, body=None, token=TOKEN):
    """The status, and the body as JSON or text."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            status, content, kind = answer.status, answer.read().decode(), answer.headers["content-type"]
    except urllib.error.HTTPError as error:
        status, content, kind = error.code, error.read().decode(), error.headers["content-type"]
    return status, json.loads(content) if kind == "application/json" else content


def test_health(server):
    assert ask(server, "/healthz", token="") == (200, {"status": "alive"})
    assert ask(server, "/readyz", token="") == (200, {"status": "ready"})


def test_models(server):
    status, (found,) = ask(server, "/v1/models")
    assert status == 200
    assert (found["name"], found["task"], found["streams"]) == ("layer", "layer", True)
    assert ask(server, "/v1/models", token="wrong")[0] == 401


def test_a_step_takes_the_state_and_gives_it(server, rows, expected):
    state, answers = None, []
    for begin in range(0, 6, 2):
        body = {"rows": rows[begin : begin + 2]} | ({} if state is None else {"snapshot": state})
        status, said = ask(server, "/v1/models/layer/step", body)
        assert status == 200
        answers += said["answers"]
        state = said["snapshot"]
    assert answers == expected[:6]


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/v1/models/other/step", {"rows": []}, 404, "there is no model 'other'"),
        ("/v1/models/layer/step", b"{", 400, "not JSON"),
        ("/v1/models/layer/step", {"rows": 1}, 400, "a list `rows`"),
        ("/v1/models/layer/step", {"rows": [[1, 2]]}, 400, "the row is 2 numbers"),
        ("/v1/models/layer/step", {"rows": [["a", 2, 3]]}, 400, "holds 'a'"),
        ("/v1/models/layer/step", b'{"rows": [[1, 2, Infinity]]}', 400, "finite number"),
        ("/v1/models/layer/step", {"rows": [], "snapshot": "?"}, 400, "not base64"),
        ("/v1/models/layer/step", {"rows": [], "snapshot": 7}, 400, "not base64"),
        ("/v1/models/layer/step", {"rows": [], "snapshot": "AAAA"}, 400, "snapshot"),
        ("/v1/models/layer/step", b" " * 2_000_000, 400, "longer than 1,048,576 bytes"),
        ("/v1/models/layer/predict", {"rows": []}, 400, "predicts nothing"),
        ("/v1/models/layer/reload", b"", 400, "came from no folder"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(server, path, body, status, sentence):
    found, said = ask(server, path, body)
    assert found == status
    assert sentence in said["error"]
    assert "\n" not in said["error"]


def test_metrics(server, connect, rows):
    with connect(server, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        client.recv()
        client.send(json.dumps({"open": ["a"]}))
        client.recv()
        client.send(json.dumps({"rows": [[0, 0, rows[0]]]}))
        client.recv()
        status, said = ask(server, "/metrics")
    assert status == 200
    lines = said.splitlines()
    assert 'sluicegate_streams{model="layer"} 1.0' in lines
    assert "sluicegate_connections 1.0" in lines
    for name in ("step_seconds", "queue_seconds", "end_to_end_seconds", "batch_rows"):
        assert any(line.startswith(f'sluicegate_{name}_bucket{{le="+Inf",model="layer"}}') for line in lines)
    for name in ("rows", "dropped", "evicted"):
        assert any(line.startswith(f'sluicegate_{name}_total{{model="layer"}}') for line in lines)


def test_answers_are_watched_as_events(server, connect, rows, expected):
    request = urllib.request.Request(
        f"{server}/v1/models/layer/watch?key=seen", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with (
        urllib.request.urlopen(request, timeout=5) as events,
        connect(server, subprotocols=["sluicegate", f"token.{TOKEN}"]) as client,
    ):
        assert events.headers["content-type"].startswith("text/event-stream")
        assert client.subprotocol == "sluicegate"
        client.recv()
        client.send(json.dumps({"open": ["seen", "other"]}))
        client.recv()
        client.send(json.dumps({"rows": [[1, 0, rows[1]], [0, 0, rows[0]]]}))
        while not (line := events.readline()).startswith(b"data: "):
            pass
        (event,) = json.loads(line.removeprefix(b"data: "))
    assert (event["key"], event["number"], event["answer"]) == ("seen", 0, expected[0])
    assert list(event["row"].values()) == np.array(rows[0], np.float32).tolist()


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css"])
def test_the_page_has_all_that_it_needs(server, path):
    status, content = ask(server, path, token="")
    assert status == 200
    assert "http://" not in content.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in content
    with urllib.request.urlopen(server + path, timeout=5) as answer:
        assert "default-src 'self'" in answer.headers["content-security-policy"]

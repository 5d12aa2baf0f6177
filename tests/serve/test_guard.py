"""Who may come in."""

import asyncio

import pytest

from sluicegate.errors import ConfigError
from sluicegate.serve import read_token
from sluicegate.serve.guard import Guard, is_loopback

TOKEN = "0123456789abcdef-token"


def refusal(kind="http", host="127.0.0.1", path="/v1/models", token=None, origins=(), subprotocols=(), **headers):
    """The status with which a request is refused; None where it comes in."""
    came, sent = [], []

    async def app(scope, receive, send):
        came.append(scope)

    async def send(message):
        sent.append(message)

    headers = {"host": "127.0.0.1:80"} | headers
    scope = {
        "type": kind,
        "path": path,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "subprotocols": list(subprotocols),
    }
    asyncio.run(Guard(app, host, token, origins)(scope, None, send))
    if came:
        return None
    assert sent[1]["body"].count(b"\n") == 1
    return sent[0]["status"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_without_a_token_this_machine_comes_in(kind):
    assert refusal(kind) is None
    assert refusal(kind, origin="http://127.0.0.1:80") is None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "given", [{}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": f"Basic {TOKEN}"}, {"authorization": "é"}]
)
def test_a_wrong_token_is_refused(kind, given):
    assert refusal(kind, token=TOKEN, **given) == 401


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_token_comes_in(kind):
    assert refusal(kind, token=TOKEN, authorization=f"bearer {TOKEN}") is None
    assert refusal(kind, token=TOKEN, subprotocols=["sluicegate", f"token.{TOKEN}"]) is None
    assert refusal(kind, token=TOKEN, subprotocols=["sluicegate", "token.x"]) == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/page.js", "/page.css"])
def test_health_and_the_page_need_none(path):
    assert refusal(path=path, token=TOKEN) is None
    assert refusal("websocket", path=path, token=TOKEN) == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:81", "http://127.0.0.1.evil"])
def test_pages_from_elsewhere_are_refused(origin):
    assert refusal("websocket", origin=origin) == 403
    assert refusal("websocket", origin=origin, token=TOKEN, authorization=f"Bearer {TOKEN}") == 403


def test_an_origin_that_was_named_comes_in():
    assert refusal("websocket", origin="https://a.example", origins=["https://a.example/"]) is None
    assert refusal("websocket", origin="http://a.example", origins=["https://a.example/"]) == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil:80"])
def test_a_name_that_was_made_to_lead_here_is_refused(host):
    assert refusal_of_host(host) == 421


def refusal_of_host(name, listening="127.0.0.1"):
    sent = []

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        return None

    scope = {"type": "http", "path": "/", "headers": [(b"host", name.encode())]}
    asyncio.run(Guard(app, listening, None, ())(scope, None, send))
    return sent[0]["status"] if sent else None


def test_names_of_this_machine_come_in():
    for name in ("localhost:1", "127.0.0.1", "[::1]:8000"):
        assert refusal_of_host(name) is None
    assert refusal_of_host("some.host", listening="0.0.0.0") is None


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback(host, alone):
    assert is_loopback(host) == alone


def test_a_token_is_read_from_a_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    for wrong in ("", "short", "with spaces in it and long", "a" * 600):
        path.write_text(wrong)
        with pytest.raises(ConfigError, match="must hold a token of 16"):
            read_token(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(tmp_path / "none")

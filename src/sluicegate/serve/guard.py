"""Who may come in: a bearer token, the origins of pages, and the hosts that a browser believes to speak to."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from sluicegate.errors import ConfigError

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PROTOCOL = "sluicegate"
"""The subprotocol of our WebSockets; a browser, which cannot send headers, offers `token.` and the token beside it."""

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,512}")
_OPEN = ("/healthz", "/readyz", "/", "/page.js", "/page.css")
_LOCAL = ("localhost", "127.0.0.1", "::1")


def read_token(path: Path) -> str:
    """Read the token that clients must have.

    Raises:
        ConfigError: the file cannot be read, or what it holds is no token.
    """
    try:
        token = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise ConfigError(
            f"`--token-file` (={path}) cannot be read ({error.strerror}): give the path of a file"
        ) from error
    if not _TOKEN.fullmatch(token):
        raise ConfigError(
            f"`--token-file` (={path}) must hold a token of 16 to 512 letters, digits, '.', '_', '~' and '-': make one "
            "by `python -c 'import secrets; print(secrets.token_urlsafe())'`"
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Lets in what may come in, and answers the rest by a sentence.

    Args:
        app: what is behind it.
        host: where the server listens.
        token: that clients must have; None where none is asked for.
        origins: of pages from elsewhere that may come in, such as `https://example.org`.
    """

    def __init__(self, app: Asgi, host: str, token: str | None, origins: Sequence[str]) -> None:
        self._app, self._token = app, None if token is None else token.encode()
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        # A page of another site can make a browser believe that its name is this machine's: such a host is none of
        # ours. Where a token is asked for, that does not help it.
        self._hosts = frozenset({host, *_LOCAL}) if is_loopback(host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        if refused is None:
            await self._app(scope, receive, send)
            return
        await answer(scope, send, *refused)

    def _refused(self, scope: Scope, headers: Mapping[bytes, str]) -> tuple[int, str] | None:
        """The status and the sentence with which a request is refused."""
        host = headers.get(b"host", "")
        if self._hosts is not None and _name_of(host) not in self._hosts:
            words = f"the request is for the host {host[:80]!r}, and the server is on this machine alone"
            return 421, f"{words}: use its own address"
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin, host):
            return 403, f"a page of {origin[:80]!r} may not come in: start the server with `--origin {origin[:80]}`"
        if self._token is None or (scope["type"] == "http" and scope["path"] in _OPEN):
            return None
        if not hmac.compare_digest(_given(scope, headers).encode("latin-1", "replace"), self._token):
            return 401, "the token is missing or wrong: send the header `Authorization: Bearer TOKEN`"
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        if origin in self._origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc == host


def _given(scope: Scope, headers: Mapping[bytes, str]) -> str:
    """The token of a request."""
    kind, _, token = headers.get(b"authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    offered = scope.get("subprotocols", ())
    return next((one.removeprefix("token.") for one in offered if one.startswith("token.")), "")


def _name_of(host: str) -> str:
    """The host without its port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


async def answer(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Refuse a request or a WebSocket by a status and a sentence."""
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": f"{sentence}\n".encode()})

"""What a server answers over HTTP: models, predictions, steps with the state passed in and out, events, health."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from sluicegate.data.as_json import as_rows, finite
from sluicegate.errors import DataError, SluicegateError, SnapshotError, StreamError
from sluicegate.tasks.task import Task

from .engine import Engine
from .measures import Collector
from .models import Served
from .service import Service
from .version import Version
from .watching import Watcher

_PAGE = Path(__file__).parent / "page"
_FILES = {"/": "page.html", "/page.js": "page.js", "/page.css": "page.css"}
_BODY = 16
"""How many times as long as a message of a WebSocket the body of a request may be."""
_PATIENCE = 30.0  # seconds for a body to come
_AT_ONCE = 4  # computations that requests asked for


def build(service: Service) -> FastAPI:
    """The application, without its WebSockets."""
    app = FastAPI(title="Sluicegate", docs_url=None, redoc_url=None)
    registry = CollectorRegistry()
    registry.register(Collector(service.gauges, lambda: len(service.connections)))
    computing = asyncio.Semaphore(_AT_ONCE)

    async def computed(call: Callable[..., Any], *arguments: Any) -> Any:
        async with computing:
            return await run_in_threadpool(call, *arguments)

    @app.exception_handler(SluicegateError)
    async def _refused(_: Request, error: Exception) -> Response:
        status = 404 if str(error).startswith("there is no model") else 400
        return JSONResponse({"error": " ".join(str(error).split())}, status)

    @app.get("/healthz")
    async def healthz() -> Response:
        return JSONResponse({"status": "alive"})

    @app.get("/readyz")
    async def readyz() -> Response:
        return JSONResponse({"status": "leaving"}, 503) if service.leaving else JSONResponse({"status": "ready"})

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/models")
    async def models() -> Response:
        return JSONResponse([served.current.about() for served in service.models.values()])

    @app.post("/v1/models/{name}/predict")
    async def predict(name: str, request: Request) -> Response:
        version = service.model(name).current
        return JSONResponse(await computed(_predicted, version, await _body(service, request)))

    @app.post("/v1/models/{name}/step")
    async def step(name: str, request: Request) -> Response:
        version = service.model(name).current
        return JSONResponse(await computed(_stepped, version, await _body(service, request)))

    @app.get("/v1/models/{name}/watch")
    async def watch(name: str, key: str | None = None) -> Response:
        events = Watcher(service, service.model(name), key).events()
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @app.post("/v1/models/{name}/reload")
    async def reload(name: str) -> Response:
        served = service.model(name)
        changed = await load_again(served, computed)
        return JSONResponse({"changed": changed, **served.current.about()})

    for path, file in _FILES.items():
        app.add_api_route(path, _sender(file), include_in_schema=False)
    return app


async def load_again(served: Served, computed: Callable[..., Awaitable[Any]] = run_in_threadpool) -> bool:
    """Load a model's folder again while it runs; whether it is another model now.

    Raises:
        StreamError: it came from no folder.
        BundleError: the folder is no whole model; the one that is served stays.
    """
    task = await computed(served.read_again)
    if task is None:
        raise StreamError(f"the model {served.name!r} came from no folder, and cannot be loaded again")
    return served.take(task)


def _sender(file: str) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        # The page loads nothing from elsewhere, and no other page may show it.
        policy = "default-src 'self'; img-src data:; frame-ancestors 'none'"
        return FileResponse(_PAGE / file, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})

    return send


async def _body(service: Service, request: Request) -> dict[str, Any]:
    """The body of a request, a JSON object.

    Raises:
        DataError: it is none, is too long, or does not come.
    """
    most, content = service.limits.message * _BODY, b""
    try:
        async with asyncio.timeout(_PATIENCE):
            async for part in request.stream():
                content += part
                if len(content) > most:
                    raise DataError(f"the body is longer than {most:,} bytes: send fewer rows at once")
    except TimeoutError:
        raise DataError(f"the body did not come within {_PATIENCE:g} seconds: send it at once") from None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the body is not JSON ({error}): send an object with `rows`") from None
    if not isinstance(found, dict) or not isinstance(found.get("rows"), list):
        raise DataError("the body must be a JSON object with a list `rows`: send one")
    return found


def _predicted(version: Version, body: dict[str, Any]) -> dict[str, Any]:
    """What the model's `predict` says of rows."""
    task = version.model
    if not isinstance(task, Task):
        raise StreamError(f"the model {version.name!r} is a layer, which predicts nothing: ask for a `step`")
    options = {"future": _table(body["future"])} if isinstance(body.get("future"), list) else {}
    frame = task.predict(_table(body["rows"]), **options)
    return {"rows": finite(as_rows(frame))}


def _table(rows: list[Any]) -> pl.DataFrame:
    try:
        return pl.DataFrame(rows, infer_schema_length=None)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        words = " ".join(str(error).split())
        raise DataError(f"`rows` are no rows of a table ({words}): send objects with a value for each column") from None


def _stepped(version: Version, body: dict[str, Any]) -> dict[str, Any]:
    """The answers to rows from a state on, and the state after them."""
    snapshot = body.get("snapshot")
    state = None if snapshot is None else _decoded(snapshot)
    with version.lent() as engine:
        if state is None:
            engine.open(0)
        else:
            engine.restore(0, state)
        try:
            answers = [_step(engine, row) for row in body["rows"]]
            return {"answers": answers, "snapshot": base64.b64encode(engine.snapshot(0)).decode()}
        finally:
            engine.close(0)


def _step(engine: Engine, row: Any) -> Any:
    slots = np.zeros(1, np.int64)
    if engine.numeric:
        values, faults = engine.read([row])
        if faults:
            raise faults[0]
        (answer,) = engine.shown(engine.push(slots, values))
        return answer
    (answer,) = engine.push(slots, [row])
    if isinstance(answer, SluicegateError):
        raise answer
    return answer


def _decoded(snapshot: Any) -> bytes:
    try:
        return base64.b64decode(snapshot, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise SnapshotError(f"`snapshot` is not base64 ({error}): send the one that a step answered with") from None

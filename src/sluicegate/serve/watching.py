"""Those who look on: the answers of a model's streams as events, without holding anybody up."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from numpy import ndarray

from sluicegate.data.as_json import finite

from .engine import Engine
from .models import Served
from .service import Service
from .stepper import Block
from .version import shown_error

_EVERY = 0.05  # seconds between two events
_LOOK, _SILENCE = 0.5, 15.0  # seconds between two looks for the server's end, and two comments
_MOST = 64  # answers of an event: the latest ones


class Watcher:
    """The answers of one model's streams.

    Args:
        service: whose end ends the events.
        served: the model.
        key: of the streams that are looked at; None is all.
    """

    def __init__(self, service: Service, served: Served, key: str | None) -> None:
        self._service, self._served, self._key = service, served, key
        self._seen: deque[tuple[Engine, Block, Any, int]] = deque(maxlen=_MOST)
        self._came = asyncio.Event()

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events, each with the latest answers as a list in JSON; a comment where none came for long."""
        watchers = self._served.current.watchers
        watchers.append(self._note)
        try:
            yield ": watching\n\n"
            said = time.monotonic()
            while not self._service.leaving:
                try:
                    await asyncio.wait_for(self._came.wait(), _LOOK)
                except TimeoutError:
                    if time.monotonic() - said > _SILENCE:
                        said = time.monotonic()
                        yield ": nothing new\n\n"
                    continue
                self._came.clear()
                seen, self._seen = self._seen, deque(maxlen=_MOST)
                yield f"data: {json.dumps([_shown(*one) for one in seen], allow_nan=False)}\n\n"
                said = time.monotonic()
                await asyncio.sleep(_EVERY)
        finally:
            watchers.remove(self._note)

    def _note(self, engine: Engine, block: Block, answers: Any) -> None:
        for place, stream in enumerate(block.streams.tolist()):
            if self._key is None or block.client.keys[stream] == self._key:
                self._seen.append((engine, block, answers[place], place))
                self._came.set()


def _shown(engine: Engine, block: Block, answer: Any, place: int) -> dict[str, Any]:
    """An answer with its row, as JSON."""
    row = block.rows[place]
    if engine.numeric:
        row = dict(zip(engine.columns, row.tolist(), strict=True))
        (answer,) = engine.shown(answer[None])
    elif isinstance(row, ndarray):
        row = None  # sound
    key, number = block.client.keys[int(block.streams[place])], int(block.sequence[place])
    return {"key": key, "number": number, "row": finite(row), "answer": shown_error(answer), "at": time.time()}

"""A model as it was loaded, and the slots of its streams."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy import ndarray
from torch.nn import Module

from sluicegate.errors import SluicegateError, StreamError
from sluicegate.tasks.task import Task

from .engine import Engine
from .engines import StreamEngine, engine_of, require_engine
from .limits import Limits
from .measures import Drift, Measures
from .stepper import Block, Client, Stepper
from .table import Table

_LOG = logging.getLogger("sluicegate.serve")
_FEW = 8  # streams that rest at once, which takes a tenth of a millisecond each


class Version:
    """A model as it was loaded, with its streams.

    Args:
        name: under which it is served.
        model: a trained task, or a layer.
        limits: what is allowed.
        measures: of the model, which its versions share.
    """

    def __init__(self, name: str, model: Task | Module, limits: Limits, measures: Measures) -> None:
        self.name, self.model, self.limits, self.measures = name, model, limits, measures
        self._engine = engine_of(model, limits.slots)
        scale = getattr(model, "input_scale", None)
        self.drift = None if scale is None else Drift(*scale)
        self.sessions = self.streams = self.resting_bytes = 0
        """How many sessions and streams there are, and the bytes of streams that rest."""
        self.current = True
        """Whether new streams open on it."""
        self.watchers: list[Callable[[Engine, Block, Any], None]] = []
        """Are told of each block of rows, and its answers."""
        self._spare: list[Engine] = []
        self._stepper: Stepper | None = None
        if self._engine is not None:
            self.table = Table(self._engine, limits.slots, limits.window)

    @property
    def engine(self) -> Engine:
        """What computes its streams.

        Raises:
            StreamError: it has none.
        """
        return require_engine(self._engine, self.model)

    @property
    def fingerprint(self) -> str:
        """Of the model, to which snapshots are bound; nothing where it has no streams."""
        return "" if self._engine is None else self._engine.fingerprint

    @property
    def live(self) -> int:
        """How many streams have a slot."""
        return 0 if self._engine is None else self.table.live

    @property
    def quiet(self) -> bool:
        """Whether no row is under way that can be stepped."""
        return self._stepper is None or self._stepper.quiet

    @property
    def busy(self) -> bool:
        """Whether a step is computed."""
        return self._stepper is not None and self._stepper.busy

    def about(self) -> dict[str, Any]:
        """What a client must know of it."""
        task = self.model.name if isinstance(self.model, Task) else "layer"
        found: dict[str, Any] = {"name": self.name, "task": task, "version": self.fingerprint[:12]}
        found["streams"] = self._engine is not None
        if self._engine is not None:
            found |= {"columns": list(self._engine.columns), "outputs": list(self._engine.outputs)}
        if isinstance(self._engine, StreamEngine) and self._engine.rate is not None:
            found["rate"] = self._engine.rate
        return found

    def put(self, client: Client) -> None:
        """Let a client that has blocks stand in line for a step."""
        if self._stepper is None:
            self._stepper = Stepper(self.engine, self.limits.batch, self._stepped)
        self._stepper.put(client)

    def refuse(self, slots: ndarray, sequence: ndarray, error: Exception) -> None:
        """Note that accepted rows are answered by an error, and change no state."""
        self.table.keep(slots, sequence, None if self.engine.numeric else [shown_error(error)] * len(slots))
        self.measures.refused += len(slots)

    def rest_idle(self, now: float) -> bool:
        """Let a few streams rest that were not heard of for long; whether there are more."""
        return self._engine is not None and self._rest_before(now - self.limits.idle)

    def make_room(self, now: float) -> bool:
        """Free a slot where none is, of a stream that has no row under way; whether one is free."""
        if self.table.full:
            self._rest_before(now)
        return not self.table.full

    @contextmanager
    def lent(self) -> Iterator[Engine]:
        """An engine of one slot for a single request, in any thread.

        Raises:
            StreamError: the model has no streams.
        """
        engine = self._spare.pop() if self._spare else engine_of(self.model, 1)
        engine = require_engine(engine, self.model)
        try:
            yield engine
        finally:
            self._spare.append(engine)

    def halt(self) -> None:
        """Begin no further step."""
        if self._stepper is not None:
            self._stepper.halt()

    def retire(self) -> None:
        """End its thread, and let go of its states."""
        if self._stepper is not None:
            self._stepper.stop()
        if self._engine is not None:
            del self.table
        self._stepper = self._engine = None

    def _rest_before(self, before: float) -> bool:
        idle = self.table.idle(before)
        for slot in idle[:_FEW]:
            owner = self.table.owners[slot]
            assert owner is not None
            owner[0].rest(owner[1])
        return len(idle) > _FEW

    def _stepped(self, taken: list[Block], answers: Any, begun: float, took: float) -> None:
        """Note a step, and hand out its answers."""
        blocks = [block for block in taken if block.rows is not None]
        counts = [len(block) for block in blocks]
        measures = self.measures
        measures.step.note([took])
        measures.batch.note([float(sum(counts))])
        measures.queue.note([begun - block.came for block in blocks], counts)
        if isinstance(answers, Exception):
            _LOG.error("a step of the model %r failed", self.name, exc_info=answers)
            self._hand_out_failure(taken)
        else:
            measures.rows += sum(counts)
            self._keep(taken, answers)
            for block, answer in zip(taken, answers, strict=True):
                block.client.answered(block, answer, None)
                for watch in self.watchers if block.rows is not None and block.faults is None else ():
                    watch(self.engine, block, answer)
        now = time.monotonic()
        measures.end_to_end.note([now - block.came for block in blocks], counts)

    def _hand_out_failure(self, taken: Sequence[Block]) -> None:
        error: SluicegateError = StreamError("the step failed, and the server's log says why: send the next row")
        for block in taken:
            if block.rows is not None:
                self.refuse(block.slots, block.sequence, error)
            block.client.answered(block, None, error)

    def _keep(self, taken: list[Block], answers: Sequence[Any]) -> None:
        pairs = []
        for block, answer in zip(taken, answers, strict=True):
            for place, fault in enumerate(block.faults or ()):
                self.refuse(block.slots[[place]], block.sequence[[place]], fault)
            if block.rows is not None and block.faults is None:
                pairs.append((block, answer))
        if not pairs:
            return
        slots, sequence = (
            np.concatenate(parts) for parts in zip(*((block.slots, block.sequence) for block, _ in pairs), strict=True)
        )
        if self.engine.numeric:
            self.table.keep(slots, sequence, np.concatenate([answer for _, answer in pairs]))
            if self.drift is not None:
                self.drift.note(np.concatenate([block.rows for block, _ in pairs]))
            return
        self.table.keep(slots, sequence, [shown_error(one) for _, answer in pairs for one in answer])
        if self.drift is not None:
            self.drift.note_rows([row for block, _ in pairs for row in block.rows])


def shown_error(answer: Any) -> Any:
    """An answer as JSON can hold it, where it may be the error that refused the row."""
    return {"error": " ".join(str(answer).split())} if isinstance(answer, Exception) else answer

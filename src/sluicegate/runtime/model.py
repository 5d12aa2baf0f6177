"""What every model of the runtime can do, and the fingerprint to which the snapshots of its streams are bound."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.streaming.stream import Stream

WEIGHTS = "weights.safetensors"


class Model(ABC):
    """A saved model, computed without PyTorch. It never changes, and streams of it may be pushed from several threads.

    Open it by `sluicegate.runtime.load`.
    """

    task: ClassVar[str]
    """The task's name, as `config.json` has it."""
    files: ClassVar[tuple[str, ...]]
    """The files that answers hang on, beside `config.json`."""

    def __init__(self, saved: Bundle) -> None:
        self.folder = saved.folder
        """Where it was read from."""
        self.fingerprint = _fingerprint(saved, self.files)
        """The sha256 of all that answers hang on, the same as that of `sluicegate.load(folder)`."""

    @abstractmethod
    def open_stream(self) -> Stream:
        """Open a stream: rows are pushed as they come, and answered at once."""

    @abstractmethod
    def predict(self, data: Any) -> Any:
        """Apply the model to data."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of '{self.folder}': {self.task}>"


def _fingerprint(saved: Bundle, files: Sequence[str]) -> str:
    config = saved.json(bundle.CONFIG)
    for name in ("curve", "sluicegate"):  # a later version goes on from a snapshot
        del config[name]
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name in sorted(files):
        content = saved.raw(name)
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()

"""Models that are served: the version that new streams open on, and older ones that theirs finish on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch.nn import Module

from sluicegate.tasks import load
from sluicegate.tasks.task import Task

from .limits import Limits
from .measures import Measures
from .version import Version


class Served:
    """A model under its name, which can be loaded anew while it runs.

    Args:
        name: under which it is served.
        model: a trained task or a layer.
        folder: where it was loaded from; None where it was not.
        limits: what is allowed.
    """

    def __init__(self, name: str, model: Task | Module, folder: Path | None, limits: Limits) -> None:
        self.name, self.folder, self._limits = name, folder, limits
        self.measures = Measures()
        self.current = Version(name, model, limits, self.measures)
        self.older: list[Version] = []

    @property
    def versions(self) -> list[Version]:
        """All that have streams, and the current one."""
        return [self.current, *self.older]

    def read_again(self) -> Task | None:
        """Load the folder again, in any thread.

        Raises:
            BundleError: it is no whole model; the one that is served stays.
        """
        return None if self.folder is None else load(self.folder)

    def take(self, model: Task | Module) -> bool:
        """Let new streams open on a model; older ones finish on theirs. Whether it is another one."""
        found = Version(self.name, model, self._limits, self.measures)
        if found.fingerprint == self.current.fingerprint and found.fingerprint:
            return False
        found.watchers = self.current.watchers
        self.current.current = False
        self.older.append(self.current)
        self.current = found
        self.let_go()
        return True

    def let_go(self) -> None:
        """Forget older versions that no session is of any more."""
        for version in [version for version in self.older if version.sessions == 0 and version.quiet]:
            self.older.remove(version)
            version.retire()

    def gauges(self) -> dict[str, Any]:
        """What is measured of its streams now."""
        return {
            "streams": sum(version.streams for version in self.versions),
            "slots": sum(version.live for version in self.versions),
            "drift": {} if self.current.drift is None else self.current.drift.shown(),
        }

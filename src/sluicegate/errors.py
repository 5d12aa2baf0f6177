"""The exceptions that Sluicegate raises, in one tree.

    SluicegateError
    ├── ConfigError     an argument or a setting is out of its range       (also a ValueError)
    ├── DataError       a table or a file cannot be used as it is          (also a ValueError)
    ├── BundleError     a saved model is damaged, incomplete or too new    (also a ValueError)
    ├── SnapshotError   the snapshot of a stream is damaged or another's   (also a ValueError)
    ├── StreamError     a stream was finished, and takes nothing more      (also a RuntimeError)
    ├── NotFittedError  the task has not been trained yet                  (also a RuntimeError)
    └── MissingExtra    an optional dependency is not installed            (also an ImportError)

Every message is one sentence that says what is wrong, where, what was expected and what to do.
"""

from __future__ import annotations


class SluicegateError(Exception):
    """The root of the tree: catch it to catch everything that Sluicegate raises on purpose."""


class ConfigError(SluicegateError, ValueError):
    """An argument or a setting is out of its range."""


class DataError(SluicegateError, ValueError):
    """A table or a file cannot be used as it is."""


class BundleError(SluicegateError, ValueError):
    """A saved model is damaged, incomplete, or written by a newer version."""


class SnapshotError(SluicegateError, ValueError):
    """The snapshot of a stream is damaged, of a newer version, of another kind, or of another model."""


class StreamError(SluicegateError, RuntimeError):
    """A stream was finished, and takes nothing more until it is reset or restored."""


class NotFittedError(SluicegateError, RuntimeError):
    """The task has not been trained yet."""


class MissingExtra(SluicegateError, ImportError):  # noqa: N818 - reads as what it is: an extra is missing
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str, *, distribution: str = "sluicegate") -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed: run "
            f"`pip install '{distribution}[{extra}]'`"
        )

"""A saved classifier of recordings and its verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .stream import SeriesStream
from .trained import Trained


class SeriesClassifier(Trained):
    """A saved classifier of recordings.

    Its answers have the bits of `sluicegate.load(folder)`.

    Raises:
        ConfigError: a simple method is mixed in.
    """

    def open_stream(self) -> SeriesStream:
        """Open a stream: a step of a recording in, the class of what was read so far out."""
        return SeriesStream(self)

    def predict(self, data: Sequence[Any]) -> list[dict[str, Any]]:
        """Tell the class of recordings.

        Args:
            data: of each recording an array `[time channels]`, or a sequence of mappings.

        Returns:
            Of each, `label`, its `probability`, and for each class `probability_` and its name.

        Raises:
            DataError: a recording is none, or has no steps.
        """
        return [self.open_stream().last_of(recording) for recording in data]

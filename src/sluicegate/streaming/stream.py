"""What every stream can do, whatever it is a stream of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sluicegate.errors import StreamError


class Stream(ABC):
    """A running state beside a model, which is shared and never changed.

    A model holds weights; a stream holds what it has read so far, and nothing else. Thousands of streams of one model
    share its weights. What comes out does not depend on how the input was cut: pushed step by step, in chunks of any
    length, or after a snapshot was restored in another process, the outputs are the same to the bit.

    A stream is pushed from one thread at a time, and a second is refused meanwhile; streams of the same model may be
    pushed from several at once.
    """

    finished: bool = False
    """Whether `finish` was called, and neither `reset` nor `restore` of a running stream since."""

    @abstractmethod
    def push(self, x: Any) -> Any:
        """Read what comes next: a step, or a chunk of them.

        Args:
            x: Of what kind and shape, the stream says.

        Returns:
            What there is to say after it.

        Raises:
            DataError: It is something else; the state is as it was.
            StreamError: The stream was finished, or another thread is pushing it.
        """

    @abstractmethod
    def finish(self) -> Any:
        """End the stream: say what was held back until it was sure that nothing follows.

        Every `push` after it is refused, until `reset` or `restore`.

        Raises:
            StreamError: It was finished before.
        """

    @abstractmethod
    def reset(self) -> None:
        """Begin anew, as if nothing had been read."""

    @abstractmethod
    def snapshot(self) -> bytes:
        """Write down the state, from which a stream of the same model can go on, here or elsewhere.

        Returns:
            Its bytes, with a version and a checksum, bound to the model by the fingerprint of its weights; see
            `sluicegate.streaming.snapshots`. A stream that was finished is finished where it is restored.
        """

    @abstractmethod
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot: the state is from now on what it was when that was taken.

        Args:
            snapshot: What `snapshot` gave, of a stream of the same kind and of the very same model.

        Raises:
            SnapshotError: It was cut short or altered, is of a newer version, of another kind or of another model; the
                state is as it was.
        """

    def require_running(self) -> None:
        """Refuse what a finished stream does not do.

        Raises:
            StreamError: The stream was finished.
        """
        if self.finished:
            raise StreamError(
                "the stream was finished: begin anew with `reset()`, or go on from a snapshot with `restore`"
            )

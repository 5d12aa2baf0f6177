"""The stream of a language model: words in, how probable they were and what may come next out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from sluicegate.errors import DataError
from sluicegate.streaming.guarding import GuardedStream, alone
from sluicegate.streaming.snapshots import damaged, read, require, write
from sluicegate.tasks.generation.subwords import BEGIN

from .trained import Trained

KIND = "language-model"


class TextStream(GuardedStream):
    """A stream of text: each push is answered by how probable it was, and by what may come next.

    What is pushed are whole words, one or several, or a line feed, where a line ends: no push goes on with a word that
    another began. The answers have the bits of `score` and `following` of all text so far, however it is pushed.

    Open it by `LanguageModel.open_stream`.

    Args:
        trained: the model.
        fingerprint: of all that answers hang on.
        most: tokens of an answer that may come next, the most probable ones.
    """

    def __init__(self, trained: Trained, fingerprint: str, most: int) -> None:
        self._trained, self.fingerprint, self._most = trained, fingerprint, most
        self._reader = trained.reader
        self.reset()

    @property
    def nbytes(self) -> int:
        """The memory of the state, in bytes."""
        return sum(part.nbytes for state in self._reading for part in state)

    @property
    def log_probabilities(self) -> Float32[np.ndarray, " tokens"]:
        """The logarithm of the probability of every token that may come next, by its number in the vocabulary."""
        found: Float32[np.ndarray, " tokens"] = self._reader.next(self._said).numpy()
        return found

    @alone
    def push(self, x: Any) -> Any:
        """Read words, or several pushes of them.

        Args:
            x: a text: words, and a line feed where a line ends; or a mapping that has one under the name of the column
                that `fit` was given, `text` unless told; or a chunk: a sequence of either.

        Returns:
            A mapping with `log_probability`, the sum over the tokens of what was pushed, given all before; `tokens`,
            how many these are; and of what may come next, `next`, the most probable tokens, and `probabilities`. Of a
            chunk, a list of them.

        Raises:
            DataError: it is something else; the state is as it was.
            StreamError: the stream was finished.
        """
        self.require_running()
        single = isinstance(x, str | Mapping)
        several = [self._text(one, place) for place, one in enumerate([x] if single else _sequence(x))]
        answers = [self._answered(text) for text in several]
        return answers[0] if single else answers

    @alone
    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        self.require_running()
        self.finished = True

    @alone
    def reset(self) -> None:
        """Begin a text anew."""
        self._said, self._reading = self._reader.read(torch.tensor([[BEGIN]]), self._reader.begin())
        self._said, self.finished = self._said[0], False

    def snapshot(self) -> bytes:
        """Write down the state, as `Stream.snapshot` says."""
        arrays = {"said": self._said.numpy()}
        arrays |= {f"state.{k}.{i}": part for k, state in enumerate(self._reading) for i, part in enumerate(state)}
        return write(KIND, self.fingerprint, {"finished": self.finished}, arrays)

    @alone
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        settings, arrays = read(snapshot, KIND, self.fingerprint)
        match settings:
            case {"finished": bool(finished)}:
                pass
            case _:
                raise damaged("it does not say whether the stream was finished")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise damaged("its arrays hold numbers that are not finite")
        said = require(arrays, "said", tuple(self._said.shape), np.float32)
        self._reading = tuple(
            tuple(require(arrays, f"state.{k}.{i}", part.shape, np.float32) for i, part in enumerate(state))
            for k, state in enumerate(self._reader.begin())
        )
        self._said, self.finished = torch.from_numpy(said), finished

    def _answered(self, text: str) -> dict[str, Any]:
        total, tokens = 0.0, self._trained.prompt(text)[1:].tolist()  # which begins with the beginning of a text
        for token in tokens:
            came = torch.tensor([token])
            total += float(self._reader.score(self._said, came, singly=True))
            said, self._reading = self._reader.read(came[None], self._reading)
            self._said = said[0]
        return {
            "log_probability": total,
            "tokens": len(tokens),
            **following(self._trained, self._said, self._most),
        }

    def _text(self, x: Any, place: int) -> str:
        column = self._trained.column
        found = x.get(column) if isinstance(x, Mapping) else x
        if not isinstance(found, str):
            raise DataError(
                f"push {place} holds {type(found).__name__}: expected a text, or a mapping with a text under {column!r}"
            )
        return found


def following(trained: Trained, said: torch.Tensor, most: int) -> dict[str, Any]:
    """The most probable tokens that may come next, and their probabilities."""
    chances = trained.reader.next(said)
    chances[BEGIN] = -torch.inf  # the beginning of another text, which is none of what follows
    best = chances.topk(min(most, len(chances)))
    return {
        "next": [trained.shown(token) for token in best.indices.tolist()],
        "probabilities": best.values.double().exp().tolist(),
    }


def _sequence(x: Any) -> Sequence[Any]:
    if not isinstance(x, Sequence) or isinstance(x, bytes | bytearray):
        raise DataError(f"what was pushed is {type(x).__name__}: expected a text, or several in a list")
    return x

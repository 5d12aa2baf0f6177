"""The stream of a transcriber: samples in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from sluicegate.data.audio import one_channel, require_rate
from sluicegate.data.resampling import BEFORE, SEGMENT, Resampler
from sluicegate.errors import DataError
from sluicegate.streaming.guarding import GuardedStream, alone
from sluicegate.streaming.snapshots import damaged, read, require, write

from .features import Room
from .network import State
from .running import END, Heard
from .search.search import Search
from .trained import Trained
from .transcript import Word
from .utterances import Utterances

KIND = "transcriber"


class SpeechStream(GuardedStream):
    """A stream of speech: each push is answered by the words that are sure now, and by what may be said after them.

    The answers do not hang on how the audio was cut, and all words together are those of `transcribe`, which ends
    utterances after half a second of silence too.

    Open it by `Transcriber.open_stream`.

    Args:
        trained: the model.
        fingerprint: of all that answers hang on.
        search: that nothing was said to yet.
        endpoint: seconds of silence after which an utterance is over.
    """

    def __init__(self, trained: Trained, fingerprint: str, search: Search, endpoint: float) -> None:
        self._trained, self.fingerprint = trained, fingerprint
        self._utterances = Utterances(search, endpoint)
        self.reset()

    @property
    def rate(self) -> int:
        """The rate that the model hears, in Hz: of samples that are pushed without one."""
        return self._trained.rate

    @alone
    def push(self, x: Any, rate: int | None = None) -> Any:
        """Hear samples, or several pushes of them.

        Args:
            x: an array of samples, `[samples]` or `[samples channels]`, floats in [-1, 1] or whole numbers of 16 or 32
                bits; or a list of such arrays, each of which is answered.
            rate: of the samples, in Hz, the same at every push; None is the model's own.

        Returns:
            A mapping with `words`, those that nothing changes any more, each with `text`, `begin` and `end` in seconds
            from the start of the stream and `confidence`; `partial`, what may be said after them; and `endpoint`,
            whether an utterance ended: then `words` were its last. Of a list, a list of them.

        Raises:
            DataError: it is something else, or of another rate than before; the state is as it was.
            StreamError: the stream was finished.
        """
        self.require_running()
        if isinstance(x, list) and any(np.ndim(one) > 0 for one in x):
            parts = [one_channel(one, f"push {place}") for place, one in enumerate(x)]
            resampler = self._resampled(rate)
            return [self._heard_on(resampler.push(part)) for part in parts]
        samples = one_channel(x, "what was pushed")
        return self._heard_on(self._resampled(rate).push(samples))

    @alone
    def finish(self) -> dict[str, Any]:
        """End the stream.

        Returns:
            The words that were not told yet, as `push` answers.

        Raises:
            StreamError: it was finished before.
        """
        self.require_running()
        rest = self._resampler.finish() if self._resampler else np.zeros(0, np.float32)
        silence = np.zeros(round(END * self._trained.rate), np.float32)
        answer = self._heard_on(np.concatenate([rest, silence]))
        words = answer["words"] + self._told(self._utterances.end())
        self.finished = True
        return {"words": words, "partial": "", "endpoint": True}

    @alone
    def add_words(self, words: list[str], weight: float = 0.0) -> None:
        """Know more words from now on, in this stream alone.

        Args:
            words: single words; where phrases are all that may be said, phrases.
            weight: what each adds to the logarithm of a text's probability.

        Raises:
            ConfigError: one is none.
        """
        self._utterances.search.add_words(words, weight)

    @alone
    def reset(self) -> None:
        """Begin anew, with silence; words that were added stay."""
        self._resampler: Resampler | None = None
        self._heard = self._trained.listener.begin()
        self._utterances.reset()
        self.finished = False

    def snapshot(self) -> bytes:
        """Write down the state, as `Stream.snapshot` says."""
        searched, arrays = self._utterances.search.state()
        resampled, held = self._resampler.state() if self._resampler else (None, np.zeros(0, np.float32))
        settings = {
            "finished": self.finished,
            "rate": self._resampler.rate if self._resampler else None,
            "resampled": resampled,
            "frames": self._utterances.frames,
            "begun": self._utterances.begun,
            "search": searched,
            "endpoint": self._utterances.endpoint.state(),
        }
        found = {f"search.{name}": array for name, array in arrays.items()}
        found |= {"held": held, "rest": self._heard.rest, "seen": self._heard.state.seen.numpy()}
        if self._trained.scale.follows:
            mean, count = self._heard.room
            found |= {"room.mean": mean, "room.heard": np.array([count])}
        for depth, state in enumerate(self._heard.state.layers):
            found |= {f"state.{depth}.{part}": one.numpy() for part, one in enumerate(_parts(state))}
        return write(KIND, self.fingerprint, settings, found)

    @alone
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        settings, arrays = read(snapshot, KIND, self.fingerprint)
        match settings:
            case {
                "finished": bool(finished),
                "rate": int() | None as rate,
                "resampled": dict() | None as resampled,
                "frames": int(frames),
                "begun": int(begun),
                "search": dict(searched),
                "endpoint": dict(endpoint),
            } if 0 <= begun <= frames and (rate is None) == (resampled is None):
                pass
            case _:
                raise damaged("it does not say where the stream was")
        heard = self._state_in(arrays)
        resampler = None if rate is None else _resampler_of(rate, self._trained.rate, resampled or {}, arrays)
        utterances = self._utterances
        before = utterances.endpoint.state()
        utterances.endpoint.restore(endpoint)
        try:
            of_search = {
                name.removeprefix("search."): one for name, one in arrays.items() if name.startswith("search.")
            }
            utterances.search.restore(searched, of_search)
        except Exception:
            utterances.endpoint.restore(before)
            raise
        self._heard, self._resampler = heard, resampler
        utterances.frames, utterances.begun, self.finished = frames, begun, finished

    def _resampled(self, rate: int | None) -> Resampler:
        rate = self._trained.rate if rate is None else rate
        require_rate(rate, "what was pushed")
        if self._resampler is None:
            self._resampler = Resampler(int(rate), self._trained.rate)
        elif self._resampler.rate != rate:
            raise DataError(
                f"`rate` (={rate}) was {self._resampler.rate} before: expected one rate for all that is pushed; begin "
                "anew with `reset()`"
            )
        return self._resampler

    def _heard_on(self, samples: Float32[np.ndarray, " samples"]) -> dict[str, Any]:
        lattice, levels, self._heard = self._trained.listener.hear(samples, self._heard)
        words, over = self._utterances.push(lattice, levels)
        return {"words": self._told(words), "partial": self._utterances.search.partial(), "endpoint": over}

    def _told(self, words: list[Word]) -> list[dict[str, Any]]:
        """Words as they are answered."""
        return [word._asdict() for word in self._trained.believed(words)]

    def _state_in(self, arrays: Mapping[str, np.ndarray]) -> Heard:
        """How far audio was heard, of a snapshot.

        Raises:
            SnapshotError: it is not as it must be.
        """
        zero = self._trained.listener.begin()
        layers: list[Tensor | tuple[Tensor, Tensor]] = []
        for depth, state in enumerate(zero.state.layers):
            found = [
                _finite(arrays, f"state.{depth}.{part}", tuple(one.shape)) for part, one in enumerate(_parts(state))
            ]
            layers.append((found[0], found[1]) if len(found) == 2 else found[0])
        seen = _finite(arrays, "seen", tuple(zero.state.seen.shape))
        rest = _finite(arrays, "rest", (None,)).numpy()
        if len(rest) > self._trained.rate:
            raise damaged("it holds more samples than wait for a frame")
        room = self._room_in(arrays) if self._trained.scale.follows else zero.room
        return Heard(rest, State(seen, tuple(layers)), room)

    def _room_in(self, arrays: Mapping[str, np.ndarray]) -> Room:
        mean = _finite(arrays, "room.mean", (len(self._trained.scale.mean),)).numpy()
        heard = require(arrays, "room.heard", (1,), np.float64)
        if not heard[0] >= 1:
            raise damaged("it does not say how much was heard of the room")
        return Room(mean, float(heard[0]))


def _parts(state: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


def _finite(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int | None, ...]) -> Tensor:
    found = require(arrays, name, shape, np.float32)
    if not np.isfinite(found).all():
        raise damaged(f"the array {name!r} holds numbers that are not finite")
    return torch.from_numpy(found)


def _resampler_of(rate: int, wanted: int, numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Resampler:
    held = _finite(arrays, "held", (None,)).numpy()
    match numbers:
        case {"segment": int(segment), "next": int(next_)} if (
            segment >= 0 and 0 <= next_ <= (SEGMENT + BEFORE) * wanted and len(held) <= (SEGMENT + BEFORE + 1) * rate
        ):
            pass
        case _:
            raise damaged("it does not say how far the audio was resampled")
    try:
        require_rate(rate, "the stream")
    except DataError as error:
        raise damaged(str(error)) from None
    found = Resampler(rate, wanted)
    found.restore(segment, next_, held)
    return found

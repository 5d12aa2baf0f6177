"""What training a task that writes leaves behind, and how it writes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.trained import TrainedModel
from sluicegate.training import Curve

from .ensemble import Ensemble, Writers
from .network import Shape
from .pairs import padded
from .search import Beam, Hypothesis, search
from .slots import fill
from .subwords import END, Subwords

SUBWORDS = "subwords.json"
_TOKENS = 8192  # of a batch's sources, times hypotheses, at most


class Text(NamedTuple):
    """A text that was written."""

    text: str
    score: float
    """The logarithm of its probability over a power of its length: of texts for one source, the highest is best."""
    confidence: list[float]
    """The probability of each of its words, given the source and the words before."""


class Read(NamedTuple):
    """What is read of a text."""

    tokens: tuple[int, ...]
    slots: dict[str, str]
    """What was held out of it, by the letters in its place."""

    def filled(self, texts: list[Text]) -> list[Text]:
        """What was written, with what was held out."""
        return [one._replace(text=fill(one.text, self.slots)) for one in texts] if self.slots else texts


@dataclass(frozen=True)
class TrainedWriter(TrainedModel):
    """The networks, and all that their use needs beside texts.

    Args:
        columns: of sources and targets.
        subwords: cut texts.
        shape: the sizes of the networks.
        model: the networks.
        pairs: how many pairs training had.
        curve: the learning curve.
    """

    columns: tuple[str, str]
    subwords: Subwords
    shape: Shape
    model: Ensemble
    pairs: int
    curve: Curve

    @cached_property
    def writers(self) -> Writers:
        """The networks, laid out to write."""
        return self.model.laid_out()

    @abstractmethod
    def parts(self, tokens: list[int]) -> list[list[int]]:
        """What is read of a text, one part after the other, each of which something is written for."""

    def read(self, text: str, tokens: list[int]) -> list[Read]:
        """The parts of a text, with slots for what is held out of each."""
        parts, holding = self.parts(tokens), self.subwords.holding
        if holding is None:
            return [Read(tuple(part), {}) for part in parts]
        texts = [text] if len(parts) == 1 else [self.subwords.decode(part) for part in parts]
        held = [holding.hold(one) for one in texts]
        return [
            Read(tuple(self.subwords.encode([one.text])[0]) if one.slots else tuple(part), one.slots)
            for one, part in zip(held, parts, strict=True)
        ]

    def write(self, texts: Sequence[str], beam: Beam) -> list[list[Text]]:
        """The most probable texts for each source, best first; for a blank one nothing but the blank text."""
        of_rows = [self.read(text, tokens) for text, tokens in zip(texts, self.subwords.encode(texts), strict=True)]
        # What comes twice is written once, whatever its numbers.
        parts = list(dict.fromkeys(part.tokens for several in of_rows for part in several))
        kinds = self.subwords.kinds
        written: dict[tuple[int, ...], list[Text]] = {}
        for numbers in _alike([len(part) for part in parts], max(1, _TOKENS // beam.width)):
            some = Ragged.of([np.array(parts[number], dtype=np.int32) for number in numbers])
            found = search(self.writers, *padded(some, last=END), beam, kinds)
            written |= {
                parts[number]: [self._text(one) for one in several]
                for number, several in zip(numbers, found, strict=True)
            }
        return [_joined([part.filled(written[part.tokens]) for part in several]) for several in of_rows]

    def _text(self, hypothesis: Hypothesis) -> Text:
        confidence: list[float] = []
        for token, chance in zip(hypothesis.tokens, hypothesis.chances, strict=False):
            if not confidence or self.subwords.begins_word(token):
                confidence.append(0.0)
            confidence[-1] += chance
        return Text(self.subwords.decode(hypothesis.tokens), hypothesis.score, np.exp(confidence).tolist())

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "columns": list(self.columns),
            "shape": asdict(self.shape),
            "members": len(self.model.members),
            "pairs": self.pairs,
            "curve": asdict(self.curve),
        }

    def further_files(self) -> dict[str, bytes]:
        """The sub-words, and what the simple method learnt."""
        return {SUBWORDS: self.subwords.to_json().encode(), **self.of_method()}

    @abstractmethod
    def of_method(self) -> dict[str, bytes]:
        """The files of the simple methods."""

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}


def _joined(parts: list[list[Text]]) -> list[Text]:
    """The texts of a source that was read in parts: the best of each together, then the second ones."""
    if len(parts) == 1:
        return parts[0]
    return [
        Text(
            " ".join(one.text for one in several),
            sum(one.score for one in several) / len(several),
            [chance for one in several for chance in one.confidence],
        )
        for several in zip(*parts, strict=False)
    ] or [Text("", 0.0, [])]


def _alike(lengths: list[int], tokens: int) -> list[list[int]]:
    """Texts of about the same lengths together.

    Args:
        lengths: of the texts.
        tokens: of those that are put together, padded, at most.
    """
    groups: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or (len(groups[-1]) + 1) * (lengths[row] + 1) > tokens:
            groups.append([])
        groups[-1].append(row)
    return groups

"""What training a transcriber leaves behind, and its form on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float32
from pydantic import Field

from sluicegate import bundle
from sluicegate.data.audio import LEAST_RATE, MOST_RATE
from sluicegate.tasks.restoring import (
    Count,
    CurveSchema,
    Factor,
    Few,
    Saved,
    Share,
    Size,
    Text,
    damaged,
    read_json,
    require,
    restored,
)
from sluicegate.tasks.trained import WEIGHTS, TrainedModel
from sluicegate.training import Curve
from sluicegate.types import Cell

from .alphabet import Alphabet
from .baselines.methods import Baselines
from .baselines.saved import BaselinesSchema, require_baselines
from .calibration import Calibration
from .config import TranscriberConfig
from .features import FRAME, STACK, Scale, bins_of
from .network import Network, Shape
from .running import Listener
from .search.lexicon import Lexicon
from .search.search import Beam, Search
from .search.word_model import ORDER, WordModel
from .transcript import Transcript, Word
from .utterances import Utterances

WORDS = "words.json"
SILENCE = 0.5
"""Seconds of it after which an utterance is over."""

_METHOD = "method."  # before the names of the simple methods' arrays


class _Shape(Saved):
    values: Size
    tokens: Size
    hidden: Size
    layers: Few
    cell: Cell
    dropout: Share
    streaming: bool


class _Calibration(Saved):
    slope: Annotated[float, Field(gt=0, le=1e3)]
    by_length: Annotated[float, Field(ge=-1e3, le=1e3)]
    shift: Annotated[float, Field(ge=-1e3, le=1e3)]


class _Config(Saved):
    settings: TranscriberConfig
    columns: dict[Text, Text]
    arrays: Annotated[int, Field(ge=LEAST_RATE, le=MOST_RATE)] | None
    rate: Literal[8000, 16000]
    tokens: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=2**16)]
    shape: _Shape
    recordings: Count
    seconds: Annotated[float, Field(ge=0, le=1e12)]
    language_weight: Factor
    word_bonus: Factor
    common: Text
    added: dict[Text, Annotated[float, Field(ge=-1e6, le=1e6)]]
    baselines: BaselinesSchema
    calibration: _Calibration
    least: Share = 0.0
    follows: bool = False  # as models of the first kind, which do not say it
    curve: CurveSchema


class _Words(Saved):
    names: Annotated[list[Text], Field(max_length=2**24)]


@dataclass(frozen=True)
class Trained(TrainedModel):
    """The network, and all that its use needs beside audio.

    Args:
        columns: of a table, by what they are for: `audio`, `text`, and `group` if there was one.
        arrays_rate: of arrays, in Hz, where training had such; of those that come without a rate later.
        rate: of the audio that the network hears, in Hz.
        alphabet: what it writes.
        scale: of its features.
        shape: its sizes.
        model: the network.
        recordings: how many training had.
        seconds: of all of them.
        language: what is known of words.
        language_weight: the power of what is known of words in search.
        word_bonus: what each word adds to the logarithm of a text's probability there.
        common: the text that was said most often in training: the simplest of all methods.
        baselines: the other simple methods.
        curve: the learning curve.
        calibration: makes of what the search says of a word how often such a word is right.
        least: the confidence, as a search says it, below which a word is not told.
        added: words that were added after training, and what each adds to the logarithm of a text's probability.
    """

    config: ClassVar[type[TranscriberConfig]] = TranscriberConfig

    columns: Mapping[str, str]
    arrays_rate: int | None
    rate: int
    alphabet: Alphabet
    scale: Scale
    shape: Shape
    model: Network
    recordings: int
    seconds: float
    language: WordModel
    language_weight: float
    word_bonus: float
    common: str
    baselines: Baselines
    curve: Curve
    calibration: Calibration
    least: float = 0.0
    added: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def listener(self) -> Listener:
        """The network, laid out to hear on and on."""
        return Listener(self.model, self.scale, self.rate)

    @cached_property
    def _knowing(self) -> WordModel:
        """What is known of words, with those that were added."""
        return self.language.with_words(self.added) if self.added else self.language

    def search(
        self,
        width: int,
        *,
        weight: float | None = None,
        lexicon: Lexicon | None = None,
        hot_words: Mapping[str, float] = {},
    ) -> Search:
        """A search that nothing was said to yet.

        Args:
            width: of its beam.
            weight: the power of what is known of words; None is what training found.
            lexicon: what is allowed; None for all.
            hot_words: what each adds to the logarithm of a text's probability.
        """
        weight = self.language_weight if weight is None else weight
        bonus = self.word_bonus if weight else 0.0
        beam = Beam(width=width, language_weight=weight, word_bonus=bonus, least=self.least)
        language = self._knowing if weight else None
        hot_words = {word: bonus for word, bonus in self.added.items() if bonus} | dict(hot_words)
        return Search(self.alphabet.tokens, beam, frame=FRAME, language=language, lexicon=lexicon, hot_words=hot_words)

    def transcribe(self, blocks: Iterable[Float32[np.ndarray, " samples"]], search: Search) -> Transcript:
        """What is said in audio, of which blocks come one after the other; utterances end as in a stream."""
        utterances, words = Utterances(search, SILENCE), list[Word]()
        for lattice, levels in self.listener.heard(blocks):
            words += utterances.push(lattice, levels)[0]
        words = self.believed([*words, *utterances.end()])
        return Transcript(" ".join(word.text for word in words), words, utterances.score)

    def believed(self, words: Sequence[Word]) -> list[Word]:
        """Words of a search with a confidence that is calibrated."""
        return [word._replace(confidence=self.calibration.of(word.text, word.confidence)) for word in words]

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "columns": dict(self.columns),
            "arrays": self.arrays_rate,
            "rate": self.rate,
            "tokens": list(self.alphabet.tokens),
            "shape": asdict(self.shape),
            "recordings": self.recordings,
            "seconds": self.seconds,
            "language_weight": self.language_weight,
            "word_bonus": self.word_bonus,
            "common": self.common,
            "added": dict(self.added),
            "baselines": self.baselines.settings(),
            "calibration": asdict(self.calibration),
            "least": self.least,
            "follows": self.scale.follows,
            "curve": asdict(self.curve),
        }

    def further_files(self) -> dict[str, bytes]:
        """The words of the training texts."""
        return {WORDS: _Words(names=list(self.language.names)).model_dump_json().encode()}

    def arrays(self) -> dict[str, np.ndarray]:
        """The scale of the features, the training texts in the numbers of their words, and the simple methods."""
        own = {"mean": self.scale.mean, "spread": self.scale.spread, "words": self.language.words}
        return own | {f"{_METHOD}{name}": array for name, array in self.baselines.arrays().items()}

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        config = read_json(saved, bundle.CONFIG, _Config)
        shape = Shape(**config.shape.model_dump())
        _require_consistent(saved, config)
        names = read_json(saved, WORDS, _Words).names
        bins = bins_of(config.rate)
        require(saved, cls.arrays_file, arrays, "mean", (bins,), np.float32)
        require(saved, cls.arrays_file, arrays, "spread", (bins,), np.float32, least=1e-3)
        require(saved, cls.arrays_file, arrays, "words", (None,), np.int32, least=0.0, most=float(len(names)))
        require_baselines(saved, cls.arrays_file, arrays, config.baselines, _METHOD)
        return cls(
            columns=config.columns,
            arrays_rate=config.arrays,
            rate=config.rate,
            alphabet=Alphabet(tuple(config.tokens)),
            scale=Scale(arrays["mean"], arrays["spread"], config.follows),
            shape=shape,
            model=restored(saved, WEIGHTS, lambda: Network(shape)),
            recordings=config.recordings,
            seconds=config.seconds,
            language=WordModel(tuple(names), arrays["words"], ORDER),
            language_weight=config.language_weight,
            word_bonus=config.word_bonus,
            common=config.common,
            baselines=Baselines.restored(
                {name.removeprefix(_METHOD): array for name, array in arrays.items() if name.startswith(_METHOD)},
                config.baselines.settings(),
            ),
            curve=Curve(**config.curve.model_dump()),
            calibration=Calibration(**config.calibration.model_dump()),
            least=config.least,
            added=config.added,
        )


def _require_consistent(saved: bundle.Bundle, config: _Config) -> None:
    shape = config.shape
    if len(set(config.tokens)) != len(config.tokens) or shape.tokens != len(config.tokens) + 1:
        raise damaged(saved, bundle.CONFIG, f"tokens: they must be {shape.tokens - 1} different ones")
    if shape.values != STACK * bins_of(config.rate):
        raise damaged(saved, bundle.CONFIG, f"shape.values: expected {STACK * bins_of(config.rate)}")
    if not {"audio", "text"} <= config.columns.keys():
        raise damaged(saved, bundle.CONFIG, "columns: they must name audio and text")


def most_common(texts: Sequence[str]) -> str:
    """The text that comes most often, of several the first in order."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    return min(counts, key=lambda text: (-counts[text], text))

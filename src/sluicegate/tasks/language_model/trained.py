"""What training a language model leaves behind, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Int64
from pydantic import Field
from torch import Tensor

from sluicegate import bundle
from sluicegate.data.words import clean
from sluicegate.tasks.generation.schema import restored_subwords
from sluicegate.tasks.generation.subwords import BEGIN, END, MARK, Subwords
from sluicegate.tasks.generation.trained import SUBWORDS
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

from .config import LanguageModelConfig
from .ensemble import Ensemble
from .five_gram import FiveGram
from .measuring import Cache
from .network import Network, Shape
from .reading import Reader

WORDS = "words.json"


class _Shape(Saved):
    tokens: Size
    cuts: Annotated[list[Size], Field(max_length=8)]
    embedding: Size
    hidden: Size
    layers: Few
    cell: Cell
    dropout: Share


class _Cache(Saved):
    size: Size
    sharpness: Factor
    share: Share


class _Config(Saved):
    settings: LanguageModelConfig
    column: Text
    shape: _Shape
    members: Few | None = None  # which earlier versions did not keep, whose file of weights is that of one network
    words: Count
    per_word: Factor
    cache: _Cache
    curve: CurveSchema


class _Words(Saved):
    names: Annotated[list[Text], Field(max_length=2**24)]


@dataclass(frozen=True)
class Trained(TrainedModel):
    """The networks, and all that their use needs beside texts.

    Args:
        column: of a table, where texts are.
        subwords: cut texts.
        shape: the sizes of the networks.
        model: the networks.
        words: how many words training had, with the ends of lines.
        per_word: tokens of a word in training.
        cache: the memory that told the validation part best.
        curve: the learning curve.
        five_gram: the simple method.
    """

    config: ClassVar[type[LanguageModelConfig]] = LanguageModelConfig

    column: str
    subwords: Subwords
    shape: Shape
    model: Ensemble
    words: int
    per_word: float
    cache: Cache
    curve: Curve
    five_gram: FiveGram

    @cached_property
    def reader(self) -> Reader:
        """The networks, laid out to read on and on."""
        return Reader(self.model.networks)

    def prompt(self, text: str) -> Int64[Tensor, " tokens"]:
        """The beginning of a text, of which the last line is not at its end, and what stands before it."""
        *lines, last = clean(text).replace("\r\n", "\n").split("\n")
        found = [BEGIN]
        for line in self.subwords.encode(lines):
            found += [*line, END]
        return torch.tensor([*found, *self.subwords.encode([last])[0]])

    def shown(self, token: int) -> str:
        """A token as people read it: a space stands before what begins a word."""
        return "\n" if token == END else (self.subwords.tokenizer.id_to_token(token) or "").replace(MARK, " ")

    def continued(self, text: str, tokens: Sequence[int]) -> str:
        """A text with what was written behind it."""
        text, several = clean(text), [*tokens]
        while several:
            end = several.index(END) if END in several else len(several)
            line = several[:end]
            apart = line and self.subwords.kinds.begins[line[0]] and text and not text[-1].isspace()
            text += (" " if apart else "") + self.subwords.decode(line) + ("\n" if end < len(several) else "")
            several = several[end + 1 :]
        return text

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "column": self.column,
            "shape": asdict(self.shape),
            "members": len(self.model.networks),
            "words": self.words,
            "per_word": self.per_word,
            "cache": self.cache._asdict(),
            "curve": asdict(self.curve),
        }

    def further_files(self) -> dict[str, bytes]:
        """The sub-words, and the words of the simple method."""
        names = _Words(names=list(self.five_gram.names))
        return {SUBWORDS: self.subwords.to_json().encode(), WORDS: names.model_dump_json().encode()}

    def arrays(self) -> dict[str, np.ndarray]:
        """The training texts in the numbers of these words."""
        return {"words": self.five_gram.words}

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        config = read_json(saved, bundle.CONFIG, _Config)
        fields = config.shape.model_dump()
        shape = Shape(**{**fields, "cuts": tuple(fields["cuts"])})
        if not all(a < b for a, b in zip((0, *shape.cuts), (*shape.cuts, shape.tokens), strict=True)):
            raise damaged(saved, bundle.CONFIG, f"shape.cuts: they must ascend to below {shape.tokens}")
        names = read_json(saved, WORDS, _Words).names
        require(saved, cls.arrays_file, arrays, "words", (None,), np.int32, least=0.0, most=float(len(names)))
        return cls(
            column=config.column,
            subwords=restored_subwords(saved, shape.tokens),
            shape=shape,
            model=_restored(saved, shape, config.members),
            words=config.words,
            per_word=config.per_word,
            cache=Cache(**config.cache.model_dump()),
            curve=Curve(**config.curve.model_dump()),
            five_gram=FiveGram(tuple(names), arrays["words"]),
        )


def _restored(saved: bundle.Bundle, shape: Shape, members: int | None) -> Ensemble:
    """The networks of a saved model; of the single one of an earlier version the weights had no number."""
    if members is None:
        return Ensemble([restored(saved, WEIGHTS, lambda: Network(shape))]).eval()
    return restored(saved, WEIGHTS, lambda: Ensemble(Network(shape) for _ in range(members)))

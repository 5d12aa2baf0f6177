"""What training a summarizer leaves behind, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.generation.schema import WriterSchema, restored_writer
from sluicegate.tasks.generation.search import Beam
from sluicegate.tasks.generation.trained import TrainedWriter
from sluicegate.tasks.restoring import Factor, Saved, Size, Text, read_json

from .config import SummarizerConfig
from .extracts import Weights

WEIGHED = "words.json"
_RUN = 3  # sub-words that no summary has twice, as Paulus et al. 2018


class _Config(WriterSchema):
    settings: SummarizerConfig
    reads: Size
    writes: Size


class _Weights(Saved):
    by_word: Annotated[dict[Text, Factor], Field(max_length=2**20)]
    others: Factor


@dataclass(frozen=True)
class Trained(TrainedWriter):
    """The networks, and how much words tell.

    Args:
        reads: sub-words of a text that are read.
        writes: sub-words of a summary at most.
        weights: how much words tell.
    """

    config: ClassVar[type[SummarizerConfig]] = SummarizerConfig

    reads: int
    writes: int
    weights: Weights

    def parts(self, tokens: list[int]) -> list[list[int]]:
        """The beginning of a text."""
        return [tokens[: self.reads]] if tokens else []

    def beam(self, config: SummarizerConfig, words: int | None = None) -> Beam:
        """How summaries are searched for, of so many words at most: none says the same three sub-words twice."""
        return Beam(config.beam, config.penalty, factor=0.0, further=self.writes, unrepeated=_RUN, words=words)

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {**super().settings(), "reads": self.reads, "writes": self.writes}

    def of_method(self) -> dict[str, bytes]:
        """How much words tell."""
        held = _Weights(by_word=dict(self.weights.by_word), others=self.weights.others)
        return {WEIGHED: held.model_dump_json().encode()}

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        del arrays
        config = read_json(saved, bundle.CONFIG, _Config)
        held = read_json(saved, WEIGHED, _Weights)
        return cls(
            **restored_writer(saved, config),
            reads=config.reads,
            writes=config.writes,
            weights=Weights(held.by_word, held.others),
        )

"""What training a translator leaves behind, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.generation.schema import WriterSchema, restored_writer
from sluicegate.tasks.generation.trained import TrainedWriter
from sluicegate.tasks.restoring import Saved, Text, read_json

from .config import TranslatorConfig
from .dictionary import Dictionary

DICTIONARY = "dictionary.json"
_READ = 200  # sub-words that are read at once, at most


class _Config(WriterSchema):
    settings: TranslatorConfig


class _Dictionary(Saved):
    method: Literal["ibm model 1"]
    words: Annotated[dict[Text, Text], Field(max_length=2**22)]


@dataclass(frozen=True)
class Trained(TrainedWriter):
    """The networks, and the dictionary beside them."""

    config: ClassVar[type[TranslatorConfig]] = TranslatorConfig

    dictionary: Dictionary

    def parts(self, tokens: list[int]) -> list[list[int]]:
        """A long text in sentences, or some of them together."""
        return self.subwords.parts(tokens, _READ)

    def of_method(self) -> dict[str, bytes]:
        """The dictionary."""
        held = _Dictionary(method="ibm model 1", words=self.dictionary.words)
        return {DICTIONARY: held.model_dump_json().encode()}

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        del arrays
        config = read_json(saved, bundle.CONFIG, _Config)
        words = read_json(saved, DICTIONARY, _Dictionary).words
        return cls(**restored_writer(saved, config), dictionary=Dictionary(words))

"""What training a translator leaves behind, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.generation.schema import WriterSchema, restored_writer
from sluicegate.tasks.generation.trained import TrainedWriter
from sluicegate.tasks.restoring import Saved, Size, Text, read_json

from .config import TranslatorConfig
from .dictionary import Dictionary

DICTIONARY = "dictionary.json"
_READ = 200  # sub-words of a sentence; a longer one is cut between words


class _Config(WriterSchema):
    settings: TranslatorConfig
    reads: Size


class _Dictionary(Saved):
    method: Literal["ibm model 1"]
    words: Annotated[dict[Text, Text], Field(max_length=2**22)]


@dataclass(frozen=True)
class Trained(TrainedWriter):
    """The networks, and the dictionary beside them.

    Args:
        reads: sub-words of a text beyond which it is read sentence by sentence.
        dictionary: of words.
    """

    config: ClassVar[type[TranslatorConfig]] = TranslatorConfig

    reads: int
    dictionary: Dictionary

    def parts(self, tokens: list[int]) -> list[list[int]]:
        """A text as it is, or its sentences where it is longer than those of training."""
        if len(tokens) <= self.reads:
            return [tokens] if tokens else []
        return self.subwords.sentences(tokens, _READ)

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {**super().settings(), "reads": self.reads}

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
        return cls(**restored_writer(saved, config), reads=config.reads, dictionary=Dictionary(words))

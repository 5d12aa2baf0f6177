"""The words that a classifier knows, and the embedding of each at the start.

A fit comes back for the latter: words start from their neighbours in the texts, which must be cut into tokens first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sluicegate.data.vectors import VectorFile, Vectors
from sluicegate.data.words import RankedWords, WordTokenizer
from sluicegate.errors import ConfigError
from sluicegate.runtime.texts.ragged import Ragged

from .config import TextClassifierConfig
from .cooccurrence import vectors_of


@dataclass(frozen=True)
class Covered:
    """How many of the words have a vector from a file.

    Args:
        source: what the file is called.
        found: words that have one.
        words: the words of the training texts that are whole in the vocabulary.
    """

    source: str
    found: int
    words: int

    def fact(self) -> str:
        """For a report."""
        return f"{self.found:,} of {self.words:,} words from {self.source}"


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer, and the vectors of its words that come from elsewhere.

    Args:
        tokenizer: cuts texts into tokens.
        without_rare: the same, but reads words that occur once in pieces, as those that training did not have; None
            where the tokenizer itself does.
        embedding: the embedding dimension.
        vectors: from a file, if one was given.
        covered: how many words have one.
    """

    tokenizer: WordTokenizer
    without_rare: WordTokenizer | None
    embedding: int
    vectors: Vectors | None
    covered: Covered | None

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        ranked: RankedWords,
        least: int,
        config: TextClassifierConfig,
        file: VectorFile | None,
    ) -> Vocabulary:
        """The words that occur `least` times, and with a file of vectors rarer ones that it has too.

        Raises:
            ConfigError: `embedding` is another number than the file's.
            DataError: the file cannot be used.
        """
        known, often = (ranked.most_frequent(config.words, times) for times in (1, 2))
        also: tuple[str, ...] = ()
        vectors = None
        if file is not None:
            if config.embedding not in (None, file.dimension):
                raise ConfigError(
                    f"`embedding` (={config.embedding}) must be {file.dimension}, the embedding dimension of "
                    f"{file.path}; leave `embedding` out, or give other vectors"
                )
            vectors = file.of(known, lowercase=config.lowercase)
            also = vectors.words
        tokenizer = WordTokenizer.train(
            texts, words=config.words, least=least, lowercase=config.lowercase, also=also, ranked=ranked
        )
        without_rare = tokenizer.without(set(known).difference(often, also)) if least == 1 else None
        if file is None or vectors is None:
            return cls(tokenizer, without_rare, config.reads, None, None)
        whole = set(tokenizer.tokens()).intersection(known)
        return cls(tokenizer, without_rare, file.dimension, vectors, Covered(vectors.source, len(also), len(whole)))

    def start(self, corpus: Ragged) -> Float32[np.ndarray, "tokens width"]:
        """The vectors of all tokens, of mean square 1 each: from the file, or from their neighbours in the texts."""
        found = vectors_of(corpus, len(self.tokenizer), self.embedding)
        if self.vectors is not None and len(self.vectors.words):
            numbers = {token: number for number, token in enumerate(self.tokenizer.tokens())}
            rows = np.array([numbers[word] for word in self.vectors.words])
            # All of one length, as those from the neighbours: an outlier would dwarf the rest under a common scale.
            values = self.vectors.values.astype(np.float64)
            found[rows] = values / np.sqrt((values**2).mean(1, keepdims=True))
        return found

"""What the network writes: characters; sub-words where training has many texts; whole words where these are few."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sluicegate.tasks.generation.subwords import FIRST, MARK, Subwords

BLANK = 0
"""The number of CTC's blank; that of the first token is 1."""

_MANY = 100_000  # words of all texts from which sub-words are found
_SUBWORDS = 500  # of them
_FEW, _OFTEN = 100, 20  # different words at most, each of them so often on average, for whole words to be tokens
_RARE = 1e-5  # a character's share of all below which it is not written


def tidied(text: str) -> str:
    """A text in Unicode's composed form, with single spaces between its words and none around them."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@dataclass(frozen=True)
class Alphabet:
    """The tokens, numbered from 1 on.

    Args:
        tokens: characters, a space among them; or sub-words or words, of which `MARK` begins one that begins a word.
    """

    tokens: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str], size: int | None = None) -> Alphabet:
        """Choose the tokens for texts.

        Args:
            texts: those of training, tidied.
            size: how many sub-words; 0 for characters, None chooses by how many words there are: of few different ones
                each is a token, for which a network needs to hear them often, and can then tell them apart best.
        """
        if size is None:
            words = Counter(word for text in texts for word in text.split())
            if 0 < len(words) <= _FEW and words.total() >= _OFTEN * len(words):
                return cls(tuple(MARK + word for word in sorted(words)))
            size = _SUBWORDS if words.total() >= _MANY else 0
        if size:
            found = Subwords.of(texts, size)
            counts = Counter(token for tokens in found.encode(texts) for token in tokens if token >= FIRST)
            several = [found.tokenizer.id_to_token(token) or "" for token in sorted(counts)]
            if several:
                return cls(tuple(several))
        letters = Counter(letter for text in texts for letter in text)
        least = _RARE * sum(letters.values())
        return cls(tuple(sorted(letter for letter, count in letters.items() if count >= least)))

    def __len__(self) -> int:
        """How many there are, with the blank."""
        return len(self.tokens) + 1

    @property
    def subwords(self) -> bool:
        """Whether they are sub-words."""
        return any(token.startswith(MARK) for token in self.tokens)

    @property
    def words(self) -> bool:
        """Whether they are whole words."""
        return all(token.startswith(MARK) for token in self.tokens)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens, 1)}

    @cached_property
    def _longest(self) -> int:
        return max((len(token) for token in self.tokens), default=1)

    def encode(self, text: str) -> list[int]:
        """The tokens of a tidied text, of those that fit the longest first; characters that none has are left out."""
        text = MARK + text.replace(" ", MARK) if self.subwords and text else text
        found, begin = [], 0
        while begin < len(text):
            ends = range(min(len(text), begin + self._longest), begin, -1)
            end = next((end for end in ends if text[begin:end] in self._numbers), None)
            if end is not None:
                found.append(self._numbers[text[begin:end]])
            begin = begin + 1 if end is None else end
        return found

    def unknown(self, text: str) -> str:
        """The characters of a tidied text that no token has, each once."""
        known = set("".join(self.tokens)) | {" "}
        return "".join(dict.fromkeys(letter for letter in text if letter not in known))

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without blanks."""
        text = "".join(self.tokens[token - 1] for token in tokens if token != BLANK)
        return " ".join(text.replace(MARK, " ").split())


def least_frames(tokens: Sequence[int]) -> int:
    """How many frames CTC needs for tokens: one for each, and a blank between two that are equal."""
    return len(tokens) + sum(one == other for one, other in pairwise(tokens))

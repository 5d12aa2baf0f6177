"""Texts as numbers of sub-words, and back.

The sub-words are found by byte-pair encoding (Sennrich et al. 2016) in the texts of both sides together, so that a name
is cut alike in either. What training never saw, in any script, is spelled in bytes: nothing is unknown.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from .marks import MARK as MARK
from .slots import SLOTS, Holding

PAD, BEGIN, END = 0, 1, 2
SPECIAL = ("<pad>", "<begin>", "<end>")
"""Sub-words that stand for no text."""

_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
FIRST = len(SPECIAL) + len(_BYTES)
"""The number of the first sub-word that is neither special nor a byte."""

_ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f")  # of sentences
_SPELLED = 3  # bytes of such an end at most
_LEAST, _MOST = 1000, 32_000
_AT, _WORDS = 6000, 700_000  # 29,000 pairs of short sentences have so many words, and that many sub-words suit them


class Kinds(NamedTuple):
    """What search must know of sub-words, by their numbers."""

    begins: Bool[Tensor, " tokens"]
    """A space stands before it."""
    bare: Bool[Tensor, " tokens"]
    """It is that space alone, which letters follow that are rare or spelled in bytes."""
    spaces: Bool[Tensor, " tokens"]
    """It is a byte of white space, which no text has, for a space is a mark."""
    slots: Int64[Tensor, " slots"] = torch.empty(0, dtype=torch.int64)
    """The numbers of those that stand for what is held out of a source, each of which a text has as often as it."""


@dataclass(frozen=True)
class Subwords:
    """Cuts texts into sub-words.

    Args:
        tokenizer: does it.
    """

    tokenizer: Tokenizer

    @classmethod
    def of(cls, texts: Collection[str], size: int, slots: Collection[str] = ()) -> Subwords:
        """Find the sub-words of texts.

        Args:
            texts: those of training, of both sides.
            size: how many sub-words at most, beside those for bytes; half of them at most are single letters.
            slots: letters beside those of the texts, which stand for what is held out of them.
        """
        tokenizer = Tokenizer(models.BPE(byte_fallback=True))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Metaspace(),
                # A mark, and a digit, is a sub-word of its own: numbers are copied digit by digit.
                pre_tokenizers.Split(Regex(r"[^\w\s\u2581]|\d"), "isolated"),
            ]
        )
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(), decoders.Fuse()])
        letters = sorted({*_letters(texts, max(1, size // 2)), *slots})
        trainer = trainers.BpeTrainer(
            vocab_size=size + FIRST + len(slots),
            special_tokens=[*SPECIAL, *_BYTES],
            show_progress=False,
            initial_alphabet=letters,
            limit_alphabet=len(letters),
        )
        tokenizer.train_from_iterator(texts, trainer)
        # What stands for no text would be found in texts too, such as "<end>": it is left in the vocabulary alone.
        return cls.from_json(json.dumps(json.loads(tokenizer.to_str()) | {"added_tokens": []}))

    @classmethod
    def from_json(cls, text: str) -> Subwords:
        """What `to_json` wrote.

        Raises:
            ValueError: it is no tokenizer.
        """
        try:
            tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # `tokenizers` raises nothing narrower
            raise ValueError(f"no tokenizer: {error}") from error
        return cls(tokenizer)

    def to_json(self) -> str:
        """All that it is, as JSON text."""
        return self.tokenizer.to_str()

    def __len__(self) -> int:
        """How many sub-words, with those for bytes and the special ones."""
        return self.tokenizer.get_vocab_size()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The sub-words of texts."""
        return [found.ids for found in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def begins_word(self, token: int) -> bool:
        """Tell whether a space stands before a sub-word, or would, if it were not the first."""
        return (self.tokenizer.id_to_token(token) or "").startswith(MARK)

    @cached_property
    def kinds(self) -> Kinds:
        """What search must know of all sub-words."""
        tokens = [self.tokenizer.id_to_token(token) or "" for token in range(len(self))]
        spaces = {name for byte, name in enumerate(_BYTES) if chr(byte).isspace()}
        return Kinds(
            begins=torch.tensor([token.startswith(MARK) for token in tokens]),
            bare=torch.tensor([token == MARK for token in tokens]),
            spaces=torch.tensor([token in spaces for token in tokens]),
            slots=torch.tensor([at for at, token in enumerate(tokens) if token in SLOTS], dtype=torch.int64),
        )

    @cached_property
    def holding(self) -> Holding | None:
        """What is held out of a source, if any of it is."""
        letters = {token for token in self.tokenizer.get_vocab() if len(token) == 1}
        return Holding(frozenset(letters.difference(SLOTS))) if letters.intersection(SLOTS) else None

    def sentences(self, tokens: list[int], most: int) -> list[list[int]]:
        """Cut a text where its sentences end, and a longer one between words.

        Args:
            tokens: of the text.
            most: sub-words of a part, from 1 up.
        """
        parts: list[list[int]] = []
        begin, word = 0, 0  # of the part, and the last word that began in it
        for at, token in enumerate(tokens):
            begins = at > begin and self.begins_word(token)
            if begins and self.decode(tokens[max(begin, at - _SPELLED) : at])[-1:] in _ENDS:
                parts.append(tokens[begin:at])
                begin = at
            elif at - begin == most:
                cut = word if word > begin and not begins else at
                parts.append(tokens[begin:cut])
                begin = cut
            word = at if begins else word
        return [*parts, tokens[begin:]] if tokens else parts

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of sub-words, the special ones left out."""
        return self.tokenizer.decode([token for token in tokens if token >= len(SPECIAL)], skip_special_tokens=False)


def _letters(texts: Iterable[str], most: int) -> list[str]:
    """The most frequent letters of texts, and the mark.

    Left to itself the library keeps those of equal frequency by the order of a hash table, another one in each run.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(unicodedata.normalize("NFC", text))
    counts = Counter({letter: count for letter, count in counts.items() if not letter.isspace() and letter != MARK})
    return sorted([MARK, *sorted(counts, key=lambda letter: (-counts[letter], letter))[: most - 1]])


def suitable(words: int) -> int:
    """How many sub-words suit texts of so many words: as their square root, by which different words grow too."""
    return min(_MOST, max(_LEAST, round(_AT * math.sqrt(words / _WORDS))))

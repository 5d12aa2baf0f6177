"""Texts as numbers of words, and as pieces of words where the vocabulary lacks one; see `sluicegate.data.words`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy import ndarray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

PAD, UNKNOWN, BLANK = 0, 1, 2
"""What fills batches up, a word of letters never seen, and a text without words."""

SPECIAL = ("[PAD]", "[UNK]", "[BLANK]")
CONTINUED = "##"
"""What a piece begins with that goes on with a word."""

STRETCH = 64
"""Letters of a word at most: a longer run without spaces, such as a line of Thai or a key, is cut into such stretches.

The time to look for pieces grows with the square of a word's length, and a word beyond the limit of the library
`tokenizers` would be unknown as a whole.
"""

LONG = 20
"""Letters beyond which a word that occurs once has no number, as its pieces have: hardly ever will it come again."""

_WORD = r"[\w\p{M}]+(?:['\u2019][\w\p{M}]+)*|[^\w\s]"  # apostrophes stay within words; a sign is a token by itself
_BREAK = "\u200b"  # a space of no width, by which Thai, Khmer and Burmese words may be divided
_ALL = 2**31
_AT_ONCE = 4096  # texts that are cut into whole words together
_ENDS = ".!?"  # of sentences


if hasattr(os, "register_at_fork"):
    # A forked process lacks the threads of `tokenizers` too. Left to itself the library warns of it, and where this
    # variable asks for threads it waits for them for ever.
    os.register_at_fork(after_in_child=lambda: os.environ.update(TOKENIZERS_PARALLELISM="false"))


class Capitals(IntEnum):
    """Which letters of a word are capitals; the pieces of a word have those of the whole."""

    NONE = 0
    SENTENCE = 1
    """The first, where a sentence begins."""
    FIRST = 2
    """The first, elsewhere."""
    SOME = 3
    ALL = 4


class Encoded(NamedTuple):
    """Texts as numbers of tokens.

    Args:
        tokens: of each text.
        capitals: of each token, one text after the other.
    """

    tokens: list[ndarray]
    capitals: ndarray


class RankedWords(NamedTuple):
    """The words of texts, the most frequent first.

    Args:
        words: all of them.
        repeated: how many occur twice or more, and thus come before those that occur once.
    """

    words: list[str]
    repeated: int

    def most_frequent(self, most: int, least: int) -> list[str]:
        """Those that occur once or, where `least` is 2, twice at least; `most` at most."""
        return self.words[: min(most, self.repeated if least > 1 else len(self.words))]


Kind = TypeVar("Kind", bound="WordTokenizer")


class WordTokenizer:
    """Cuts texts into words, and words that are not in the vocabulary into the longest pieces that are.

    Texts are normalised first (NFKC, control characters, upper case unless it is kept; ideographs stand alone).

    Args:
        tokenizer: of the library `tokenizers`, whose form on disk it is.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        """How many tokens there are, the special ones included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=False))

    def tokens(self) -> list[str]:
        """The tokens in the order of their numbers."""
        found = self._tokenizer.get_vocab(with_added_tokens=False)
        return sorted(found, key=lambda token: found[token])

    def encode(self, texts: Iterable[str]) -> list[ndarray]:
        """The numbers of each text's tokens; a text without any has the one that stands for it."""
        encoded = self._tokenizer.encode_batch_fast([clean(text) for text in texts], add_special_tokens=False)
        return [np.array(text.ids or [BLANK], dtype=np.int32) for text in encoded]

    def encode_with_capitals(self, texts: Iterable[str]) -> Encoded:
        """The same, and which letters of the words are capitals, which `encode` lets go."""
        texts = [clean(text) for text in texts]
        encoded = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        tokens = [np.array(text.ids or [BLANK], dtype=np.int32) for text in encoded]
        spans, start = [], 0
        for text, found in zip(texts, encoded, strict=True):
            spans.append(np.array(found.offsets or [(0, 0)], dtype=np.int64) + start)  # a blank text has no letters
            start += len(text)
        opening = np.zeros(sum(map(len, tokens)), dtype=bool)
        opening[np.cumsum([0, *map(len, tokens[:-1])])] = True
        inner = self.inner[np.concatenate(tokens)]
        return Encoded(tokens, _capitals("".join(texts), np.concatenate(spans), inner, opening))

    def shares(self, tokens: ndarray) -> tuple[float, float]:
        """The share of words that are unknown, and of those that are read in pieces."""
        inner = self.inner[tokens]
        first = np.flatnonzero(~inner)
        words = max(1, len(first))
        cut = inner[np.minimum(first + 1, len(tokens) - 1)] if len(first) else first
        return float((tokens == UNKNOWN).sum() / words), float(cut.sum() / words)

    @cached_property
    def inner(self) -> ndarray:
        """Which tokens, by number, go on with the word of the one before."""
        numbers = self._tokenizer.get_vocab(with_added_tokens=False)
        inner = np.zeros(1 + max(numbers.values()), dtype=bool)
        inner[[number for token, number in numbers.items() if token.startswith(CONTINUED)]] = True
        return inner

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in a text its tokens are, in characters."""
        encoded = self._tokenizer.encode(clean(text), add_special_tokens=False)
        return [(int(begin), int(end)) for begin, end in encoded.offsets]

    def to_json(self) -> str:
        """The tokenizer as text."""
        return str(self._tokenizer.to_str())

    @classmethod
    def from_json(cls: type[Kind], text: str) -> Kind:
        """What `to_json` wrote.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(Tokenizer.from_str(text))
        except Exception as error:  # the library raises plain exceptions
            raise ValueError(f"no tokenizer: {error}") from error


def words_of(texts: Sequence[str], *, lowercase: bool = True) -> RankedWords:
    """The words of texts.

    Args:
        texts: where they occur.
        lowercase: whether upper and lower case are the same.
    """
    found = []
    for least in (1, 2):
        trainer = trainers.WordLevelTrainer(vocab_size=_ALL, min_frequency=least, show_progress=False)
        found.append(trained_tokens(models.WordLevel(unk_token=SPECIAL[UNKNOWN]), trainer, texts, lowercase))
    return RankedWords(found[0], len(found[1]))


def whole_words(texts: Sequence[str], words: Sequence[str]) -> Iterator[list[ndarray]]:
    """The words of texts, some texts at a time, as their places among the words given, from 1; 0 is another word."""
    numbers = {SPECIAL[UNKNOWN]: 0} | {word: number for number, word in enumerate(words, 1)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=SPECIAL[UNKNOWN]))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer(lowercase=True), cutter()
    for begin in range(0, len(texts), _AT_ONCE):
        some = [clean(text) for text in texts[begin : begin + _AT_ONCE]]
        yield [np.array(text.ids, dtype=np.int32) for text in tokenizer.encode_batch_fast(some)]


def _capitals(
    text: str,
    spans: ndarray,
    inner: ndarray,
    opening: ndarray,
) -> ndarray:
    """Which letters of each token's word are capitals.

    Args:
        text: all texts, one after the other.
        spans: where in it each token is.
        inner: whether a token goes on with the word of the one before.
        opening: whether a token is the first of a text.
    """
    letters = np.frombuffer(f"{text}\0".encode("utf-32-le"), dtype=np.uint32)
    kinds, kind = np.unique(letters, return_inverse=True)
    large, small, ends = (
        np.array([test(chr(letter)) for letter in kinds])[kind]
        for test in (str.isupper, str.islower, lambda letter: letter in _ENDS)
    )
    first = np.flatnonzero(~inner)
    begin, end = spans[first, 0], spans[np.append(first[1:], len(spans)) - 1, 1]
    larges, smalls = (np.concatenate([[0], np.cumsum(are)]) for are in (large, small))
    many, others = larges[end] - larges[begin], smalls[end] - smalls[begin]
    opens = opening[first] | np.append(True, ends[begin[:-1]])
    found = np.full(len(first), Capitals.SOME, dtype=np.uint8)
    found[many == 0] = Capitals.NONE
    found[(many > 1) & (others == 0)] = Capitals.ALL
    found[(many == 1) & large[begin]] = Capitals.FIRST
    found[(found == Capitals.FIRST) & opens] = Capitals.SENTENCE
    each: ndarray = found[np.cumsum(~inner) - 1]
    return each


def trained_tokens(model: models.Model, trainer: trainers.Trainer, texts: Sequence[str], lowercase: bool) -> list[str]:
    """The tokens that a trainer of the library finds, in its order."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer(lowercase), cutter()
    tokenizer.train_from_iterator((clean(text) for text in texts), trainer, length=len(texts))
    found: dict[str, int] = tokenizer.get_vocab(with_added_tokens=False)
    return sorted(found, key=lambda token: found[token])


def normalizer(lowercase: bool) -> normalizers.Normalizer:
    """What texts pass through before they are cut."""
    steps = [
        normalizers.Replace(_BREAK, " "),
        normalizers.NFKC(),
        normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=lowercase
        ),
    ]
    return normalizers.Sequence(steps)


def cutter(known: str | None = None) -> pre_tokenizers.PreTokenizer:
    """Cuts texts into words of `STRETCH` letters at most; letters that are not among those known stand alone."""
    steps = [pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)]
    if known is not None:
        # A word with a letter that has no number would be unknown as a whole.
        steps.append(pre_tokenizers.Split(Regex(f"[^{_ranges(known)}]+"), behavior="isolated"))
    steps.append(pre_tokenizers.Split(Regex(f".{{1,{STRETCH}}}"), behavior="isolated"))
    return pre_tokenizers.Sequence(steps)


def _ranges(letters: str) -> str:
    """Letters in ascending order, as a class of a regular expression."""
    codes = np.array([ord(letter) for letter in letters], dtype=np.int64)
    if not len(codes):
        return r"\x{0}"
    breaks = np.flatnonzero(np.diff(codes) > 1)
    first, last = codes[np.append(0, breaks + 1)], codes[np.append(breaks, len(codes) - 1)]
    return "".join(rf"\x{{{a:x}}}-\x{{{b:x}}}" for a, b in zip(first.tolist(), last.tolist(), strict=True))


def clean(text: str) -> str:
    """A text that can be written as UTF-8: halves of surrogate pairs, which say nothing, become question marks."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def lengths_of(encoded: Sequence[ndarray]) -> ndarray:
    """How many tokens each text has."""
    return np.fromiter((len(text) for text in encoded), dtype=np.int64, count=len(encoded))

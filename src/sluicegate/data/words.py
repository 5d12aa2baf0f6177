"""Texts as numbers of words: a vocabulary from the training texts, and pieces of words for those it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int32, Int64
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

PAD, UNKNOWN, BLANK = 0, 1, 2
"""What fills batches up, a word of letters never seen, and a text without words."""

_SPECIAL = ["[PAD]", "[UNK]", "[BLANK]"]
_WORD = r"[\w\p{M}]+(?:['\u2019][\w\p{M}]+)*|[^\w\s]"  # apostrophes stay within words; a sign is a token by itself
_CONTINUED = "##"
_PIECES = 2000
_ALL = 2**31


class WordTokenizer:
    """Cuts texts into words, and words that are not in the vocabulary into the longest pieces that are.

    Texts are normalised first (NFKC, control characters, upper case unless it is kept; ideographs stand alone).

    Args:
        tokenizer: of the library `tokenizers`, whose form on disk it is.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def train(
        cls, texts: Sequence[str], *, words: int, least: int, lowercase: bool = True, also: Iterable[str] = ()
    ) -> WordTokenizer:
        """Make a vocabulary.

        Args:
            texts: the training texts.
            words: how many whole words it holds at most, the most frequent.
            least: how often a word must occur to be whole.
            lowercase: whether upper and lower case are the same.
            also: words that are whole however often they occur, beyond the most frequent ones.
        """
        whole = words_of(texts, words, least, lowercase=lowercase)
        vocabulary = {token: number for number, token in enumerate(_SPECIAL)}
        for token in (*whole, *also, *_pieces_of(texts, least, lowercase)):
            vocabulary.setdefault(token, len(vocabulary))
        tokenizer = Tokenizer(
            models.WordPiece(
                vocabulary,
                unk_token=_SPECIAL[UNKNOWN],
                continuing_subword_prefix=_CONTINUED,
                max_input_chars_per_word=100,
            )
        )
        tokenizer.normalizer, tokenizer.pre_tokenizer = _normalizer(lowercase), _cutter()
        return cls(tokenizer)

    def without(self, words: Iterable[str]) -> WordTokenizer:
        """One that reads these words as pieces, and gives all other tokens the same numbers."""
        settings = json.loads(self.to_json())
        for word in words:
            settings["model"]["vocab"].pop(word, None)
        return WordTokenizer.from_json(json.dumps(settings))

    def __len__(self) -> int:
        """How many tokens there are, the special ones included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=False))

    def tokens(self) -> list[str]:
        """The tokens in the order of their numbers."""
        found = self._tokenizer.get_vocab(with_added_tokens=False)
        return sorted(found, key=lambda token: found[token])

    def encode(self, texts: Iterable[str]) -> list[Int32[np.ndarray, " _"]]:
        """The numbers of each text's tokens; a text without any has the one that stands for it."""
        encoded = self._tokenizer.encode_batch_fast([clean(text) for text in texts], add_special_tokens=False)
        return [np.array(text.ids or [BLANK], dtype=np.int32) for text in encoded]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in a text its tokens are, in characters."""
        encoded = self._tokenizer.encode(clean(text), add_special_tokens=False)
        return [(int(begin), int(end)) for begin, end in encoded.offsets]

    def to_json(self) -> str:
        """The tokenizer as text."""
        return str(self._tokenizer.to_str())

    @classmethod
    def from_json(cls, text: str) -> WordTokenizer:
        """What `to_json` wrote.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(Tokenizer.from_str(text))
        except Exception as error:  # the library raises plain exceptions
            raise ValueError(f"no tokenizer: {error}") from error


def words_of(texts: Sequence[str], words: int, least: int, *, lowercase: bool = True) -> list[str]:
    """The words of texts, the most frequent first.

    Args:
        texts: where they occur.
        words: how many at most.
        least: how often a word must occur.
        lowercase: whether upper and lower case are the same.
    """
    trainer = trainers.WordLevelTrainer(vocab_size=words, min_frequency=least, show_progress=False)
    return _trained(models.WordLevel(unk_token=_SPECIAL[UNKNOWN]), trainer, texts, lowercase)


def _pieces_of(texts: Sequence[str], least: int, lowercase: bool) -> list[str]:
    """The most useful pieces of words, and every letter, to begin a word and to stand within one.

    The letters within words are given, for the library numbers those that it finds by itself in the order of a hash
    table, another one in each run, and settles by these numbers which of two pieces comes first.
    """
    letters = sorted(set().union(*words_of(texts, _ALL, 1, lowercase=lowercase)))
    trainer = trainers.WordPieceTrainer(
        vocab_size=_PIECES,
        min_frequency=least,
        show_progress=False,
        continuing_subword_prefix=_CONTINUED,
        special_tokens=[_CONTINUED + letter for letter in letters],
    )
    return _trained(models.WordPiece(unk_token=_SPECIAL[UNKNOWN]), trainer, texts, lowercase)


def _trained(model: models.Model, trainer: trainers.Trainer, texts: Sequence[str], lowercase: bool) -> list[str]:
    """The tokens that a trainer of the library finds, in its order."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = _normalizer(lowercase), _cutter()
    tokenizer.train_from_iterator((clean(text) for text in texts), trainer, length=len(texts))
    found: dict[str, int] = tokenizer.get_vocab(with_added_tokens=False)
    return sorted(found, key=lambda token: found[token])


def _normalizer(lowercase: bool) -> normalizers.Normalizer:
    steps = [
        normalizers.NFKC(),
        normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=lowercase
        ),
    ]
    return normalizers.Sequence(steps)


def _cutter() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)


def clean(text: str) -> str:
    """A text that can be written as UTF-8: halves of surrogate pairs, which say nothing, become question marks."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def lengths_of(encoded: Sequence[Int32[np.ndarray, " _"]]) -> Int64[np.ndarray, " texts"]:
    """How many tokens each text has."""
    return np.fromiter((len(text) for text in encoded), dtype=np.int64, count=len(encoded))

"""The vocabulary of training texts: their words, and pieces of words for those it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, models, trainers

from sluicegate.runtime.texts import words as reading
from sluicegate.runtime.texts.words import BLANK as BLANK
from sluicegate.runtime.texts.words import CONTINUED as CONTINUED
from sluicegate.runtime.texts.words import LONG as LONG
from sluicegate.runtime.texts.words import SPECIAL as SPECIAL
from sluicegate.runtime.texts.words import STRETCH as STRETCH
from sluicegate.runtime.texts.words import UNKNOWN as UNKNOWN
from sluicegate.runtime.texts.words import Capitals as Capitals
from sluicegate.runtime.texts.words import RankedWords as RankedWords
from sluicegate.runtime.texts.words import clean as clean
from sluicegate.runtime.texts.words import cutter, normalizer, trained_tokens
from sluicegate.runtime.texts.words import lengths_of as lengths_of
from sluicegate.runtime.texts.words import whole_words as whole_words
from sluicegate.runtime.texts.words import words_of as words_of

_PIECES = 2000


class WordTokenizer(reading.WordTokenizer):
    """Cuts texts into words and pieces, by a vocabulary that it makes of training texts."""

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        *,
        words: int,
        least: int,
        lowercase: bool = True,
        also: Iterable[str] = (),
        ranked: RankedWords | None = None,
    ) -> WordTokenizer:
        """Make a vocabulary.

        Args:
            texts: the training texts.
            words: how many whole words it holds at most, the most frequent.
            least: how often a word must occur to be whole, 1 or 2.
            lowercase: whether upper and lower case are the same.
            also: words that are whole however often they occur, beyond the most frequent ones.
            ranked: the words of the texts, where they are known; None counts them.
        """
        ranked = ranked or words_of(texts, lowercase=lowercase)
        kept = {*also, *ranked.most_frequent(words, 2)}
        letters = sorted(set().union(*ranked.words))
        vocabulary = {token: number for number, token in enumerate(SPECIAL)}
        for token in (*ranked.most_frequent(words, least), *also, *_pieces_of(texts, letters, least, lowercase)):
            if len(token) <= LONG or token in kept:
                vocabulary.setdefault(token, len(vocabulary))
        tokenizer = Tokenizer(
            models.WordPiece(
                vocabulary,
                unk_token=SPECIAL[UNKNOWN],
                continuing_subword_prefix=CONTINUED,
                max_input_chars_per_word=STRETCH,
            )
        )
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer(lowercase), cutter(_letters_in(vocabulary))
        return cls(tokenizer)

    def without(self, words: Iterable[str]) -> WordTokenizer:
        """One that reads these words as pieces, and gives all other tokens the same numbers."""
        settings = json.loads(self.to_json())
        for word in words:
            settings["model"]["vocab"].pop(word, None)
        return WordTokenizer.from_json(json.dumps(settings))


def _pieces_of(texts: Sequence[str], letters: Sequence[str], least: int, lowercase: bool) -> list[str]:
    """The most useful pieces of words, and every letter, to begin a word and to stand within one.

    The letters within words are given, for the library numbers those that it finds by itself in the order of a hash
    table, another one in each run, and settles by these numbers which of two pieces comes first.
    """
    trainer = trainers.WordPieceTrainer(
        vocab_size=_PIECES,
        min_frequency=least,
        show_progress=False,
        continuing_subword_prefix=CONTINUED,
        special_tokens=[CONTINUED + letter for letter in letters],
    )
    return trained_tokens(models.WordPiece(unk_token=SPECIAL[UNKNOWN]), trainer, texts, lowercase)


def _letters_in(vocabulary: Iterable[str]) -> str:
    """The letters and signs that may stand within a word, in their order."""
    inner = (token.removeprefix(CONTINUED) for token in vocabulary if token.startswith(CONTINUED))
    return "".join(sorted({letter for letter in inner if len(letter) == 1}))

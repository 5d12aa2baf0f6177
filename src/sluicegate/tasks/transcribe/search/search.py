"""Prefix beam search over a lattice of CTC, frame by frame as it comes.

A text has many paths: the probabilities of all that reach it are summed, those that end in a blank apart from others,
for only behind a blank the same token comes twice (Graves et al. 2006; Hannun et al. 2014). What the models beside the
network say of a text multiplies the mass of its paths: words by the language model where they end, as far as it was not
counted ahead of their end.

All that is decided hangs on the number of a frame and on what was before it, never on how frames came: any chunks give
the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float32

from sluicegate.errors import ConfigError, DataError
from sluicegate.streaming.snapshots import damaged, require

from ..transcript import Piece, Spoken, grouped, spoken_in, too_different, words_of
from ..transcript import Transcript as Transcript
from ..transcript import Word as Word
from .beam import Beam as Beam
from .frontier import Frontier
from .hypotheses import Growth
from .lexicon import Lexicon
from .sifting import sift
from .states import restored, state_of, whole
from .word_model import WordModel

_OFTEN = 32  # frames after which what all hypotheses share is settled
_MOST_ROWS = 1024  # of the lattice that wait for it: half a minute without silence


class Search:
    """A running search.

    Args:
        tokens: what tokens 1, 2 and so on stand for: characters, a space among them, or sub-words; 0 is the blank.
        beam: how to search.
        frame: seconds of a frame.
        language: tells how probable words are; None for alike.
        lexicon: tells what is allowed; None for all.
        hot_words: what each word or phrase adds to the logarithm of a text's probability.

    Raises:
        ConfigError: there are no tokens, or `hot_words` are none.

    Example:
        >>> said = np.log(np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], np.float32))
        >>> search = Search(["a", "b"], Beam())
        >>> search.push(said)
        >>> search.best(final=True).text
        'ab'
    """

    def __init__(
        self,
        tokens: Sequence[str],
        beam: Beam,
        *,
        frame: float = 0.03,
        language: WordModel | None = None,
        lexicon: Lexicon | None = None,
        hot_words: Mapping[str, float] = {},
    ) -> None:
        if not tokens or not all(tokens):
            raise ConfigError("`tokens` is empty or holds an empty text: give what each token but the blank stands for")
        self._new_growth = partial(
            Growth, tokens, beam.language_weight, beam.word_bonus, language, lexicon, dict(hot_words)
        )
        self._growth = self._new_growth()
        self._beam, self._kinds, self._seconds = beam, len(tokens) + 1, frame
        self.reset()

    def reset(self) -> None:
        """Begin anew; words that were added stay."""
        self._frontier = Frontier(self._growth, self._beam)
        self._rows: list[Float32[np.ndarray, " tokens"]] = []
        self._times: list[int] = []  # of the rows
        self._paused = True  # whether the last row is one of nothing but blank, or there is none
        self._pieces: list[Piece] = []  # settled ones of words that are not
        self._words: list[Word] = []
        self._partial: str | None = ""  # the best text until now; None where it may be another than before

    def add_words(self, words: Sequence[str], weight: float = 0.0) -> None:
        """Know more words from the next frame on.

        Args:
            words: single words; of a lexicon of phrases, phrases.
            weight: what each adds to the logarithm of a text's probability.

        Raises:
            ConfigError: one is none.
        """
        self._growth.add_words(words, weight)
        self._frontier.know_more()
        self._partial = None

    def push(self, log_probs: Float32[np.ndarray, "frames tokens"]) -> None:
        """Go on by frames.

        Args:
            log_probs: natural logarithms of the probabilities of the blank and of the tokens.

        Raises:
            DataError: they are of another number of tokens, or none; nothing is changed then.
        """
        if log_probs.shape[1] != self._kinds:
            raise DataError(
                f"the lattice has {log_probs.shape[1]} columns, and there are {self._kinds - 1} tokens: expected "
                f"{self._kinds}, with the blank first"
            )
        for row, sifted in zip(log_probs, sift(log_probs, self._beam.threshold, self._beam.tokens), strict=True):
            self._keep(row, bool(sifted.others))
            self._frontier.follow(sifted)
            if self._frontier.frame % _OFTEN == 0 or len(self._rows) >= _MOST_ROWS:
                self._settle()

    def best(self, final: bool = False) -> Transcript:
        """The best text until now; nothing changes by asking.

        Args:
            final: whether it ends here: then what the models say of its last word and of its end counts, and all paths
                of a text that differ in spaces alone are summed. Else a word that is not over is told as far as it is,
                unless a lexicon does not have it.
        """
        lexicon, parts = self._growth.lexicon, self._growth.parts
        frontier = self._frontier
        node, score = frontier.last() if final else (frontier.allowed(), frontier.logarithm(frontier.open[0].total))
        spoken = self._spoken([below.token for below in node.path(frontier.root)])
        pieces = self._pieces + spoken.pieces
        if not node.ends:
            pieces = [piece for group in grouped(pieces, parts)[:-1] for piece in group]
        if lexicon and lexicon.whole:
            different = too_different(pieces, spoken.rest, self._beam.margin)
            pieces = [] if different or not node.ends else pieces
            score = frontier.silent if different else score
        margin = self._beam.margin if lexicon and not lexicon.whole else None
        words = self._words + words_of(pieces, parts, self._seconds, margin, self._least)
        return Transcript(" ".join(word.text for word in words), words, score)

    def partial(self) -> str:
        """The text of `best`, which is looked for anew only if something was said since it was told last."""
        if self._partial is None:
            self._partial = self.best().text
        return self._partial

    @property
    def settled(self) -> int:
        """How many of the first words of `best` nothing can change any more."""
        return len(self._words)

    def take(self) -> list[Word]:
        """Hand over the words that nothing can change any more, and forget them: `best` tells of later ones then."""
        words, self._words = self._words, []
        if words:
            self._partial = None
        return words

    @property
    def _least(self) -> float:
        """The confidence from which words are told."""
        return 0.0 if self._growth.lexicon or self._growth.awaits else self._beam.least

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """All that the search is at: what JSON can hold, and arrays by name; the models are not among them."""
        settings, arrays = state_of(self._frontier, self._growth)
        settings |= {"times": list(self._times), "paused": self._paused, "words": [word.text for word in self._words]}
        arrays |= {
            "rows": np.array(self._rows, dtype=np.float32).reshape(-1, self._kinds),
            "pieces": np.array(self._pieces, dtype=np.float64).reshape(-1, len(Piece._fields)),
            "spans": np.array([word[1:] for word in self._words], dtype=np.float64).reshape(-1, len(Word._fields) - 1),
        }
        return settings, arrays

    def restore(self, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from a state of a search with the same models and settings.

        Args:
            settings: what `state` gave.
            arrays: what `state` gave.

        Raises:
            SnapshotError: they are none of such a search; this one is as it was then.
        """
        match settings:
            case {"times": list(times), "paused": bool(paused), "words": list(texts)} if whole(times):
                pass
            case _:
                raise damaged("it does not say what the search was at")
        rows = require(arrays, "rows", (len(times), self._kinds), np.float32)
        pieces = require(arrays, "pieces", (None, len(Piece._fields)), np.float64)
        spans = require(arrays, "spans", (len(texts), len(Word._fields) - 1), np.float64)
        if np.isnan(rows).any() or not np.isfinite(spans).all() or not all(isinstance(text, str) for text in texts):
            raise damaged("its words or its lattice are none")
        if not np.isfinite(pieces).all() or not all(0 < piece[0] < self._kinds for piece in pieces.tolist()):
            raise damaged("its words are of tokens that there are not")
        self._growth, self._frontier = restored(settings, arrays, self._new_growth(), self._beam)
        self._rows, self._times, self._paused = list(rows), times, paused
        self._pieces = [Piece(*map(int, piece[:3]), *piece[3:]) for piece in pieces.tolist()]
        self._words = [Word(text, *span) for text, span in zip(texts, spans.tolist(), strict=True)]
        self._partial = None

    def _keep(self, row: Float32[np.ndarray, " tokens"], said: bool) -> None:
        """Keep a row of the lattice until what was said in it is settled; of a pause the first alone."""
        if said or not self._paused:
            self._rows.append(row.copy())
            self._times.append(self._frontier.frame)
            self._partial = None  # nothing but blank after nothing but blank leaves all texts as they are
        self._paused = not said

    def _spoken(self, tokens: list[int]) -> Spoken:
        """Where the tokens of a text that are not settled were said."""
        rows = np.stack(self._rows) if self._rows else np.empty((0, self._kinds), dtype=np.float32)
        return spoken_in(self._times, rows, tokens)

    def _settle(self) -> None:
        """Tell for good what all hypotheses share."""
        full = len(self._rows) >= _MOST_ROWS
        path, shared = self._frontier.settle(full)
        self._partial = None
        used = 0
        if shared:
            spoken = self._spoken([node.token for node in path])
            self._pieces += spoken.pieces[:shared]
            used = spoken.used[shared - 1]
            self._move_words()
        elif full:
            used = len(self._rows)
        del self._rows[:used], self._times[:used]
        self._paused = self._paused or not self._rows

    def _move_words(self) -> None:
        """Tell of settled words; phrases are told as a whole."""
        lexicon = self._growth.lexicon
        if not (lexicon and lexicon.whole):
            *over, last = grouped(self._pieces, self._growth.parts)
            margin = self._beam.margin if lexicon else None
            pieces = [piece for group in over for piece in group]
            self._words += words_of(pieces, self._growth.parts, self._seconds, margin, self._least)
            self._pieces = last

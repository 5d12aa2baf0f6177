"""Prefix beam search over a lattice of CTC, frame by frame as it comes.

A text has many paths: the probabilities of all that reach it are summed, those that end in a blank apart from others,
for only behind a blank the same token comes twice (Graves et al. 2006; Hannun et al. 2014). What the models beside the
network say of a text multiplies the mass of its paths: words by the language model where they end, as far as it was not
counted ahead of their end.

All that is decided hangs on the number of a frame and on what was before it, never on how frames came: any chunks give
the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import ConfigError, DataError

from .hypotheses import NONE, Growth, Node, living, shared_by, without_lost
from .lexicon import Lexicon
from .sifting import Sifted, sift
from .transcript import Piece, Spoken, Transcript, Word, grouped, spoken_in, too_different, words_of
from .word_model import WordModel

_OFTEN = 32  # frames after which what all hypotheses share is settled
_MOST_ROWS = 1024  # of the lattice that wait for it: half a minute without silence
_FAR = 200  # powers of two that masses may be from 1

_total = attrgetter("total")


@dataclass(frozen=True)
class Beam:
    """How to search.

    Args:
        width: hypotheses that go on side by side.
        language_weight: the power of the language model's probabilities.
        word_bonus: what each word adds to the logarithm of a text's probability.
        threshold: how much less probable than the best of its frame a token may be to be followed, as a logarithm.
        tokens: that are followed in a frame at most, the most probable ones.
        cut: how much less probable than the best a hypothesis may be to go on, as a logarithm.
        margin: with a lexicon, how much more probable what the network hears may be than what is allowed, as a
            logarithm, for each token: words and phrases beyond it are rejected.

    Raises:
        ConfigError: one of them is out of its range.
    """

    width: int = 16
    language_weight: float = 0.5
    word_bonus: float = 0.0
    threshold: float = 8.0
    tokens: int = 40
    cut: float = 14.0
    margin: float = 1.5

    def __post_init__(self) -> None:
        """Check the settings."""
        for name, least in (("width", 1), ("tokens", 1), ("language_weight", 0), ("threshold", 0), ("cut", 0)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"`{name}` (={getattr(self, name)}) must be at least {least}")
        for name in ("word_bonus", "language_weight"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(f"`{name}` (={getattr(self, name)}) must be a finite number")
        if not self.margin > 0:
            raise ConfigError(f"`margin` (={self.margin}) must be above 0")


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
        self._growth = Growth(tokens, beam.language_weight, beam.word_bonus, language, lexicon, hot_words)
        self._beam, self._kinds, self._seconds = beam, len(tokens) + 1, frame
        self.reset()

    def reset(self) -> None:
        """Begin anew; words that were added stay."""
        self._root = self._growth.root()
        self._root.blank = self._root.total = 1.0
        self._open = [self._root]
        self._children: dict[int, Node | None] = {}
        self.frames = 0
        """That were pushed."""
        self._scale, self._power = 0.0, 0  # logarithms that all masses are divided by: a natural one, one of base 2
        self._silent = 0.0  # the logarithm of the probability that nothing is said
        self._folded = False  # whether all paths end in a blank
        self._rows: list[Float32[np.ndarray, " tokens"]] = []
        self._times: list[int] = []  # of the rows
        self._paused = True  # whether the last row is one of nothing but blank, or there is none
        self._pieces: list[Piece] = []  # settled ones of words that are not
        self._words: list[Word] = []

    def add_words(self, words: Sequence[str], weight: float = 0.0) -> None:
        """Know more words from the next frame on.

        Args:
            words: single words; of a lexicon of phrases, phrases.
            weight: what each adds to the logarithm of a text's probability.

        Raises:
            ConfigError: one is none.
        """
        self._growth.add_words(words, weight)
        self._children = {key: child for key, child in self._children.items() if child is not None}
        for node in {*self._children.values(), *self._open}:
            if node:
                node.most = self._growth.most(node)

    def push(self, log_probs: Float32[np.ndarray, "frames tokens"]) -> None:
        """Go on by frames.

        Args:
            log_probs: natural logarithms of the probabilities of the blank and of the tokens.

        Raises:
            DataError: they are of another number of tokens, or hold NaN.
        """
        if log_probs.shape[1] != self._kinds:
            raise DataError(
                f"the lattice has {log_probs.shape[1]} columns, and there are {self._kinds - 1} tokens: expected "
                f"{self._kinds}, with the blank first"
            )
        if not np.isfinite(log_probs.max(1)).all():
            raise DataError(
                "the lattice holds NaN, infinity, or a frame in which nothing is probable: expected logarithms of "
                "probabilities; check the recording and the network that heard it"
            )
        for row, sifted in zip(log_probs, sift(log_probs, self._beam.threshold, self._beam.tokens), strict=True):
            self._keep(row, bool(sifted.others))
            if sifted.others:
                self._follow(sifted)
            else:
                self._follow_blank(sifted)
            self.frames += 1
            if self.frames % _OFTEN == 0 or len(self._rows) >= _MOST_ROWS:
                self._settle()

    def best(self, final: bool = False) -> Transcript:
        """The best text until now; nothing changes by asking.

        Args:
            final: whether it ends here: then what the models say of its last word and of its end counts, and all paths
                of a text that differ in spaces alone are summed. Else a word that is not over is told as far as it is,
                unless a lexicon does not have it.
        """
        lexicon, parts = self._growth.lexicon, self._growth.parts
        node, score = self._last() if final else (self._allowed(), self._logarithm(self._open[0].total))
        spoken = self._spoken([below.token for below in node.path(self._root)])
        pieces = self._pieces + spoken.pieces
        if not node.ends:
            pieces = [piece for group in grouped(pieces, parts)[:-1] for piece in group]
        if lexicon and lexicon.whole:
            different = too_different(pieces, spoken.rest, self._beam.margin)
            pieces = [] if different or not node.ends else pieces
            score = self._silent if different else score
        margin = self._beam.margin if lexicon and not lexicon.whole else None
        words = self._words + words_of(pieces, parts, self._seconds, margin)
        return Transcript(" ".join(word.text for word in words), words, score)

    def take(self) -> list[Word]:
        """Hand over the words that nothing can change any more, and forget them: `best` tells of later ones then."""
        words, self._words = self._words, []
        return words

    def _follow(self, sifted: Sifted) -> None:
        """Read a frame in which something may be said."""
        blank, others = sifted
        chances = dict(others)
        open_, children, kinds, frame, width = self._open, self._children, self._kinds, self.frames, self._beam.width
        space, spaces = self._growth.space, chances.get(self._growth.space, 0.0)
        for node in open_:
            node.coming_blank = node.total * blank
            node.coming_other = node.other * chances.get(node.token, 0.0)
            if spaces and node.open:  # a space where one is, or at the beginning, is none
                node.coming_other += (node.blank if node.token == space else node.total) * spaces
            node.frame = frame
        # A new text has all its mass of one parent: one below what goes on already, were the models kindest, is not of
        # the best.
        least = min([node.coming_blank + node.coming_other for node in open_]) if len(open_) == width else 0.0
        coming = open_[:]
        for node in open_:
            key, token_before, enough = node.number * kinds, node.token, least / node.most
            for token, chance in others:
                mass = (node.blank if token == token_before else node.total) * chance
                child = children.get(key + token, node)
                if child is node:  # not known
                    if mass <= enough:
                        continue
                    child = children[key + token] = self._growth.grow(node, token)
                if child is None:
                    continue
                if child.frame == frame:
                    child.coming_other += mass * child.factor
                elif mass > enough:
                    child.frame, child.coming_blank, child.coming_other = frame, 0.0, mass * child.factor
                    coming.append(child)
        for node in coming:
            node.blank, node.other = node.coming_blank, node.coming_other
            node.total = node.blank + node.other
        coming.sort(key=_total, reverse=True)
        del coming[width:]
        enough = coming[0].total * math.exp(-self._beam.cut)
        while coming[-1].total < enough or (coming[-1].total == 0.0 and len(coming) > 1):
            coming.pop()
        self._open, self._folded = coming, False
        self._silent += math.log(blank + spaces) if blank + spaces > 0 else -math.inf
        self._rescale()

    def _follow_blank(self, sifted: Sifted) -> None:
        """Read a frame of nothing but blank: all masses become as much less, and all paths end in a blank."""
        if not self._folded:
            for node in self._open:
                node.blank, node.other = node.total, 0.0
            self._folded = True
        loss = math.log(sifted.blank)
        self._scale += loss
        self._silent += loss

    def _rescale(self) -> None:
        """Keep masses near 1, without rounding."""
        _, power = math.frexp(self._open[0].total)
        if abs(power) > _FAR:
            for node in self._open:
                node.blank, node.other = math.ldexp(node.blank, -power), math.ldexp(node.other, -power)
                node.total = node.blank + node.other
            self._power += power

    def _logarithm(self, mass: float) -> float:
        """The logarithm of a probability."""
        return math.log(mass) + self._scale + self._power * math.log(2)

    def _keep(self, row: Float32[np.ndarray, " tokens"], said: bool) -> None:
        """Keep a row of the lattice until what was said in it is settled; of a pause the first alone."""
        if said or not self._paused:
            self._rows.append(row.copy())
            self._times.append(self.frames)
        self._paused = not said

    def _spoken(self, tokens: list[int]) -> Spoken:
        """Where the tokens of a text that are not settled were said."""
        rows = np.stack(self._rows) if self._rows else np.empty((0, self._kinds), dtype=np.float32)
        return spoken_in(self._times, rows, tokens)

    def _allowed(self) -> Node:
        """The best text, without what no text may end with."""
        node = self._open[0]
        while not node.ends and node.parent:
            node = node.parent
        return node

    def _last(self) -> tuple[Node, float]:
        """The best text if it ends here, and the logarithm of its probability."""
        texts: dict[tuple[str, ...], list[tuple[float, Node]]] = {}
        for node in self._open:
            worth = math.log(node.total) + self._growth.closing(node)
            if worth > -math.inf:
                texts.setdefault(self._text(node), []).append((worth, node))
        if not texts:
            node = self._allowed()
            return node, self._silent if node.token == NONE else self._logarithm(self._open[0].total)
        most, node = -math.inf, self._root
        for found in texts.values():
            best, first = max(found, key=itemgetter(0))
            total = best + math.log(math.fsum(math.exp(worth - best) for worth, _ in found))
            if total > most:
                most, node = total, first
        return node, most + self._logarithm(1.0)

    def _text(self, node: Node) -> tuple[str, ...]:
        """What is not settled of a text, with its spaces as they are read: "" first where it begins with a space."""
        parts = [self._growth.parts[below.token] for below in node.path(self._root)]
        text = "".join(" " * begins + letters for begins, letters in parts)
        words = tuple(text.split())
        return ("", *words) if words and text[0] == " " and not self._root.open else words

    def _settle(self) -> None:
        """Tell for good what all hypotheses share, and let go of those that can win nothing any more."""
        self._open = without_lost(self._open, self._root, self._growth)
        path = self._open[0].path(self._root)
        shared = shared_by(self._open, self._root, path) - 1  # of the last one paths may still stay in its token
        if len(self._rows) >= _MOST_ROWS and shared < 1:
            shared = (len(path) + 1) // 2
            self._open = [node for node in self._open if path[:shared] == node.path(self._root)[:shared]]
            if len(path) < 2:
                self._open = self._open[:1]
            if not path:
                self._rows, self._times, self._paused = [], [], True
        if shared > 0:
            spoken = self._spoken([node.token for node in path])
            self._pieces += spoken.pieces[:shared]
            used = spoken.used[shared - 1]
            del self._rows[:used], self._times[:used]
            self._root, self._paused = path[shared - 1], self._paused or not self._rows
            self._root.parent = None
            self._move_words()
        self._children = living(self._children, self._open, self._root, self._kinds)

    def _move_words(self) -> None:
        """Tell of settled words; phrases are told as a whole."""
        lexicon = self._growth.lexicon
        if not (lexicon and lexicon.whole):
            *over, last = grouped(self._pieces, self._growth.parts)
            margin = self._beam.margin if lexicon else None
            pieces = [piece for group in over for piece in group]
            self._words += words_of(pieces, self._growth.parts, self._seconds, margin)
            self._pieces = last

"""The hypotheses of the search: texts as a tree of tokens, and what the models say of each token that is added."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sluicegate.tasks.generation.marks import MARK

from .hot_words import Hot, HotWords
from .lexicon import ROOT, Lexicon
from .word_model import Context, WordModel

NONE = -1
"""The last token of a text without tokens."""

_NOT_HOT = Hot()
_GREATEST = 700.0  # logarithm of a number
_ROUNDING = 1e-6  # far more than that of the models' logarithms


class Node:
    """A text: that of its parent, and a token.

    The masses are shares of the probability of what was heard until now, by all paths of this text together: of those
    that end in a blank, and of others. Those that are coming are of the frame that is being read.
    """

    __slots__ = (
        "ahead",
        "begun",
        "blank",
        "coming_blank",
        "coming_other",
        "context",
        "ends",
        "factor",
        "frame",
        "hot",
        "most",
        "most_inside",
        "number",
        "open",
        "other",
        "parent",
        "place",
        "token",
        "total",
    )

    def __init__(self, number: int, parent: Node | None, token: int) -> None:
        self.number, self.parent, self.token = number, parent, token
        self.begun = ""
        """The letters of its last word."""
        self.open = True
        """Whether the next letter begins a word."""
        self.ends = True
        """Whether a text may end here."""
        self.context: Context = ()
        self.ahead = 0.0  # what the language model says of the letters of the last word
        self.place = ROOT  # in the lexicon
        self.hot = _NOT_HOT
        self.factor = 1.0
        """What the models make of the parent's mass that comes in."""
        self.most = 1.0
        """And may make of this one's that goes on, at most,"""
        self.most_inside = 1.0
        """or where the word goes on."""
        self.blank = self.other = self.total = 0.0
        self.coming_blank = self.coming_other = 0.0
        self.frame = NONE  # that the coming masses are of

    def path(self, root: Node) -> list[Node]:
        """The nodes below one that this is below, down to this one."""
        nodes, node = [], self
        while node is not root:
            nodes.append(node)
            assert node.parent is not None
            node = node.parent
        return nodes[::-1]


class Growth:
    """How texts grow: what tokens are, and what the models say.

    Args:
        tokens: what tokens 1, 2 and so on stand for.
        weight: the power of the language model's probabilities.
        bonus: what each word adds to the logarithm of a text's probability.
        language: tells how probable words are; None for alike.
        lexicon: tells what is allowed; None for all.
        hot_words: what is preferred.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        weight: float,
        bonus: float,
        language: WordModel | None,
        lexicon: Lexicon | None,
        hot_words: Mapping[str, float],
    ) -> None:
        # Of each token whether a word begins with it, and its letters: a space alone is a token that has none.
        self.parts = [(False, "")]
        for token in tokens:
            letters = token.removeprefix(MARK).strip()
            self.parts.append((token.startswith((MARK, " ")), letters))
        self.begins = [begins for begins, _ in self.parts]
        self.space = next((token for token, part in enumerate(self.parts) if part == (True, "")), NONE)
        self.language = language if weight else None
        self._weight, self._bonus = weight, bonus
        self.lexicon, self._hot_words = lexicon, HotWords(hot_words)
        self._number = 0
        self.added: list[tuple[list[str], float]] = []
        """The words that were added, each time with their weight."""

    @property
    def awaits(self) -> bool:
        """Whether there are hot words."""
        return bool(self._hot_words.weights)

    def root(self) -> Node:
        """The text without tokens."""
        node = Node(0, None, NONE)
        if self.language:
            node.context = self.language.beginning
        self.bound(node)
        return node

    def look_ahead(self, node: Node) -> None:
        """Note what the models say of the letters of a text's last word."""
        if self.language:
            node.ahead = self.language.ahead(node.begun)
        self.bound(node)

    def leads(self, hot: Hot) -> bool:
        """Tell whether a hypothesis may be there among the hot words."""
        return self._hot_words.leads(hot)

    def key(self, node: Node) -> tuple[object, ...]:
        """All that tells what may follow a text and how probably: texts with equal ones are never told apart again."""
        spelled = node.begun if self.language or self._hot_words.weights else ""
        return (node.token, node.open, node.ends, node.context, spelled, node.place, node.hot)

    def add_words(self, words: Sequence[str], weight: float) -> None:
        """Know more words, and prefer them by a weight, from now on."""
        self.added.append((list(words), float(weight)))
        if self.language:
            self.language = self.language.with_words(words)
        if self.lexicon:
            self.lexicon = self.lexicon.with_words(words)
        if weight:
            self._hot_words.add(dict.fromkeys(words, weight))

    def grow(self, parent: Node, token: int) -> Node | None:
        """Add a token to a text; None if that is not allowed, or makes no other text."""
        begins, letters = self.parts[token]
        if parent.open and begins and not letters:
            return None
        self._number += 1
        node = Node(self._number, parent, token)
        node.begun, node.open, node.ends, node.ahead = parent.begun, parent.open, parent.ends, parent.ahead
        node.context, node.place, node.hot = parent.context, parent.place, parent.hot
        gain = 0.0
        if begins and not parent.open:
            ended = self._end_word(node)
            if ended is None:
                return None
            gain += ended
        if letters:
            spelled = self._spell(node, letters)
            if spelled is None:
                return None
            gain += spelled
        node.factor = math.exp(gain)
        self.bound(node)
        return node

    def closing(self, node: Node) -> float:
        """What the models make of a text that ends, as a logarithm; -inf if it must not."""
        if not node.ends:
            return -math.inf
        if node.open:
            spoken = self._weight * self.language.end(node.context) if self.language and node.token != NONE else 0.0
            return spoken + self._hot_words.end(node.hot)
        gain = self._bonus + self._hot_words.end(node.hot)
        if self.language:
            chance, context = self.language.follow(node.context, node.begun)
            gain += self._weight * (chance - node.ahead + self.language.end(context))
        return gain

    def bound(self, node: Node) -> None:
        """Note how much the models may make of a text's mass at most: its last word may turn out to be certain."""
        inside = hot = _ROUNDING
        if self._hot_words.weights:
            hot += max(0.0, self._hot_words.most - node.hot.advanced)
            inside = inside if node.hot.place is None else hot  # this word is no hot one any more
        node.most_inside = math.exp(min(_GREATEST, inside))
        node.most = math.exp(min(_GREATEST, hot + max(0.0, self._bonus) - self._weight * node.ahead))

    def _end_word(self, node: Node) -> float | None:
        """End the last word of a new node; None if it is no word of the lexicon."""
        gain = self._bonus
        if self.lexicon:
            place = self.lexicon.next_word(node.place)
            if place is None:
                return None
            node.place = place
        if self.language:
            chance, node.context = self.language.follow(node.context, node.begun)
            gain += self._weight * (chance - node.ahead)
        if self._hot_words.weights:
            given, node.hot = self._hot_words.end_word(node.hot)
            gain += given
        node.begun, node.open, node.ahead = "", True, 0.0
        return gain

    def _spell(self, node: Node, letters: str) -> float | None:
        """Add letters to the last word of a new node; None if no word of the lexicon has them there."""
        gain = 0.0
        node.begun, node.open = node.begun + letters, False
        if self.lexicon:
            place = self.lexicon.follow(node.place, letters)
            if place is None:
                return None
            node.place, node.ends = place, self.lexicon.ends(place)
        if self.language:
            ahead = self.language.ahead(node.begun)
            gain += self._weight * (ahead - node.ahead)
            node.ahead = ahead
        if self._hot_words.weights:
            given, node.hot = self._hot_words.follow(node.hot, letters, node.begun)
            gain += given
        return gain

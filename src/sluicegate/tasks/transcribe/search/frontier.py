"""The hypotheses that go on side by side, and how a frame changes them."""

from __future__ import annotations

import math
from heapq import heapify, heapreplace, nlargest
from itertools import pairwise
from operator import attrgetter, itemgetter

from .beam import Beam
from .families import living, shared_by, without_lost
from .hypotheses import NONE, Growth, Node
from .sifting import Sifted

_FAR = 200  # powers of two that masses may be from 1

_total = attrgetter("total")


_Waiting = tuple[float, int, float, Node, int]
"""A text that is not known: its mass, were the models kindest; its place; the mass that comes in; parent and token."""


class Frontier:
    """Hypotheses that go on side by side.

    Args:
        growth: tells how texts grow.
        beam: how to search.
    """

    def __init__(self, growth: Growth, beam: Beam) -> None:
        self._growth, self._beam, self._kinds = growth, beam, len(growth.parts)
        self.root = growth.root()
        """What all begin with."""
        self.root.blank = self.root.total = 1.0
        self.open = [self.root]
        """The texts, best first."""
        self.frame = 0
        self.scale, self.power = 0.0, 0
        """Logarithms that all masses are divided by: a natural one, and one of base 2."""
        self.silent = 0.0
        """The logarithm of the probability that nothing is said at all."""
        self.folded = False
        """Whether all paths end in a blank."""
        self._children: dict[int, Node | None] = {}

    def follow(self, sifted: Sifted) -> None:
        """Read a frame."""
        blank, others = sifted
        if others:
            spaces = dict(others).get(self._growth.space, 0.0)
            self.silent += math.log(blank + spaces) if blank + spaces > 0 else -math.inf
            self._follow_all(sifted)
            self._rescale()
        else:
            self._follow_blank(blank)
        self.frame += 1

    def _follow_blank(self, blank: float) -> None:
        """Read a frame of nothing but blank: all masses become as much less, and all paths end in a blank."""
        if not self.folded:
            for node in self.open:
                node.blank, node.other = node.total, 0.0
            self.folded = True
        loss = math.log(blank)
        self.scale += loss
        self.silent += loss

    def _follow_all(self, sifted: Sifted) -> None:
        """Read a frame in which something may be said."""
        width = self._beam.width
        self._stay(sifted)
        coming, waiting = self._go_on(sifted)
        # A new text has all its mass of one parent. To grow one takes long: not where the kindest models could not
        # bring it among the best.
        best = nlargest(width, [node.coming_blank + node.coming_other for node in coming])
        best += [0.0] * (width - len(best))
        heapify(best)
        waiting.sort(reverse=True)
        for most, _, mass, parent, token in waiting:
            if most < best[0]:
                break
            child = self._children[parent.number * self._kinds + token] = self._growth.grow(parent, token)
            if child is not None and mass * child.factor >= best[0]:
                child.coming_blank, child.coming_other = 0.0, mass * child.factor
                heapreplace(best, child.coming_other)
                coming.append(child)
        self._choose(coming)

    def _stay(self, sifted: Sifted) -> None:
        """Read a frame without another token."""
        blank, others = sifted
        chances, frame, space = dict(others), self.frame, self._growth.space
        spaces = chances.get(space, 0.0)
        for node in self.open:
            node.coming_blank = node.total * blank
            node.coming_other = node.other * chances.get(node.token, 0.0)
            if spaces and node.open:  # a space where one is, or at the beginning, is none
                node.coming_other += (node.blank if node.token == space else node.total) * spaces
            node.frame = frame

    def _go_on(self, sifted: Sifted) -> tuple[list[Node], list[_Waiting]]:
        """Add tokens: the texts that are known, and others that may be among the best."""
        open_, children, kinds, frame, begins = self.open, self._children, self._kinds, self.frame, self._growth.begins
        coming, waiting = open_[:], list[_Waiting]()
        full = len(open_) == self._beam.width
        least = min([node.coming_blank + node.coming_other for node in open_]) if full else 0.0
        for node in open_:
            key, before = node.number * kinds, node.token
            for token, chance in sifted.others:
                mass = (node.blank if token == before else node.total) * chance
                child = children.get(key + token, node)
                if child is node:  # not known
                    most = mass * (node.most if begins[token] else node.most_inside)
                    if most >= least and mass:
                        waiting.append((most, -len(waiting), mass, node, token))
                elif child is not None and mass:
                    if child.frame != frame:
                        child.frame, child.coming_blank, child.coming_other = frame, 0.0, 0.0
                        coming.append(child)
                    child.coming_other += mass * child.factor
        return coming, waiting

    def _choose(self, coming: list[Node]) -> None:
        """Go on with the best of what is coming; of equals with those whose tokens come first."""
        for node in coming:
            node.blank, node.other = node.coming_blank, node.coming_other
            node.total = node.blank + node.other
        coming.sort(key=_total, reverse=True)
        if any(one.total == other.total for one, other in pairwise(coming[: self._beam.width + 1])):
            coming.sort(key=lambda node: (-node.total, [below.token for below in node.path(self.root)]))
        del coming[self._beam.width :]
        enough = coming[0].total * math.exp(-self._beam.cut)
        while coming[-1].total < enough or (coming[-1].total == 0.0 and len(coming) > 1):
            coming.pop()
        self.open, self.folded = coming, False

    def _rescale(self) -> None:
        """Keep masses near 1, without rounding."""
        _, power = math.frexp(self.open[0].total)
        if abs(power) > _FAR:
            for node in self.open:
                node.blank, node.other = math.ldexp(node.blank, -power), math.ldexp(node.other, -power)
                node.total = node.blank + node.other
            self.power += power

    def logarithm(self, mass: float) -> float:
        """The logarithm of the probability that a mass stands for."""
        return math.log(mass) + self.scale + self.power * math.log(2) if mass else -math.inf

    def allowed(self) -> Node:
        """The best text, without what no text may end with."""
        node = self.open[0]
        while not node.ends and node.parent:
            node = node.parent
        return node

    def last(self) -> tuple[Node, float]:
        """The best text if it ends here, and the logarithm of its probability."""
        texts: dict[tuple[str, ...], list[tuple[float, Node]]] = {}
        for node in self.open:
            worth = self.logarithm(node.total) + self._growth.closing(node)
            if worth > -math.inf:
                texts.setdefault(self._text(node), []).append((worth, node))
        if not texts:
            node = self.allowed()
            return node, self.silent if node.token == NONE else self.logarithm(self.open[0].total)
        summed = []
        for found in texts.values():
            best, node = max(found, key=itemgetter(0))
            summed.append((best + math.log(math.fsum(math.exp(worth - best) for worth, _ in found)), node))
        total, node = max(summed, key=itemgetter(0))
        return node, total

    def _text(self, node: Node) -> tuple[str, ...]:
        """What is not settled of a text, with its spaces as they are read: "" first where it begins with a space."""
        parts = [self._growth.parts[below.token] for below in node.path(self.root)]
        text = "".join(" " * begins + letters for begins, letters in parts)
        words = tuple(text.split())
        return ("", *words) if words and text[0] == " " and not self.root.open else words

    def settle(self, by_force: bool) -> tuple[list[Node], int]:
        """Let go of texts that can win nothing any more, and of most of what all share.

        Args:
            by_force: whether to let go of half of the best text, and of all others that do not begin with it, where
                they share nothing.

        Returns:
            The tokens of the best text that were not settled, and how many of them are now.
        """
        self.open = without_lost(self.open, self.root, self._growth)
        path = self.open[0].path(self.root)
        shared = max(0, shared_by(self.open, self.root, path) - 1)  # paths may still stay in the last token
        if by_force and not shared:
            shared = (len(path) + 1) // 2
            self.open = [node for node in self.open if path[:shared] == node.path(self.root)[:shared]]
            if len(path) < 2:
                self.open = self.open[:1]
        if shared:
            self.root = path[shared - 1]
            self.root.parent = None
        self._children = living(self._children, self.open, self.root, self._kinds)
        return path, shared

    def know(self, node: Node) -> None:
        """Take a text for the one of its parent and its token."""
        assert node.parent is not None
        self._children[node.parent.number * self._kinds + node.token] = node

    def know_more(self) -> None:
        """Look anew at what is not known or was not allowed, for the models have learnt words."""
        self._children = {key: child for key, child in self._children.items() if child is not None}
        for node in {*self._children.values(), *self.open}:
            if node:
                self._growth.bound(node)

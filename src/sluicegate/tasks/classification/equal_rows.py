"""Rows that are there several times: where they must stand, and what a reader of the report is told of them.

A task tells which rows are equal by `numbered`, and a fit comes back to tie these together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Rows = Int64[np.ndarray, " rows"]
Pairs = Int64[np.ndarray, "pairs 2"]


def numbered(contents: Iterable[Hashable | None]) -> Rows:
    """A number for each row, the same for rows of equal content; those of None are equal to no other."""
    seen: dict[Hashable, int] = {}
    numbers = [row if content is None else seen.setdefault(content, row) for row, content in enumerate(contents)]
    return np.array(numbers, dtype=np.int64)


@dataclass(frozen=True)
class Ties:
    """What keeps rows together when they are cut into folds.

    Args:
        groups: the name of each row's group, whose rows stay together; groups that share a row have one name.
        content: without groups, a number for each row, the same for rows that stay together; None where there are
            none.
        repeated: how many rows are equal to another one.
        released: how many of these may stand in several folds all the same.
    """

    groups: Sequence[str] | None
    content: Rows | None = None
    repeated: int = 0
    released: int = 0

    @classmethod
    def of(cls, truth: Rows, groups: Sequence[str] | None, content: Rows, folds: int) -> Ties:
        """Tie equal rows together, where enough to train on and to validate on is left then.

        Rows that are all that a class has are not tied: no network would know the class that it is validated on. Nor
        are any where there would be fewer than `folds` parts, or where groups would be joined to more than half of
        all rows.

        Args:
            truth: the number of each row's class.
            groups: the name of each row's group, where there are groups.
            content: the numbers that `numbered` gives.
            folds: how many parts there must be.
        """
        repeated = _repeated(content)
        several = int(repeated.sum())
        if not several:
            return cls(groups)
        if groups is None:
            alone = _all_of_a_class(truth, content)
            tied = np.where(alone, np.arange(len(content)), content)
            if len(np.unique(tied)) < max(folds, 2) or not _repeated(tied).any():
                return cls(None, None, several, several)
            return cls(None, tied, several, int((alone & repeated).sum()))
        names, own = np.unique(np.array(groups), return_inverse=True)
        joined = _joined(own, content)
        sizes = np.bincount(joined)
        if len(sizes) == len(names):
            return cls(groups, None, several)
        if len(sizes) < max(folds, 2) or sizes.max() > max(len(truth) / 2, np.bincount(own).max()):
            return cls(groups, None, several, int(_in_several(own, content).sum()))
        return cls([str(number) for number in joined.tolist()], None, several)

    @property
    def parts(self) -> int | None:
        """How many parts there are at most; None where each row stands for itself."""
        kept = self.groups if self.groups is not None else self.content
        return None if kept is None else len(np.unique(np.asarray(kept)))

    def notes(self, rows: int, what: str) -> list[str]:
        """What a reader of the report should know.

        Args:
            rows: how many there are.
            what: these are called.
        """
        if not self.repeated:
            return []
        said = f"{self.repeated:,} of the {rows:,} {what} are equal to another one"
        if not self.released:
            return [f"{said}: equal ones stay in one fold, so that none is validated by a network that trained on it."]
        if self.released == self.repeated:
            return [
                f"{said}, and too few are different for equal ones to stay in one fold: networks are validated on "
                f"{what} that they trained on, and the figures do not hold for new ones."
            ]
        return [
            f"{said}: equal ones stay in one fold, but for {self.released:,} that would leave a class or a group "
            f"without others, of which the figures do not hold for new {what}."
        ]


def copies_noted(near: Pairs, ties: Ties, number: Rows, what: str, alike: str) -> list[str]:
    """What a reader should know of rows that are there several times.

    Args:
        near: pairs of rows that are nearly equal.
        ties: what keeps rows together.
        number: of the network that each row validates, -1 where it validates none.
        what: the rows are called.
        alike: what makes two nearly equal.
    """
    return [*ties.notes(len(number), what), *_near_note(leaking(near, number), what, alike, given=False)]


def shared_noted(near: Pairs, content: Rows, rows: int, what: str, alike: str) -> list[str]:
    """What a reader should know of validation rows that training has too.

    Args:
        near: pairs of rows that are nearly equal, those of training numbered first.
        content: a number for each row of both, the same for equal ones.
        rows: how many training has.
        what: they are called.
        alike: what makes two nearly equal.
    """
    validating = len(content) - rows
    number = np.repeat([-1, 0], [rows, validating])
    shared = int(np.isin(content[rows:], content[:rows]).sum())
    said = (
        f"{shared:,} of the {validating:,} {what} that validate are equal to one that was trained on: the figures "
        "flatter the model, and leaving these out of the validation would tell of new ones."
    )
    return [*([said] if shared else []), *_near_note(leaking(near, number), what, alike, given=True)]


def _near_note(near: int, what: str, alike: str, *, given: bool) -> list[str]:
    """The same of validation rows that are nearly those of training; where they were given, groups decide nothing."""
    if not near:
        return []
    remedy = "leave them out of the validation" if given else "name what they have in common as `groups`"
    return [
        f"At least {near:,} of the {what} that validate are nearly equal to one that their network was trained on "
        f"({alike}): if they are copies, {remedy}, for the figures flatter."
    ]


def leaking(pairs: Pairs, number: Rows) -> int:
    """How many rows validate a network that was trained on the other row of their pair.

    Args:
        pairs: of rows that are alike.
        number: of the network that each row validates, -1 where it validates none.
    """
    both = np.concatenate([pairs, pairs[:, ::-1]])
    own, other = number[both[:, 0]], number[both[:, 1]]
    return len(np.unique(both[(own >= 0) & (own != other), 0]))


def _repeated(content: Rows) -> np.ndarray:
    """Which rows are equal to another one."""
    _, numbers, counts = np.unique(content, return_inverse=True, return_counts=True)
    return np.asarray(counts[numbers] > 1)


def _all_of_a_class(truth: Rows, content: Rows) -> np.ndarray:
    """Which rows have the one content that a class consists of."""
    single = [truth == k for k in np.unique(truth) if len(np.unique(content[truth == k])) == 1]
    return np.isin(content, np.unique(content[np.any(single, axis=0)])) if single else np.zeros(len(truth), dtype=bool)


def _joined(own: Rows, content: Rows) -> Rows:
    """The number of what each row's group is joined to by equal rows."""
    groups = int(own.max()) + 1
    edges = coo_matrix((np.ones(len(own)), (own, groups + content)), shape=(groups + int(content.max()) + 1,) * 2)
    _, component = connected_components(edges, directed=False)
    _, numbers = np.unique(component[own], return_inverse=True)
    return numbers.astype(np.int64)


def _in_several(own: Rows, content: Rows) -> np.ndarray:
    """Which rows are equal to one of another group."""
    pairs = np.unique(np.stack([content, own]), axis=1)
    shared, counts = np.unique(pairs[0], return_counts=True)
    return np.isin(content, shared[counts > 1])

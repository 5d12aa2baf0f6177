"""Texts that are there several times: equal ones, and those that share nearly all of their words.

The latter are looked for among texts that are not equal, so that a fit comes back when these have their numbers.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import UInt16
from scipy.sparse import csr_matrix

from sluicegate.runtime.texts.terms import Words
from sluicegate.tasks.classification.equal_rows import Pairs, Rows, numbered

ALIKE = "they share four words in five, signs and figures aside"
"""What makes two texts nearly equal, for a note."""

_SHARED = 0.8
_BANDS, _HASHES = 8, 5  # of texts that share 80 % of their words 96 % are found, of those that share 90 % all
_LIKELY = 0.6  # share of the hashes below which words are not compared, which would take most of the time
_AT_ONCE = 100_000  # pairs that are compared together


def equal_texts(words: Words) -> Rows:
    """A number for each text, the same for those of the same words and signs; a blank one is equal to no other.

    What is blank can be learnt by heart no more than a class's frequency, and may be a third of a table.
    """
    values, bounds = words.rows.values, words.rows.bounds.tolist()
    return numbered(values[begin:end].tobytes() or None for begin, end in pairwise(bounds))


def near_texts(words: Words, content: Rows) -> Pairs:
    """Pairs of rows whose texts are not equal but share four of five words (the Jaccard index of their sets).

    Texts whose smallest hashes agree are compared (MinHash; Broder 1997), each with the next of its bucket, so that the
    time grows as the rows do; some pairs are missed.

    Args:
        words: of the texts.
        content: the numbers that `equal_texts` gives.
    """
    first = np.unique(content)
    sets = _sets(words, first)
    some = np.flatnonzero(np.diff(sets.indptr) > 0)
    sets, first = sets[some], first[some]
    found = [np.empty((0, 2), dtype=np.int64)]
    if len(first) > 1:
        sizes, hashes = np.diff(sets.indptr), _hashes(sets)
        for band in np.split(hashes, _BANDS):
            order = np.lexsort((sizes, *band))
            same = np.flatnonzero((band[:, order[1:]] == band[:, order[:-1]]).all(axis=0))
            found += _confirmed(sets, sizes, hashes, order[same], order[same + 1])
    return first[np.unique(np.concatenate(found), axis=0)]


def _sets(words: Words, rows: Rows) -> csr_matrix:
    """Which words of letters each text has."""
    letters = np.array([False, *(any(map(str.isalpha, name)) for name in words.names)])
    chosen = words.rows.take(rows)
    kept = letters[chosen.values]
    owner = chosen.owner[kept]
    sets = csr_matrix((np.ones(len(owner)), (owner, chosen.values[kept])), (len(rows), len(letters)))
    sets.data[:] = 1.0  # entries that were there twice have been added up
    return sets


def _hashes(sets: csr_matrix) -> UInt16[np.ndarray, "hashes all"]:
    """The smallest of each text's words in orders of chance, of which two texts share as many as of their words."""
    generator = np.random.default_rng(0)
    hashes = np.empty((_BANDS * _HASHES, sets.shape[0]), dtype=np.uint16)
    for row in hashes:
        ranks = generator.permutation(sets.shape[1])
        row[:] = np.minimum.reduceat(ranks[sets.indices], sets.indptr[:-1]) & 0xFFFF
    return hashes


def _confirmed(
    sets: csr_matrix, sizes: np.ndarray, hashes: UInt16[np.ndarray, "hashes all"], one: Rows, other: Rows
) -> list[Pairs]:
    """The pairs that really share so many words."""
    near = []
    for begin in range(0, len(one), _AT_ONCE):
        a, b = one[begin : begin + _AT_ONCE], other[begin : begin + _AT_ONCE]
        likely = (hashes[:, a] == hashes[:, b]).mean(0) > _LIKELY
        a, b = a[likely], b[likely]
        shared = np.asarray(sets[a].multiply(sets[b]).sum(1)).ravel()
        kept = shared >= _SHARED * (sizes[a] + sizes[b] - shared)
        near.append(np.sort(np.stack([a[kept], b[kept]], axis=1), axis=1))
    return near

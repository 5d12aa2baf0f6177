"""The tokens of a language model, numbered by how often they occur.

Texts in which no word is rare have a closed vocabulary, such as those in which rare words were replaced: all words are
tokens then, and sub-words only spell what comes later. Other texts are cut into sub-words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Int64

from sluicegate.tasks.generation.pairs import cut
from sluicegate.tasks.generation.subwords import END, MARK, SPECIAL, Subwords, suitable

_FEW = 3  # times that each word of a closed vocabulary occurs at least: as WikiText's were made
_MOST = 200_000  # words of a closed vocabulary
_SPELLING = 1000  # sub-words beside the words of a closed vocabulary
_GROUPS, _PLACES = 5, 22  # of rarer tokens, and where one may begin: of WikiText-2's 34,000 a place has 2,300 products
# So that the most probable token is mostly found among the common ones alone: from 200 on, training had 2,000
# products a place, but greedy continuations of WikiText-2 had 4,600, and with 800 they had 4,300.
_COMMON = 800
_GROUPED = 4000  # tokens from which there are groups: below it, a plain softmax takes less than the rest of a step


def vocabulary_of(lines: Sequence[str], size: int | None) -> tuple[Subwords, Int64[np.ndarray, " tokens"]]:
    """The tokens of texts, and how often each occurs.

    Args:
        lines: of the training texts.
        size: sub-words at most; None follows the texts, as above.

    Returns:
        The tokens, the special ones first, then the others from the commonest to the rarest.
    """
    words = Counter(word for line in lines for word in line.split())
    closed = size is None and len(words) <= _MOST and min(words.values(), default=0) >= _FEW
    found = Subwords.of(lines, _SPELLING if closed else size or suitable(words.total()))
    settings = json.loads(found.to_json())
    if closed:
        _add(settings, [found.tokenizer.normalizer.normalize_str(word) for word in words])
        found = Subwords.from_json(json.dumps(settings))
    counts = np.bincount(cut(found, lines).values, minlength=len(found))
    counts[END] = len(lines)
    order = np.concatenate([np.arange(len(SPECIAL)), len(SPECIAL) + np.argsort(-counts[len(SPECIAL) :], kind="stable")])
    place = np.argsort(order).tolist()
    vocabulary = settings["model"]["vocab"]
    settings["model"]["vocab"] = {token: place[number] for token, number in vocabulary.items()}
    return Subwords.from_json(json.dumps(settings)), counts[order]


def _add(settings: dict[str, Any], words: Sequence[str]) -> None:
    """Make words tokens: they are taken whole, and cut nowhere but at spaces."""
    model, cutters = settings["model"], settings["pre_tokenizer"]
    vocabulary = model["vocab"]
    for word in words:
        vocabulary.setdefault(MARK + word, len(vocabulary))
    model["ignore_merges"] = True
    cutters["pretokenizers"] = cutters["pretokenizers"][:1]


def cuts(counts: Int64[np.ndarray, " tokens"]) -> tuple[int, ...]:
    """Where groups of rarer tokens should begin in the output layer, so that there are the fewest products.

    A place is a product with every common token, and with every token of the group that its token is of, if of one.

    Args:
        counts: how often each token occurs, from the commonest to the rarest.
    """
    tokens = len(counts)
    if tokens < _GROUPED:
        return ()
    share = np.append(np.cumsum(counts[::-1])[::-1] / max(1, counts.sum()), 0.0)  # of the tokens from each one on

    def products(cut: tuple[int, ...]) -> float:
        groups = zip(cut, (*cut[1:], tokens), strict=True)
        of_groups = sum(float(share[begin] - share[end]) * (end - begin) for begin, end in groups)
        return cut[0] + len(cut) + of_groups

    places = np.unique(np.geomspace(_COMMON, tokens, _PLACES).astype(np.int64))[:-1]
    return min(combinations(places.tolist(), _GROUPS), key=products)

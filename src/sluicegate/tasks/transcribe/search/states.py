"""The hypotheses of a search as plain numbers, and back.

What the models say of a text is not written down: it is found anew from its tokens, and but for those that are settled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sluicegate.errors import ConfigError
from sluicegate.streaming.snapshots import damaged, require

from .beam import Beam
from .frontier import Frontier
from .hot_words import Hot
from .hypotheses import NONE, Growth, Node
from .lexicon import OVER


def state_of(frontier: Frontier, growth: Growth) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The state of the hypotheses: what JSON can hold, and arrays by name."""
    root = frontier.root
    numbers, nodes = {root: 0}, list[list[int]]()
    for leaf in frontier.open:
        parent = 0
        for node in leaf.path(root):
            if node not in numbers:
                numbers[node] = len(numbers)
                nodes.append([parent, node.token])
            parent = numbers[node]
    settings = {
        "frame": frontier.frame,
        "power": frontier.power,
        "folded": frontier.folded,
        "added": [list(added) for added in growth.added],
        "root": [root.token, root.begun, root.open, root.ends, list(root.context), root.place, list(root.hot)],
        "nodes": nodes,
        "open": [numbers[node] for node in frontier.open],
    }
    masses = [(node.blank, node.other) for node in frontier.open]
    return settings, {"masses": np.array(masses), "logarithms": np.array([frontier.scale, frontier.silent])}


def restored(
    settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], growth: Growth, beam: Beam
) -> tuple[Growth, Frontier]:
    """The hypotheses of a state.

    Args:
        settings: what `state_of` gave.
        arrays: what `state_of` gave.
        growth: as it was made, without words that were added later.
        beam: how to search.

    Raises:
        SnapshotError: the state is none.
    """
    match settings:
        case {
            "frame": int(frame),
            "power": int(power),
            "folded": bool(folded),
            "added": list(added),
            "root": [int(token), str(begun), bool(open_), bool(ends), list(context), int(place), list(hot)],
            "nodes": list(nodes),
            "open": list(numbers),
        } if whole([frame, *numbers]) and numbers and len(set(numbers)) == len(numbers) <= beam.width:
            pass
        case _:
            raise damaged("it does not say what the hypotheses are")
    _add_words(growth, added)
    frontier = Frontier(growth, beam)
    root = frontier.root
    root.token, root.begun, root.open, root.ends, root.place = token, begun, open_, ends, place
    root.context, root.hot = _context(growth, context), _hot(growth, hot)
    if not (NONE <= token < len(growth.parts) and OVER <= place < (growth.lexicon.places if growth.lexicon else 1)):
        raise damaged("its settled text is none")
    growth.look_ahead(root)
    texts = _texts(growth, root, nodes)
    for node in texts[1:]:
        frontier.know(node)
    masses = require(arrays, "masses", (len(numbers), 2), np.float64)
    logarithms = require(arrays, "logarithms", (2,), np.float64)
    if not (masses >= 0).all() or not np.isfinite(masses).all() or not (masses.sum(1) > 0).all():
        raise damaged("its masses are none")
    if not (logarithms < math.inf).all() or not math.isfinite(logarithms[0]) or max(numbers) >= len(texts):
        raise damaged("its hypotheses have no probability")
    frontier.open = [texts[number] for number in numbers]
    for node, (blank, other) in zip(frontier.open, masses.tolist(), strict=True):
        node.blank, node.other, node.total = blank, other, blank + other
    frontier.frame, frontier.power, frontier.folded = frame, power, folded
    frontier.scale, frontier.silent = logarithms.tolist()
    return growth, frontier


def whole(numbers: list[Any]) -> bool:
    """Tell whether all are whole numbers from 0 up."""
    return all(type(number) is int and number >= 0 for number in numbers)


def _add_words(growth: Growth, added: list[Any]) -> None:
    for one in added:
        match one:
            case [list(words), float(weight)] if all(isinstance(word, str) for word in words):
                pass
            case _:
                raise damaged("the words that were added are none")
        try:
            growth.add_words(words, weight)
        except ConfigError as error:
            raise damaged(f"the words that were added are none: {error}") from error


def _context(growth: Growth, context: list[Any]) -> tuple[int, ...]:
    if not whole(context) or not (growth.language.leads(context) if growth.language else not context):
        raise damaged("its words were of another language model")
    return tuple(context)


def _hot(growth: Growth, hot: list[Any]) -> Hot:
    match hot:
        case [int() | None as place, float(advanced), float(earned)] if growth.leads(Hot(place, advanced, earned)):
            return Hot(place, advanced, earned)
        case _:
            raise damaged("its hot words are others")


def _texts(growth: Growth, root: Node, nodes: list[Any]) -> list[Node]:
    """All texts: the settled one, and those that go on from one before."""
    texts = [root]
    for one in nodes:
        match one:
            case [int(parent), int(token)] if 0 <= parent < len(texts) and 0 < token < len(growth.parts):
                node = growth.grow(texts[parent], token)
            case _:
                node = None
        if node is None:
            raise damaged("one of its hypotheses is none")
        texts.append(node)
    return texts

"""What several hypotheses of a search share, and which of them can win nothing any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .hypotheses import Growth, Node


def shared_by(nodes: Collection[Node], root: Node, path: Sequence[Node]) -> int:
    """How many nodes of a path all of several texts begin with.

    Args:
        nodes: the texts.
        root: that all are below, or are.
        path: below it.
    """
    places = {root: 0} | {node: place for place, node in enumerate(path, 1)}
    shared = len(path)
    for node in nodes:
        while node not in places:
            assert node.parent is not None
            node = node.parent
        shared = min(shared, places[node])
    return shared


def without_lost(nodes: Sequence[Node], root: Node, growth: Growth) -> list[Node]:
    """The texts without those that others will always be better than.

    Those are a text into which no mass comes any more, and all that begin with it, where another text that ends alike
    for all models has as much mass or more, behind a blank and else, and what goes on from it in the same way too.

    Args:
        nodes: the texts, best first.
        root: that all are below, or are.
        growth: knows what tells texts apart.
    """
    alike: dict[tuple[object, ...], list[Node]] = {}
    for node in nodes:
        alike.setdefault(growth.key(node), []).append(node)
    there = set(nodes)
    if len(alike) == len(nodes) or root in there:
        return list(nodes)
    paths = {node: node.path(root) for node in nodes}
    said = {node: tuple(below.token for below in path) for node, path in paths.items()}
    by_tokens = {tokens: node for node, tokens in said.items()}
    lost: set[Node] = set()
    for first in reversed(nodes):
        depth = len(paths[first])
        if not there.isdisjoint(paths[first][:-1]):
            continue  # what it begins with is there
        family = [node for node in nodes if len(paths[node]) >= depth and paths[node][depth - 1] is first]
        for other in alike[growth.key(first)]:
            betters = [by_tokens.get(said[other] + said[node][depth:]) for node in family]
            if other not in lost and other not in family and all(map(_is_worse, family, betters)):
                lost.update(family)
                break
    return [node for node in nodes if node not in lost]


def _is_worse(node: Node, other: Node | None) -> bool:
    """Tell whether another text has as much mass or more."""
    return other is not None and other.blank >= node.blank and other.other >= node.other


def living(
    children: Mapping[int, Node | None], nodes: Collection[Node], root: Node, kinds: int
) -> dict[int, Node | None]:
    """The children of texts and of all that they begin with, which are such too.

    Args:
        children: by the number of the parent, times the number of tokens, and the token.
        nodes: the texts.
        root: that all are below, or are.
        kinds: how many tokens there are.
    """
    alive = {root.number} | {above.number for node in nodes for above in node.path(root)}
    return {
        key: child
        for key, child in children.items()
        if key // kinds in alive and (child is None or child.number in alive)
    }

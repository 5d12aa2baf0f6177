"""The sizes of the networks that read texts."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.types import Cell

FILTERS = 100  # of each convolution


@dataclass(frozen=True)
class Shape:
    """The sizes of the networks.

    Args:
        tokens: of the vocabulary.
        grams: words and pairs with a weight of their own.
        classes: what is told apart.
        embedding: the embedding dimension.
        hidden: units in each direction.
        layers: recurrent layers.
        cell: their kind.
        dropout: rate at which units are dropped in training.
        word_dropout: rate at which words are dropped in training.
        members: how many networks there are.
        capitals: whether they are told which letters of words are capitals.
        windows: how many words each convolution sees at a time.
    """

    tokens: int
    grams: int
    classes: int
    embedding: int
    hidden: int
    layers: int
    cell: Cell
    dropout: float
    word_dropout: float
    members: int
    capitals: bool = False
    windows: tuple[int, ...] = ()

    @property
    def pooled(self) -> int:
        """Count the pooled features of a text: means and largest states of two directions, and the filters' largest."""
        return 4 * self.hidden + FILTERS * len(self.windows)

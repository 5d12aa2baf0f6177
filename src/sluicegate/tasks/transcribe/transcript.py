"""What is said, as the search tells it: words, when each was said, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from .alignment import BLANK, best_path


class Word(NamedTuple):
    """A word that was said."""

    text: str
    begin: float
    """Seconds from the start of what was pushed."""
    end: float
    confidence: float
    """From 0 to 1: the geometric mean of the greatest probability of each of its tokens where it was said."""


class Transcript(NamedTuple):
    """What was said."""

    text: str
    words: list[Word]
    score: float
    """The logarithm of its probability, with what the models beside the network make of it."""


class Piece(NamedTuple):
    """A token of a text, where it was said."""

    token: int
    begin: int
    """Its first frame."""
    end: int
    """The frame past its last one."""
    chance: float
    """The logarithm of its greatest probability there."""
    loss: float
    """How much more probable the best path without any models is there: a logarithm."""
    skipped: float
    """And since the token before."""


class Spoken(NamedTuple):
    """A text in a lattice."""

    pieces: list[Piece]
    used: list[int]
    """How many rows are over with each piece."""
    rest: float
    """The loss behind the last one."""


def spoken_in(frames: Sequence[int], rows: Float32[np.ndarray, "frames tokens"], tokens: Sequence[int]) -> Spoken:
    """Find where the tokens of a text were said.

    Args:
        frames: the number of each row of the lattice.
        rows: of the lattice.
        tokens: of the text, without blanks; none where there are no rows.
    """
    path = best_path(rows, tokens)
    if path is None:  # where what is left of a cut lattice is too short for them
        path = np.minimum(np.arange(len(rows)) * len(tokens) // len(rows), len(tokens) - 1) * 2 + 1
    states = np.array([BLANK, *(part for token in tokens for part in (token, BLANK))])
    said = rows[np.arange(len(rows)), states[path]].astype(np.float64)
    # Of the frames before each, and of all.
    losses = [0.0, *np.cumsum(rows.max(1, initial=-np.inf) - said).tolist()]
    pieces, used = [], [0]
    places = np.searchsorted(path, np.arange(1, 2 * len(tokens) + 1)).tolist()
    for token, begin, end in zip(tokens, places[::2], places[1::2], strict=True):
        end = max(end, 1)
        begin = min(begin, end - 1)
        chance, before = float(said[begin:end].max()), min(used[-1], begin)
        loss, skipped = losses[end] - losses[begin], losses[begin] - losses[before]
        pieces.append(Piece(token, frames[begin], frames[end - 1] + 1, chance, loss, skipped))
        used.append(end)
    return Spoken(pieces, used[1:], losses[-1] - losses[used[-1]])


def words_of(
    pieces: Sequence[Piece],
    parts: Sequence[tuple[bool, str]],
    frame: float,
    margin: float | None,
    least: float = 0.0,
) -> list[Word]:
    """Join pieces to words.

    Args:
        pieces: of a text.
        parts: of each token whether a word begins with it, and its letters.
        frame: seconds of a frame.
        margin: the loss of a token up to which words are accepted, on average; None for any.
        least: the confidence from which words are accepted.
    """
    words: list[Word] = []
    for group in grouped(pieces, parts):
        spoken = [piece for piece in group if parts[piece.token][1]]
        if not spoken or (margin is not None and too_different(spoken, -spoken[0].skipped, margin)):
            continue  # what was heard before the word is none of it
        text = "".join(parts[piece.token][1] for piece in spoken)
        confidence = math.exp(min(0.0, sum(piece.chance for piece in spoken) / len(spoken)))
        if confidence >= least:
            words.append(Word(text, spoken[0].begin * frame, spoken[-1].end * frame, confidence))
    return words


def grouped(pieces: Sequence[Piece], parts: Sequence[tuple[bool, str]]) -> list[list[Piece]]:
    """The pieces of each word."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        if not groups or parts[piece.token][0]:
            groups.append([])
        groups[-1].append(piece)
    return groups


def too_different(pieces: Sequence[Piece], rest: float, margin: float) -> bool:
    """Tell whether something else was said than these pieces, or more."""
    return bool(sum(piece.loss + piece.skipped for piece in pieces) + rest > margin * len(pieces))

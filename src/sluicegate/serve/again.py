"""Answers that a client whose connection broke has not had, as far as they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .engine import Engine
from .sessions import Session

_MOST = 256  # answers of a message, about

_REFUSED = {"error": "the row was refused when it came"}


def told_again(session: Session, numbers: Sequence[int], had: Mapping[int, int]) -> Iterator[list[list[Any]]]:
    """Parts of what is to be told: lists of stream, number and answer.

    All is as it was at the call, whatever is answered until the parts are taken.

    Args:
        session: whose answers they are.
        numbers: of its streams.
        had: how many answers the client has of each; none where it does not say.
    """
    kept = []
    for number in numbers:
        until = session.number_of_answers(number)
        if (since := had.get(number, 0)) < until:
            answers = session.kept(number)[max(since - until, -session.version.limits.window) :]
            kept.append((number, until - len(answers), answers))
    return _parts(session.version.engine, kept)


def _parts(engine: Engine, kept: Sequence[tuple[int, int, list[Any]]]) -> Iterator[list[list[Any]]]:
    told: list[list[Any]] = []
    for number, first, answers in kept:
        shown = _shown(engine, answers) if engine.numeric else answers
        told += [[number, place, answer] for place, answer in enumerate(shown, first)]
        if len(told) >= _MOST:
            yield told
            told = []
    if told:
        yield told


def _shown(engine: Engine, answers: Sequence[Any]) -> list[Any]:
    """Rows of numbers as JSON; where a row was refused, no number was kept."""
    if not len(answers):
        return []
    values = np.stack(answers)
    lost = np.isnan(values).any(1)
    shown = engine.shown(np.nan_to_num(values))
    return [_REFUSED if gone else one for gone, one in zip(lost.tolist(), shown, strict=True)]

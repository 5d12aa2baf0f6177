"""Figures as people read them: four significant digits, and the best of each column marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

NONE = "n/a"


def figure(value: float) -> str:
    """A number with four significant digits, never in powers of ten where plain digits will do.

    >>> figure(2.98), figure(0.8), figure(123456.0), figure(0.0), figure(float("nan")), figure(1.2e-9)
    ('2.980', '0.8000', '123,500', '0', 'n/a', '1.2e-09')
    """
    if not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    places = 3 - math.floor(math.log10(abs(value)))
    if not -6 < places <= 9:
        return f"{value:.4g}"
    rounded = round(value, places)
    places = 3 - math.floor(math.log10(abs(rounded)))  # 9.9999 has become 10.00
    return f"{rounded:,.{max(0, places)}f}"


def best_of(column: Sequence[float], ideal: float) -> list[bool]:
    """Which figures of a column are nearest to the ideal; those that read alike share the mark, and one alone has none.

    >>> best_of([2.0, 1.0, float("nan")], 0.0), best_of([0.9, 0.75, 0.5], 0.8), best_of([2.0], 0.0)
    ([False, True, False], [False, True, False], [False])
    """
    known = [value for value in column if math.isfinite(value)]
    if len(known) < 2:
        return [False] * len(column)
    best = min(known, key=lambda value: abs(value - ideal))
    return [
        math.isfinite(value) and (figure(value) == figure(best) or abs(value - ideal) == abs(best - ideal))
        for value in column
    ]


def plain(text: str) -> str:
    r"""A user's text on one line, without the control characters that move a terminal's cursor or break a file.

    >>> plain("a\x1b[31mb\nc")
    'a [31mb c'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)


def words(name: str) -> str:
    """A metric's or a method's name for people.

    >>> words("seasonal_naive")
    'seasonal naive'
    """
    return plain(name.replace("_", " "))

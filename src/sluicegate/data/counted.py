"""Numbers of things in words: one row was, and two rows were."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """So many of something.

    Args:
        count: how many.
        noun: what, one of it, whose plural ends in s.

    >>> counted(1, "row"), counted(0, "row"), counted(2000, "row")
    ('1 row', '0 rows', '2,000 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def left_out(count: int, noun: str, which: str, of: str = "") -> list[str]:
    """A note on what was left out, if anything was.

    Args:
        count: how many.
        noun: what, one of it.
        which: tells these from the others.
        of: what they were left out of.

    >>> left_out(1, "row", "without a text"), left_out(2, "pair", "of long texts", "training"), left_out(0, "row", "")
    (['1 row without a text was left out.'], ['2 pairs of long texts were left out of training.'], [])
    """
    if not count:
        return []
    return [f"{counted(count, noun)} {which} {'was' if count == 1 else 'were'} left out{of and f' of {of}'}."]

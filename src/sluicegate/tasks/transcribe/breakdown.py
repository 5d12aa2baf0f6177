"""Word error rates of parts of the recordings: of groups, and of texts of about the same length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

from sluicegate.metrics.transcription import Counts, rates
from sluicegate.tasks.report.figures import plain

Rows = Int64[np.ndarray, " _"]

_SHOWN = 10  # groups in a picture
_BINS = 4  # into which recordings are put by length
_LETTERS = 14  # of a group's name


def by_group(
    title: str, names: Sequence[str], counts: Mapping[str, Counts], order: Sequence[str] = ()
) -> dict[str, Any]:
    """The word error rates of groups of recordings, as `grouped_bars` takes them.

    Args:
        title: what the groups are.
        names: the group of each recording.
        counts: the errors of the model and of each simple method.
        order: in which groups are shown; others behind them, the worst for the model first.
    """
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    model = next(iter(counts.values()))
    known = [name for name in order if name in rows]
    worst = sorted(rows.keys() - set(known), key=lambda name: (-_wer(model, np.array(rows[name])), name))
    shown = [*known, *worst][:_SHOWN]
    caption = "Word error rate in per cent, with how many recordings there are."
    if len(rows) > len(shown):
        caption += f" Of {len(rows)} groups, the {len(shown)} worst."
    return _bars(title, caption, [(name, np.array(rows[name])) for name in shown], counts)


def by_length(texts: Sequence[str], counts: Mapping[str, Counts]) -> dict[str, Any]:
    """The word error rates by the number of words that were said, as `grouped_bars` takes them.

    Args:
        texts: what was said, somewhere at least one word.
        counts: the errors of the model and of each simple method.
    """
    lengths = np.array([len(text.split()) for text in texts])
    different = np.unique(lengths[lengths > 0])
    if len(different) > _SHOWN:
        different = np.unique(np.quantile(lengths[lengths > 0], np.arange(1, _BINS + 1) / _BINS, method="nearest"))
    bins, low = [], 1
    for high in different.tolist():
        shortest = int(lengths[lengths >= low].min())
        name = f"{high}" if shortest == high else f"{shortest} to {high}"
        bins.append((name, np.flatnonzero((lengths >= low) & (lengths <= high))))
        low = high + 1
    caption = "Word error rate in per cent by the number of words that were said, with how many recordings there are."
    return _bars("By length", caption, bins, counts)


def _bars(title: str, caption: str, bins: Sequence[tuple[str, Rows]], counts: Mapping[str, Counts]) -> dict[str, Any]:
    return {
        "title": title,
        "caption": caption,
        "bins": [f"{_short(name)}\n({len(rows):,})" for name, rows in bins],
        "figures": {method: [_wer(of, rows) for _, rows in bins] for method, of in counts.items()},
        "metric": "wer",
    }


def _wer(counts: Counts, rows: Rows) -> float:
    """That of some recordings; 0 where nothing was said, and nothing was written."""
    found = rates(counts[rows]).wer
    return 0.0 if np.isnan(found) else found


def _short(name: str) -> str:
    name = plain(name) or "(blank)"
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"

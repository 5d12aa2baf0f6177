"""How near transcripts come to what was said, by jiwer, so that figures can be compared with others'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

from sluicegate.errors import MissingExtra

from .significance import paired_bootstrap

Counts = Int64[np.ndarray, "texts 5"]
"""Of each text: word errors, words of its reference, character errors, characters of its reference, 1 if it is right.

An error is a word, or a character, that is put in another's place, left out or put in, in an alignment that has the
fewest of them (Levenshtein 1966).
"""


class Scored(NamedTuple):
    """The figures of some transcripts beside what was said."""

    wer: float
    """The word error rate in per cent, 0 or more: errors by the words that were said; NaN where none were."""
    cer: float
    """The same of characters, of which the spaces between words are some."""
    sentence_accuracy: float
    """How many transcripts are right in every word, in per cent; NaN where there are none."""


class Confusion(NamedTuple):
    """Words that were taken for others."""

    said: str  # blank for a word that was put in
    written: str  # blank for a word that was left out
    times: int


def _jiwer() -> Any:
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtra("jiwer", "speech", "measuring transcripts") from error
    return jiwer


def require_jiwer() -> None:
    """Refuse to begin what ends in figures where the package for these is missing.

    Raises:
        MissingExtra: it is.
    """
    _jiwer()


def counted(texts: Sequence[str], references: Sequence[str]) -> Counts:
    """The errors of each transcript.

    Args:
        texts: that were written; upper and lower case, and marks, count as they are.
        references: what was said; a blank one stands for silence.

    Raises:
        MissingExtra: jiwer is not installed.

    >>> counted(["one too three", ""], ["one two three", ""]).tolist()
    [[1, 3, 1, 13, 0], [0, 0, 0, 0, 1]]
    """
    found = np.zeros((len(references), 5), dtype=np.int64)
    if not len(references):
        return found
    for column, process in ((0, _jiwer().process_words), (2, _jiwer().process_characters)):
        aligned = process(list(references), list(texts))
        found[:, column] = [sum(map(_errors, chunks)) for chunks in aligned.alignments]
        found[:, column + 1] = [len(parts) for parts in aligned.references]
    found[:, 4] = found[:, 0] == 0
    return found


def _errors(chunk: Any) -> int:
    """Those of a part of an alignment."""
    if chunk.type == "equal":
        return 0
    return int(max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx))


def rates(counts: Counts) -> Scored:
    """The figures of transcripts whose errors are counted.

    >>> rates(counted(["one too three"], ["one two three"]))
    Scored(wer=33.333333333333336, cer=7.6923076923076925, sentence_accuracy=0.0)
    """
    total = counts.sum(0).tolist()
    wer, cer = (100 * errors / of if of else float("nan") for errors, of in (total[:2], total[2:4]))
    return Scored(wer, cer, 100 * total[4] / len(counts) if len(counts) else float("nan"))


def scored(texts: Sequence[str], references: Sequence[str]) -> Scored:
    """The word error rate, the character error rate and the sentence accuracy of transcripts.

    Args:
        texts: that were written.
        references: what was said.

    Raises:
        MissingExtra: jiwer is not installed.
    """
    return rates(counted(texts, references))


def wer_p_value(first: Counts, second: Counts, groups: Sequence[Hashable] | None = None) -> float:
    """The p of no difference in word error rate between two methods, by paired bootstrap (Bisani & Ney 2004).

    Args:
        first: the errors of one method.
        second: those of the other, on the same recordings.
        groups: whose each recording is, such as its speaker: all of a group's are drawn together, since they are more
            alike than those of others; None, or a single group, draws recordings.
    """
    if len(first) < 2 or (first[:, 0] == second[:, 0]).all():
        return 1.0
    numbers: dict[Hashable, int] = {}
    of = np.array([numbers.setdefault(group, len(numbers)) for group in groups or range(len(first))])
    if len(numbers) == 1:
        of = np.arange(len(first))
    errors = np.stack([np.bincount(of, of_method[:, 0]) for of_method in (first, second)], axis=1)
    return paired_bootstrap(errors, lambda drawn: drawn[:, 0] - drawn[:, 1])


def confusions(texts: Sequence[str], references: Sequence[str]) -> list[Confusion]:
    """The words that were taken for others, left out or put in; what came most often first.

    Args:
        texts: that were written.
        references: what was said.

    Raises:
        MissingExtra: jiwer is not installed.

    >>> confusions(["one too", "too three four"], ["one two", "two three"])
    [Confusion(said='two', written='too', times=2), Confusion(said='', written='four', times=1)]
    """
    if not len(references):
        return []
    aligned = _jiwer().process_words(list(references), list(texts))
    times: Counter[tuple[str, str]] = Counter()
    for chunks, said, written in zip(aligned.alignments, aligned.references, aligned.hypotheses, strict=True):
        for chunk in chunks:
            if chunk.type != "equal":
                times.update(_pairs(chunk, said, written))
    return [Confusion(*words, number) for words, number in sorted(times.items(), key=lambda item: (-item[1], item[0]))]


def _pairs(chunk: Any, said: Sequence[str], written: Sequence[str]) -> list[tuple[str, str]]:
    """The words of a part of an alignment, one beside the other; the rest of the longer side beside nothing."""
    left, right = said[chunk.ref_start_idx : chunk.ref_end_idx], written[chunk.hyp_start_idx : chunk.hyp_end_idx]
    longest = max(len(left), len(right))
    return list(zip([*left, *[""] * (longest - len(left))], [*right, *[""] * (longest - len(right))], strict=True))


def words_right(text: str, reference: str) -> list[bool]:
    """Of each word of a transcript, whether it is one of its reference in the same place.

    Args:
        text: that was written.
        reference: what was said.

    Raises:
        MissingExtra: jiwer is not installed.

    >>> words_right("one too three four", "one two three")
    [True, False, True, False]
    """
    aligned = _jiwer().process_words([reference], [text])
    right = [False] * len(aligned.hypotheses[0])
    for chunk in aligned.alignments[0]:
        if chunk.type == "equal":
            right[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
    return right

"""How much of what people wrote is in a summary, by rouge-score, so that figures can be compared with others'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float64

from sluicegate.errors import MissingExtra

NAMES = ("rouge1", "rouge2", "rougeL")


class _Words:
    """Words of any script, without stems: rouge-score's own tokenizer knows Latin letters alone."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


def require_rouge() -> None:
    """Refuse to begin what ends in figures where the package for these is missing.

    Raises:
        MissingExtra: it is.
    """
    _scorer(english=True)


@cache
def _scorer(*, english: bool) -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise MissingExtra("rouge-score", "summarize", "measuring summaries") from error
    return RougeScorer(list(NAMES), use_stemmer=True) if english else RougeScorer(list(NAMES), tokenizer=_Words())


def by_text(texts: Sequence[str], references: Sequence[str]) -> Float64[np.ndarray, "texts 3"]:
    """ROUGE-1, ROUGE-2 and ROUGE-L of each text in per cent: F1 of words, of pairs, and of the longest common run.

    Lin 2004; English words are stemmed, as is usual. Texts whose letters are not mostly Latin are cut into words as
    they are.

    Args:
        texts: the summaries.
        references: what people wrote.

    Raises:
        MissingExtra: rouge-score is not installed.
    """
    letters = [letter for letter in "".join(references)[:100_000] if letter.isalpha()]
    scorer = _scorer(english=sum(letter.isascii() for letter in letters) >= 0.9 * len(letters))
    found = [scorer.score(reference, text) for text, reference in zip(texts, references, strict=True)]
    return 100.0 * np.array([[one[name].fmeasure for name in NAMES] for one in found]).reshape(-1, len(NAMES))

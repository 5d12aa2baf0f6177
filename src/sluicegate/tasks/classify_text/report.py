"""The report of a text classifier."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.data.words import clean
from sluicegate.runtime.texts.letters import LONGEST, SHORTEST
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.report import network_facts, reported
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .baselines import MOST_ROWS
from .examples import Examples
from .explaining import Explanation, explain
from .trained import Trained

_MOST_SHOWN = 400  # characters of a mistake that are shown
_MANY_UNKNOWN = 0.05  # of the words, beyond which a note says so
_NGRAMS = f"character n-grams of {SHORTEST} to {LONGEST} letters, for many words are long"


def report(trained: Trained, validation: Validation[Examples], title: str, notes: Sequence[str] = ()) -> Report:
    """Figures, facts and the most certain mistakes."""

    def explained(row: int, label: int, heading: str) -> Passage:
        text = clean(validation.examples.texts[row][:_MOST_SHOWN])
        return Passage(heading, _parts(text, explain(trained, text, label)) or (("(blank)", 0.0),))

    return reported(
        f"Class of {trained.text}: {title}",
        trained,
        validation,
        facts=_facts(trained, len(validation.examples.truth)),
        notes=notes,
        explained=explained,
    )


def told(examples: Examples, new_words: tuple[float, float]) -> tuple[tuple[str, ...], dict[str, str]]:
    """What a reader should know of some texts: notes, and a fact.

    Args:
        examples: the texts.
        new_words: the shares of their words that are unknown, and that are read in pieces.
    """
    notes, (unknown, pieces) = [], new_words
    if blank := sum(not text.strip() for text in examples.texts):
        notes.append(f"{blank:,} of the texts are blank.")
    if unknown > _MANY_UNKNOWN:
        notes.append(
            f"{unknown:.0%} of the words have letters that training did not have and are unknown: the model guesses "
            "there; train on texts of this script too."
        )
    return tuple(notes), {"new words": f"{unknown:.1%} unknown, {pieces:.1%} read in pieces"}


def _facts(trained: Trained, rows: int) -> dict[str, str]:
    shape = trained.shape
    terms = _NGRAMS if trained.methods[0].reading == "letters" else "words and pairs of words"
    beside = f" beside convolutions over {' and '.join(map(str, shape.windows))} words" if shape.windows else ""
    counted = "words and pairs" if trained.grams.letters is None else "words, pairs and character n-grams"
    facts = {
        "rows": f"{rows:,}",
        "trained on": f"{trained.rows:,} rows",
        "classes": f"{len(trained.labels.classes):,}",
        "model": network_facts(trained, shape.cell, shape.hidden, beside),
        "vocabulary": f"{shape.tokens:,} words and pieces, {shape.grams:,} {counted} in the linear path",
        **({} if trained.covered is None else {"vectors": trained.covered.fact()}),
        "tfidf logistic regression": f"{terms}, C = 10",
        "nb svm": f"{terms}, with the logistic loss, so that it gives probabilities",
    }
    if trained.rows > MOST_ROWS:
        facts["simple methods"] = f"trained on {MOST_ROWS:,} of the rows, drawn at random"
    return facts


def _parts(text: str, found: Explanation) -> tuple[tuple[str, float], ...]:
    """The tokens with their shares, and what stands between them."""
    parts, last = [], 0
    for (begin, end), share in zip(found.spans, found.shares.tolist(), strict=True):
        if begin > last:
            parts.append((text[last:begin], 0.0))
        parts.append((text[begin:end], share))
        last = end
    return tuple(parts)

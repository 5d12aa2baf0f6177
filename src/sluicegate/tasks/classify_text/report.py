"""The report of a text classifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sluicegate.data.words import clean
from sluicegate.tasks.classification.evaluation import Rows, report_on
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .baselines import MOST_ROWS
from .examples import Validation
from .explaining import Explanation, explain
from .letters import LONGEST_RUN, SHORTEST
from .terms import Reading
from .trained import Trained

_MISTAKES = 8
_LONGEST = 400  # characters of a mistake that are shown
_MANY_UNKNOWN = 0.05  # of the words, beyond which a note says so
_RUNS = f"character n-grams of {SHORTEST} to {LONGEST_RUN} letters, for many words are long"
_TERMS: dict[Reading, str] = {
    "earlier": "words and pairs of words",
    "words": "words and pairs of words",
    "letters": _RUNS,
}


def report(trained: Trained, validation: Validation, title: str, notes: Sequence[str]) -> Report:
    """Figures, facts and the most certain mistakes."""
    examples, said = validation.examples, validation.said
    blank = sum(not text.strip() for text in examples.texts)
    if blank:
        notes = [*notes, f"{blank:,} of the texts are blank."]
    unknown, pieces = validation.new_words
    if unknown > _MANY_UNKNOWN:
        notes = [
            *notes,
            f"{unknown:.0%} of the words have letters that training did not have and are unknown: the model guesses "
            "there; train on texts of this script too.",
        ]
    return report_on(
        f"Class of {trained.text}: {title}",
        trained.labels.classes,
        Rows(examples.truth, None if examples.groups is None else tuple(examples.groups)),
        said,
        answers=trained.decision.answers(said["model"]),
        facts=_facts(trained, validation) | {"new words": f"{unknown:.1%} unknown, {pieces:.1%} read in pieces"},
        notes=notes,
        curve=trained.curve,
        passages=_mistakes(trained, validation),
    )


def _facts(trained: Trained, validation: Validation) -> dict[str, str]:
    shape, examples = trained.shape, validation.examples
    networks = "1 network" if shape.members == 1 else f"the mean of {shape.members} networks"
    weights = sum(parameter.numel() for parameter in trained.model.parameters())
    beside = f" beside convolutions over {' and '.join(map(str, shape.windows))} words" if shape.windows else ""
    facts = {
        "rows": f"{len(examples.truth):,}",
        "trained on": f"{trained.rows:,} rows",
        "classes": f"{len(trained.labels.classes):,}",
        "model": f"{shape.cell.upper()}, {shape.hidden} units each way{beside}, {networks}, {weights:,} weights",
        "vocabulary": f"{shape.tokens:,} words and pieces, {shape.grams:,} {_counted(trained)} in the linear path",
        **({} if trained.covered is None else {"vectors": trained.covered.fact()}),
        "tfidf logistic regression": f"{_TERMS[trained.baselines[0].reading]}, C = 10",
        "nb svm": f"{_TERMS[trained.baselines[0].reading]}, with the logistic loss, so that it gives probabilities",
    }
    if trained.rows > MOST_ROWS:
        facts["simple methods"] = f"trained on {MOST_ROWS:,} of the rows, drawn at random"
    return facts | trained.decision.facts()


def _counted(trained: Trained) -> str:
    return "words and pairs" if trained.grams.letters is None else "words, pairs and character n-grams"


def _mistakes(trained: Trained, validation: Validation) -> list[Passage]:
    examples, said = validation.examples, validation.said["model"]
    answers, classes = trained.decision.answers(said), trained.labels.classes
    wrong = np.flatnonzero(answers != examples.truth)
    certain = wrong[np.argsort(-said[wrong, answers[wrong]], kind="stable")[:_MISTAKES]]
    passages = []
    for row in certain.tolist():
        text = clean(examples.texts[row][:_LONGEST])
        found = explain(trained, text, int(answers[row]))
        parts = _parts(text, found)
        heading = f"said {classes[answers[row]]} ({said[row, answers[row]]:.2f}), is {classes[examples.truth[row]]}"
        passages.append(Passage(heading, parts or (("(blank)", 0.0),)))
    return passages


def _parts(text: str, found: Explanation) -> tuple[tuple[str, float], ...]:
    """The tokens with their shares, and what stands between them."""
    parts, last = [], 0
    for (begin, end), share in zip(found.spans, found.shares.tolist(), strict=True):
        if begin > last:
            parts.append((text[last:begin], 0.0))
        parts.append((text[begin:end], share))
        last = end
    return tuple(parts)

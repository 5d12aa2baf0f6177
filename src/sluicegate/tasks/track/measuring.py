"""How well sequences are followed."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.metrics.tracking import Evaluation, Followed, TrackingScores

from .labelling import Lesson


def measured(lessons: Sequence[Lesson], found: Sequence[Followed]) -> tuple[list[TrackingScores], TrackingScores]:
    """The figures of each sequence, and of all together.

    Args:
        lessons: what is true.
        found: what was told of each.
    """
    evaluation = Evaluation()
    each = [
        evaluation.add(str(number), followed_truth(lesson), one, _frames(lesson))
        for number, (lesson, one) in enumerate(zip(lessons, found, strict=True))
    ]
    return each, evaluation.total()


def followed_truth(lesson: Lesson) -> Followed:
    """What is true, as metrics take it."""
    assert lesson.truth.ids is not None
    return Followed(lesson.truth.frames, lesson.truth.ids, lesson.truth.boxes)


def _frames(lesson: Lesson) -> range:
    """The numbers of all frames."""
    return range(lesson.truth.first, lesson.truth.first + lesson.truth.length)

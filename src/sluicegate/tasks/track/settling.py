"""What is left to choose beside the networks, chosen by how well the training sequences are followed then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sluicegate.metrics.tracking import Evaluation, Followed, TrackingScores

from .following import follow
from .labelling import Lesson
from .running import Follower, Mind, Rules

_TRIED: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("match", (-3.0,)),
    ("age", (1.0, 4.0)),
    ("first", (0.6, 0.7)),
    ("told", (0.3, 0.5)),
    ("lost", (0.5, 0.7)),
)
"""Of each, other values than it has at first, in the order in which they are tried."""


def settled(mind: Mind, lessons: Sequence[Lesson], *, age: float | None, mixed: bool) -> Rules:
    """The best rules, of which one after the other is tried.

    Args:
        mind: the networks.
        lessons: to follow.
        age: seconds that a track outlives without being seen; None tries several.
        mixed: whether the class may change within a track.
    """
    best = Rules() if age is None else Rules(age=age)
    most = _worth(measured(Follower(mind, best, classes=mixed), lessons)[1])
    for name, values in _TRIED:
        if name == "age" and age is not None:
            continue
        for value in values:
            tried = replace(best, **{name: value})
            worth = _worth(measured(Follower(mind, tried, classes=mixed), lessons)[1])
            if worth > most:
                best, most = tried, worth
    return best


def measured(follower: Follower, lessons: Sequence[Lesson]) -> tuple[list[TrackingScores], TrackingScores]:
    """How well sequences are followed, each and all together."""
    evaluation = Evaluation()
    each = [
        evaluation.add(f"{number}", followed_truth(lesson), follow(follower, lesson.seen).followed(), frames(lesson))
        for number, lesson in enumerate(lessons)
    ]
    return each, evaluation.total()


def followed_truth(lesson: Lesson) -> Followed:
    """What is true, as metrics take it."""
    assert lesson.truth.ids is not None
    return Followed(lesson.truth.frames, lesson.truth.ids, lesson.truth.boxes)


def frames(lesson: Lesson) -> range:
    """The numbers of all frames."""
    return range(lesson.truth.first, lesson.truth.first + lesson.truth.length)


def _worth(scores: TrackingScores) -> float:
    return scores.hota + scores.idf1 + scores.mota

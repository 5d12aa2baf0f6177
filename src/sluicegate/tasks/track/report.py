"""The report of a tracker: its figures beside simple methods' on the same boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from sluicegate.data.boxes import BoxSequence
from sluicegate.data.counted import counted
from sluicegate.metrics.tracking import Followed, TrackingScores, switch_rows
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.figures import figure, words

from .following import follow
from .labelling import Lesson
from .measuring import followed_truth, measured
from .pictures import draw
from .simple import byte_track, sort
from .trained import Trained

MEASURES = (
    Measure("hota", "higher order tracking accuracy in per cent: how well boxes and ids are found, alike", ideal=100.0),
    Measure("idf1", "the F-score of boxes that have the right id, in per cent", ideal=100.0),
    Measure(
        "mota",
        "100 less false boxes, misses and switches, in per cent of the true boxes; it may be below 0",
        ideal=100.0,
    ),
    Measure("switches", "times that the id on a true object changes"),
    Measure("false_boxes", "boxes that are on no true one"),
    Measure("misses", "true boxes that none is on"),
)
SIMPLE: dict[str, Callable[[BoxSequence], Followed]] = {
    "sort": sort,
    "sort_10": partial(sort, max_age=10),
    "byte_track": byte_track,
}
"""SORT, which gives up an object that is not seen in two frames, or in eleven; and ByteTrack's association."""
_DRAWN = 4  # sequences whose tracks are drawn
_SURE = 0.5  # points in HOTA that a difference must have in as many sequences


def report(trained: Trained, lessons: Sequence[Lesson], title: str, notes: Sequence[str] = ()) -> Report:
    """Follow sequences, and set that beside what simple methods make of them.

    Args:
        trained: the model.
        lessons: the boxes of a detector beside what is true.
        title: what was evaluated.
        notes: what a reader should bear in mind.
    """
    found = {"model": [follow(trained.follower, lesson.seen).followed() for lesson in lessons]}
    found |= {name: [method(lesson.seen) for lesson in lessons] for name, method in SIMPLE.items()}
    each: dict[str, list[TrackingScores]] = {}
    metrics: dict[str, dict[str, float]] = {}
    for name, sequences in found.items():
        each[name], total = measured(lessons, sequences)
        metrics[name] = {measure: float(value) for measure, value in total._asdict().items()}
    return Report(
        title=f"Tracker: {title}",
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=_verdict(metrics, each, lessons),
        facts=_facts(trained, lessons, each["model"]),
        notes=tuple(notes),
        measures=MEASURES,
        draw=partial(draw, details := _details(trained, lessons, found["model"], each)),
        details=details,
    )


def _verdict(
    metrics: Mapping[str, Mapping[str, float]], each: Mapping[str, Sequence[TrackingScores]], lessons: Sequence[Lesson]
) -> str:
    """A sentence: the simpler method unless the model is ahead, and in most sequences."""
    name = max((name for name in metrics if name != "model"), key=lambda name: metrics[name]["hota"])
    model, best = metrics["model"], metrics[name]
    ahead = sum(a.hota > b.hota for a, b in zip(each["model"], each[name], strict=True))
    of = f"{ahead} of {counted(len(lessons), 'sequence')}"
    told = (
        f"HOTA is {figure(model['hota'])} of the model and {figure(best['hota'])} of {words(name)}, the best simple "
        f"method, on the same boxes, with {model['switches']:,.0f} and {best['switches']:,.0f} switches; the model is "
        f"ahead in {of}"
    )
    if model["hota"] > best["hota"] + _SURE and 2 * ahead > len(lessons):
        return f"Use the model: {told}."
    if model["hota"] >= best["hota"] - _SURE and model["switches"] < best["switches"]:
        return f"Use the model where few switches matter, else {words(name)}, the simpler: {told}."
    return f"Use {words(name)}: {told}."


def _facts(trained: Trained, lessons: Sequence[Lesson], each: Sequence[TrackingScores]) -> dict[str, str]:
    shape, rules = trained.shape, trained.rules
    weights = sum(weight.numel() for weight in trained.model.parameters())
    rows = {
        f"sequence {lesson.truth.name}": f"HOTA {figure(one.hota)}, IDF1 {figure(one.idf1)}, MOTA {figure(one.mota)}, "
        f"{one.switches:,} switches, {lesson.truth.length:,} frames"
        for lesson, one in zip(lessons, each, strict=True)
    }
    return {
        "boxes": f"{sum(len(one.seen) for one in lessons):,} seen, {sum(len(one.truth) for one in lessons):,} true",
        "trained on": f"{counted(trained.sequences, 'sequence')}, {trained.boxes:,} true boxes",
        "model": f"{shape.layers} {shape.cell.upper()} layers of {shape.hidden} units; {weights:,} weights",
        "an object": f"is told from a probability of {rules.first:g} on, and given up after {rules.age:g} s",
        **rows,
    }


def _details(
    trained: Trained,
    lessons: Sequence[Lesson],
    found: Sequence[Followed],
    each: Mapping[str, Sequence[TrackingScores]],
) -> dict[str, Any]:
    """What the pictures are drawn from."""
    names = [lesson.truth.name for lesson in lessons]
    drawn = []
    for lesson, one in list(zip(lessons, found, strict=True))[:_DRAWN]:
        drawn.append(
            {
                "name": lesson.truth.name,
                "frames": one.frames.tolist(),
                "ids": one.ids.tolist(),
                "places": (one.boxes[:, 0] + one.boxes[:, 2] / 2).tolist(),
                "switches": [row for _, row in switch_rows(followed_truth(lesson), one)],
            }
        )
    return {
        "curve": asdict(trained.curve),
        "sequences": {
            name: {of: score.hota for of, score in zip(names, row, strict=True)} for name, row in each.items()
        },
        "tracks": drawn,
    }

"""The pictures of a tracker's report, drawn from its `details`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.bars import grouped_bars
from sluicegate.tasks.report.drawing import AMBER, BLUE, GREEN, INK, ORANGE, PURPLE, drawn
from sluicegate.tasks.report.figures import plain
from sluicegate.tasks.report.learning_curve import learning_curve

_COLOURS = (BLUE, GREEN, PURPLE, AMBER)  # of tracks, one after the other
_POINTS = 4000  # of a picture at most
_LETTERS = 14  # of a name


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give: each sequence's figures, tracks over time, and the learning curve."""
    pictures = []
    if details.get("sequences"):
        methods = details["sequences"]
        names = list(next(iter(methods.values())))
        pictures.append(
            grouped_bars(
                "Each sequence",
                "HOTA in per cent, of each sequence. Higher is better.",
                [plain(name)[:_LETTERS] for name in names],
                {method: [row[name] for name in names] for method, row in methods.items()},
                "hota",
            )
        )
    pictures += [_tracks(one) for one in details.get("tracks", ()) if one["frames"]]
    if details.get("curve", {}).get("steps"):
        pictures.append(_learning_curve(details["curve"]))
    return pictures


def _tracks(one: dict[str, Any]) -> Picture:
    caption = (
        "Each line is an object that is followed: the centre of its box across the picture, over the frames. A cross "
        "marks where the id on a true object changes."
    )
    with drawn(f"Tracks of {plain(one['name'])}", caption) as (picture, made):
        axes = picture.add_subplot()
        frames, ids, places = (np.array(one[of]) for of in ("frames", "ids", "places"))
        every = max(1, len(frames) // _POINTS)
        for number, track in enumerate(np.unique(ids)):
            rows = np.flatnonzero(ids == track)
            rows = np.append(rows[::every], rows[-1:])
            axes.plot(frames[rows], places[rows], color=_COLOURS[number % len(_COLOURS)], linewidth=0.9)
        if one["switches"]:
            rows = np.array(one["switches"])
            axes.scatter(frames[rows], places[rows], color=ORANGE, marker="x", s=20, linewidth=1.2, zorder=3)
        axes.set_xlabel("frame")
        axes.set_ylabel("pixels across")
        axes.tick_params(colors=INK)
        axes.grid(axis="y")
    return made[0]


def _learning_curve(curve: dict[str, Any]) -> Picture:
    return learning_curve(
        "Negative log-likelihood of where objects are, now and later, by the size of the box: on pieces of training "
        "sequences and of those that validate. Lower is better.",
        curve["steps"],
        curve["training"],
        curve["validation"],
    )

"""The pictures of an action recognizer's report: those of every classifier, and skeletons of its mistakes over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluicegate.tasks.classification import pictures
from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.drawing import BLUE, FAINT, INK, drawn

from .bodies import Normal

_SHOWN = 7  # skeletons of a clip


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give."""
    found = pictures.draw(details)
    if details["mistakes"]:
        found.append(_mistakes(details["mistakes"], details["bones"]))
    return found


def told(clip: Normal, heading: str, *, upwards: bool) -> dict[str, Any]:
    """A clip as details hold it: a few of its skeletons from the front, the head above."""
    places = np.unique(np.linspace(0, len(clip) - 1, _SHOWN).astype(np.int64))
    seen = np.nan_to_num(clip[places][..., :2])
    seen[..., 1] *= 1 if upwards else -1
    return {
        "heading": heading,
        "at": (places / max(len(clip) - 1, 1)).round(3).tolist(),
        "joints": seen.round(2).tolist(),
    }


def _mistakes(mistakes: list[dict[str, Any]], bones: list[list[int]]) -> Picture:
    caption = (
        "Skeletons from the beginning of a clip on the left to its end on the right, from the front and at one size. "
        "Above each clip: what the model said, with its probability, and what it is."
    )
    with drawn("The most certain mistakes over time", caption, (5.6, 1.25 * len(mistakes))) as (picture, made):
        rows = picture.subplots(len(mistakes), 1, squeeze=False)[:, 0]
        for axes, mistake in zip(rows, mistakes, strict=True):
            frames = np.array(mistake["joints"])
            wide = float(np.ptp(frames[..., 0])) + 0.5
            for number, frame in enumerate(frames):
                x = frame[:, 0] + number * wide
                for one, other in bones:
                    axes.plot(x[[one, other]], frame[[one, other], 1], color=BLUE, linewidth=0.9)
                axes.plot(x, frame[:, 1], ".", color=INK, markersize=1.6)
            axes.set_title(mistake["heading"], fontsize=8, loc="left")
            axes.set_aspect("equal")
            axes.set_xticks(np.arange(len(frames)) * wide, [f"{share:.0%}" for share in mistake["at"]], fontsize=6)
            axes.set_yticks([])
            for side in ("left", "bottom"):
                axes.spines[side].set_color(FAINT)
    return made[0]

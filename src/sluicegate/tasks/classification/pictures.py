"""The pictures of a classifier's report, drawn from its `details`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.drawing import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, drawn
from sluicegate.tasks.report.figures import plain, words
from sluicegate.tasks.report.learning_curve import learning_curve

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)  # of the model and the simple methods, in their order
_SHOWN = 20  # classes or groups in a picture


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give."""
    pictures = [_confusion(details["classes"], np.array(details["confusion"])), _reliability(details["reliability"])]
    if len(details["groups"]) > 1:
        pictures.append(_groups(details["groups"]))
    if details["curve"]["steps"]:
        pictures.append(_learning_curve(details["curve"]))
    return pictures


def _confusion(classes: list[str], counts: Any) -> Picture:
    caption = "Rows by their class and by what the model said, in per cent of the class: the diagonal is right."
    if len(classes) > _SHOWN:
        errors = counts.sum(0) + counts.sum(1) - 2 * np.diag(counts)
        kept = np.sort(np.argsort(-errors, kind="stable")[:_SHOWN])
        classes, counts = [classes[i] for i in kept], counts[np.ix_(kept, kept)]
        caption += f" Of many classes, the {_SHOWN} with most mistakes."
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    height = min(max(3.1, 1.2 + 0.32 * len(classes)), 6.5)
    with drawn("What is taken for what", caption, (5.6, height)) as (picture, made):
        axes = picture.add_subplot()
        shades = LinearSegmentedColormap.from_list("shades", ["#ffffff", BLUE])
        edges = np.arange(len(classes) + 1) - 0.5
        axes.pcolormesh(edges, edges, share, cmap=shades, vmin=0, vmax=100, edgecolors=FAINT, linewidth=0.4)
        for (i, j), value in np.ndenumerate(share):
            if counts[i, j]:
                # Both grounds stay as they are in the dark, and so do black and white letters.
                axes.text(
                    j,
                    i,
                    f"{value:.0f}" if value >= 0.5 else "<1",
                    ha="center",
                    va="center",
                    color="#ffffff" if value > 55 else "#000000",
                    fontsize=8,
                )
        names = [_short(name) for name in classes]
        leaning = sum(map(len, names)) > 30
        axes.set_xticks(range(len(classes)), names, rotation=40 if leaning else 0, ha="right" if leaning else "center")
        axes.set_yticks(range(len(classes)), names)
        axes.invert_yaxis()
        axes.set_xlabel("predicted")
        axes.set_ylabel("class")
    return made[0]


def _reliability(curves: dict[str, Any]) -> Picture:
    caption = (
        "Accuracy by the predicted probability of the predicted class (reliability curve): on the diagonal the "
        "probability is true, below it is too high. Larger points are more rows."
    )
    with drawn("Can the probabilities be believed?", caption) as (picture, made):
        axes = picture.add_subplot()
        low = max(0.0, min(bins[0][0] for bins in curves.values()) - 0.03)
        axes.plot([low, 1], [low, 1], color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
        for number, (name, bins) in enumerate(curves.items()):
            said, right, rows = np.array(bins).T
            colour = _COLOURS[number % len(_COLOURS)]
            axes.plot(said, right, color=colour, linewidth=1.1, label=words(name))
            axes.scatter(said, right, s=6 + 60 * rows / rows.sum(), color=colour, linewidth=0)
        axes.set_xlim(low, 1.03)
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("probability of the predicted class")
        axes.set_ylabel("share that is right")
        axes.grid(axis="y")
        picture.legend(loc="outside upper left", ncols=min(3, len(curves)))
    return made[0]


def _groups(groups: dict[str, Any]) -> Picture:
    ordered = sorted(groups.items(), key=lambda pair: pair[1][0])
    caption = "Share of rows that is right, group by group."
    if len(ordered) > _SHOWN:
        ordered = ordered[:_SHOWN]
        caption += f" Of {len(groups)} groups, the {_SHOWN} worst."
    with drawn("Accuracy by group", caption, (5.6, 1.0 + 0.22 * len(ordered))) as (picture, made):
        axes = picture.add_subplot()
        axes.barh(
            [f"{_short(name)} ({rows:,.0f})" for name, (_, rows) in ordered],
            [accuracy for _, (accuracy, _) in ordered],
            color=BLUE,
            height=0.65,
        )
        axes.set_xlim(0, 1)
        axes.set_xlabel("accuracy (rows in brackets)")
        axes.grid(axis="x")
    return made[0]


def _learning_curve(curve: dict[str, Any]) -> Picture:
    return learning_curve(
        "Loss on the training rows as they went by, and on the validation rows: lower is better.",
        curve["steps"],
        curve["training"],
        curve["validation"],
    )


def _short(text: str, most: int = 18) -> str:
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"

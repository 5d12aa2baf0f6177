"""The pictures of a study."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.drawing import AMBER, BLUE, GREEN, ORANGE, PURPLE, drawn
from sluicegate.tasks.report.figures import words

from .network import NAMES

COLOURS = {"gru": BLUE, "lstm": ORANGE, "rnn": GREEN, "mingru": PURPLE, "ligru": AMBER}


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures of a study's details."""
    return [_metric(details), _costs(details), _curves(details)]


def _metric(details: dict[str, Any]) -> Picture:
    main, rows = details["main"], details["rows"]
    caption = (
        "Means over the seeds and 95 % intervals: full points with the same units, hollow ones with the same weights."
    )
    with drawn(f"How good: {words(main)}", caption) as (picture, made):
        axes = picture.add_subplot()
        cells = list(dict.fromkeys(row["cell"] for row in rows))
        for row in rows:
            same = row["sizing"] == "hidden"
            place = cells.index(row["cell"]) + (-0.12 if same else 0.12)
            width = row[f"{main}_interval"]
            axes.errorbar(
                place,
                row[main],
                yerr=width if np.isfinite(width) else None,
                fmt="o",
                color=COLOURS[row["cell"]],
                markerfacecolor=COLOURS[row["cell"]] if same else "none",
                markersize=7,
                capsize=3,
            )
        axes.set_xticks(range(len(cells)), [NAMES[cell] for cell in cells])
        axes.set_xlim(-0.5, len(cells) - 0.5)
        axes.set_ylabel(words(main))
        axes.grid(axis="y")
    return made[0]


def _costs(details: dict[str, Any]) -> Picture:
    rows = [row for row in details["rows"] if row["sizing"] == "hidden"]
    reference = next(row for row in rows if row["cell"] == "gru")
    costs = ("recurrent_parameters", "seconds_per_epoch", "memory_mb", "step_us")
    with drawn("What it costs", "With the same units, beside the GRU, which is 1 in each.") as (picture, made):
        axes = picture.add_subplot()
        for number, row in enumerate(rows):
            shares = [row[cost] / reference[cost] if reference[cost] else np.nan for cost in costs]
            places = np.arange(len(costs)) + (number - (len(rows) - 1) / 2) * 0.8 / len(rows)
            axes.bar(places, shares, 0.72 / len(rows), color=COLOURS[row["cell"]], label=NAMES[row["cell"]])
        axes.set_xticks(range(len(costs)), ["weights", "time of\nan epoch", "memory of\ntraining", "time of\na step"])
        axes.set_ylabel("beside the GRU")
        axes.grid(axis="y")
        picture.legend(loc="outside upper left", ncols=4)
    return made[0]


def _curves(details: dict[str, Any]) -> Picture:
    caption = "Loss on the validation rows as training goes on, with the same units, the first seed: lower is better."
    with drawn("How fast it learns", caption) as (picture, made):
        axes = picture.add_subplot()
        for cell, (epochs, validation) in details["curves"].items():
            axes.plot(epochs, validation, color=COLOURS[cell], label=NAMES[cell], linewidth=1.5)
        axes.set_xlabel("times that the rows have gone by")
        axes.set_ylabel("validation loss")
        axes.grid(axis="y")
        picture.legend(loc="outside upper left", ncols=4)
    return made[0]

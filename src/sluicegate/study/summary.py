"""What came of a study: a table, a verdict in two sentences, and a page with pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import stdtrit

from sluicegate.tasks.registry import task_class
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.figures import figure, words

from .network import NAMES
from .pictures import draw
from .running import Outcome, Run

COSTS = (
    Measure("parameters", "weights of a network"),
    Measure("recurrent_parameters", "those of its recurrent layers"),
    Measure("seconds_per_epoch", "wall time of an epoch of training"),
    Measure("epochs", "epochs up to the best validation check"),
    Measure("memory_mb", "what training added to the most memory held, in megabytes"),
    Measure("step_us", "microseconds of a step of a stream in the recurrent layer, one row"),
)


class StudyReport(Report):
    """The report of a study: a row for each cell and size."""

    @property
    def rows(self) -> dict[str, dict[str, float]]:
        """The figures of each cell; none of them is the model."""
        return self.baselines


@dataclass(frozen=True)
class Summary:
    """What a study says.

    Args:
        frame: a row for each cell and size.
        report: the same to be read.
    """

    frame: pl.DataFrame
    report: StudyReport


def summarize(task: str, data: str, runs: Sequence[tuple[str, Run, Outcome]]) -> Summary:
    """Sum up the runs of a study.

    Args:
        task: its name.
        data: what the file is called.
        runs: the name, the plan and the outcome of each; names begin with `hidden` or `parameters`.
    """
    by_row: dict[tuple[str, str], list[tuple[Run, Outcome]]] = {}
    for name, plan, outcome in runs:
        by_row.setdefault((name.split("-")[0], plan.cell), []).append((plan, outcome))
    rows = [_row(*key, found) for key, found in by_row.items()]
    frame = pl.DataFrame(rows)
    main = task_class(task).measures[0].name
    others = [name for name in runs[0][2].metrics if name != main]
    figures = {
        _called(row): {main: float(row[main]), f"{main}_±": float(row[f"{main}_interval"])}
        | {name: float(row[name]) for name in (*(measure.name for measure in COSTS), *others)}
        for row in rows
    }
    seeds = len(next(iter(by_row.values())))
    plan = runs[0][1]
    what = "the test file" if plan.test is not None else "the rows that validated, which flatters all alike"
    details = {"main": main, "rows": rows, "curves": _curves(by_row)}
    return Summary(
        frame,
        StudyReport(
            title=f"{', '.join(dict.fromkeys(NAMES[row['cell']] for row in rows))}: {task} on {data}",
            metrics=next(iter(figures.values())),
            baselines=figures,
            verdict=verdict(task, rows, seeds),
            facts={
                "seeds": str(seeds),
                "measured on": what,
                "main metric": f"{words(main)}; ± is half the width of its 95 % interval over the seeds",
                "weights of the GRU": "units with which the recurrent layers have as many weights as the GRU's",
                "threads": f"{plan.threads} in each process",
            },
            notes=("Times of processes that ran side by side are those of a busy machine.",),
            measures=(*COSTS, *task_class(task).measures),
            draw=lambda: draw(details),
            details=details,
        ),
    )


def verdict(task: str, rows: Sequence[dict[str, Any]], seeds: int) -> str:
    """Which cell to take, and what the same number of weights changes.

    Among the cells of the same units that are within noise of the best, the one that is trained in the least time.
    """
    main = task_class(task).measures[0].name
    sign = -1.0 if next(m.ideal for m in task_class(task).measures if m.name == main) == 0 else 1.0
    alike = [row for row in rows if row["sizing"] == "hidden"]
    best = max(alike, key=lambda row: sign * row[main])
    near = [row for row in alike if _within_noise(row, best, main)]
    taken = min(near, key=_to_converge)
    name, measure = NAMES[taken["cell"]], words(main)
    if taken is best:
        others = [row for row in near if row is not best]
        beside = (
            f"; {_listed(others)} within noise of it, but train longer" if others else ", beyond noise of the others"
        )
        first = f"On this data take the {name}: its {measure}, {figure(best[main])}, is the best{beside}"
    else:
        share = _to_converge(taken) / _to_converge(best)
        first = (
            f"On this data take the {name}: its {measure}, {figure(taken[main])}, is within noise of the "
            f"{NAMES[best['cell']]}'s, {figure(best[main])}, the best, at {share:.2f} of its training time"
        )
    if seeds < 3:
        first += " (1 seed tells little of noise)" if seeds == 1 else f" ({seeds} seeds tell little of noise)"
    equal = [row for row in rows if row["sizing"] == "parameters" or row["cell"] == "gru"]
    winner = max(equal, key=lambda row: sign * row[main])
    level = [row for row in equal if row is not winner and _within_noise(row, winner, main)]
    beside = f"; {_listed(level)} within noise of it" if level else ", beyond noise of the others"
    second = f"At the same number of weights the {NAMES[winner['cell']]} is ahead with {figure(winner[main])}{beside}"
    return f"{first}. {second}."


def _row(sizing: str, cell: str, found: Sequence[tuple[Run, Outcome]]) -> dict[str, Any]:
    outcomes = [outcome for _, outcome in found]

    def mean(name: str) -> float:
        return float(np.mean([getattr(outcome, name) for outcome in outcomes]))

    row: dict[str, Any] = {
        "cell": cell,
        "sizing": sizing,
        "seeds": len(found),
        "units": found[0][0].hidden,
        "parameters": outcomes[0].parameters,
        "recurrent_parameters": outcomes[0].recurrent,
        "seconds_per_epoch": float(np.median([outcome.seconds_per_epoch for outcome in outcomes])),
        "epochs": mean("epochs"),
        "memory_mb": mean("memory") / 1e6,
        "step_us": 1e6 * float(np.median([outcome.step for outcome in outcomes])),
    }
    for name in outcomes[0].metrics:
        values = np.array([outcome.metrics[name] for outcome in outcomes])
        row[name], row[f"{name}_interval"] = float(values.mean()), interval(values)
    return row


def interval(values: np.ndarray) -> float:
    """Half the width of the 95 % interval of a mean, by Student's t; NaN of a single value."""
    if len(values) < 2:
        return math.nan
    return float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / math.sqrt(len(values)))


def _within_noise(first: dict[str, Any], second: dict[str, Any], metric: str) -> bool:
    """Whether the difference of two means is smaller than the interval of a difference; a single seed tells nothing."""
    widths = [row[f"{metric}_interval"] for row in (first, second)]
    noise = math.nan if any(map(math.isnan, widths)) else math.hypot(*widths)
    return first is second or not abs(first[metric] - second[metric]) > noise


def _to_converge(row: dict[str, Any]) -> float:
    return float(row["seconds_per_epoch"] * max(row["epochs"], 1e-9))


def _called(row: dict[str, Any]) -> str:
    same = "" if row["sizing"] == "hidden" else ", weights of the GRU"
    return f"{NAMES[row['cell']]}, {row['units']} units{same}"


def _listed(rows: Sequence[dict[str, Any]]) -> str:
    names = [NAMES[row["cell"]] for row in rows]
    return f"the {names[0]} is" if len(names) == 1 else f"the {', '.join(names[:-1])} and {names[-1]} are"


def _curves(by_row: dict[tuple[str, str], list[tuple[Run, Outcome]]]) -> dict[str, list[list[float]]]:
    """The validation curve of the first seed of each cell with the same units."""
    return {
        cell: [found[0][1].curve["epochs"], found[0][1].curve["validation"]]
        for (sizing, cell), found in by_row.items()
        if sizing == "hidden"
    }

"""Which rows train and which validate: always by time, and only series that are long enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from sluicegate.data import Panel, on_one_axis
from sluicegate.data.names import in_words
from sluicegate.errors import DataError

from .batches import PerSeries, first_origins
from .config import ForecasterConfig

VALIDATED = 4096  # windows looked at to validate, evenly spread; more would hardly change the choice
_HELD_BACK = 0.15  # the share of each series that is held back where no validation rows are given


@dataclass(frozen=True)
class Split:
    """A panel whose rows before `ends` are for training; the rest of each series is for validation."""

    panel: Panel
    ends: PerSeries


def long_enough(
    panel: Panel, ahead: Panel | None, context: int, config: ForecasterConfig
) -> tuple[Panel, Panel | None]:
    """The series that can be trained on: at least one with a context and a horizon, the others with a horizon and two.

    Where the settings leave short series out, all have a context and a horizon.

    Raises:
        DataError: some are too short, and they were not to be left out, or all are.
    """
    whole = context + config.horizon
    rows = whole if config.drop_short or (panel.lengths < whole).all() else config.horizon + 2
    short = panel.lengths < rows
    if not short.any():
        return panel, ahead
    if short.all() or not config.drop_short:
        name = panel.names[int(short.argmax())]
        which = (
            "the table has"
            if panel.names == ("",)
            else f"{int(short.sum())} of {len(short)} series, such as {name!r}, have"
        )
        shortest = int(panel.lengths.min())
        if rows == whole:
            needed = "the context and the horizon together"
            remedy = longer(panel.lengths, context, config.horizon, given=ahead is not None)
        else:
            needed = "the horizon and two to look back on"
            lower = f", lower `horizon` to {shortest - 2}" if shortest > 2 else ""
            remedy = f"give more rows{lower} or leave such series out (`drop_short`, `--drop-short`)"
        raise DataError(f"{which} fewer than {rows} rows (the shortest has {shortest}), {needed}: {remedy}")
    note = (
        f"{int(short.sum())} of {len(short)} series, such as {in_words(panel.names[int(short.argmax())], ())}, were "
        f"left out (`drop_short`, `--drop-short`): they have fewer than {rows} rows."
    )
    kept = panel.take(~short)
    kept = replace(kept, notes=(*kept.notes, note))
    if ahead is not None:
        names = set(kept.names)
        ahead = ahead.take(np.array([name in names for name in ahead.names]))
    return kept, ahead


def longer(lengths: PerSeries, context: int, horizon: int, *, given: bool) -> str:
    """What to do where no series has room for a context, a horizon to train on and one to validate on.

    Where the rows to validate on are `given`, these have a horizon of their own.
    """
    rows, horizons = int(lengths.max()), 1 if given else 2
    ways = [f"give {context + horizons * horizon} rows of a series at least"]
    if 2 <= (most := rows - horizons * horizon) < context:
        ways.append(f"lower `context` to {most}")
    if 1 <= (most := (rows - context) // horizons) < horizon:
        ways.append(f"lower `horizon` to {most}")
    if len(ways) == 1 and (most := (rows - 2) // horizons) >= 1:
        ways.append(f"lower `context` to 2 and `horizon` to {most}")
    return ", or ".join(ways)


def hold_back(panel: Panel, context: int, horizon: int) -> Split:
    """Hold back the last part of each series, a horizon at least, where enough is left to train on.

    Of many series a few windows each are enough, and the rest is better trained on.
    """
    lengths = panel.lengths
    enough = horizon + -(-VALIDATED // len(lengths))
    part = np.maximum(horizon, np.minimum(enough, (_HELD_BACK * lengths).astype(int)))
    part = np.minimum(part, panel.bounds[1:] - first_origins(panel, context, horizon) - horizon)
    return Split(panel, panel.bounds[1:] - np.where(part >= horizon, part, 0))


def join(panel: Panel, ahead: Panel) -> Split:
    """Put validation rows behind the training rows; what overlaps them is context, and that is there already."""
    panel, ahead = on_one_axis(panel, ahead)
    axis = panel.axis
    places = {name: i for i, name in enumerate(ahead.names)}
    pieces: dict[str, list[Float64[np.ndarray, " rows"]]] = {name: [] for name in panel.columns}
    masks: dict[str, list[np.ndarray]] = {name: [] for name in panel.columns}
    lengths = []
    for i, name in enumerate(panel.names):
        begin, end = panel.bounds[i : i + 2]
        follows = int(panel.starts[i]) + int(end - begin) * axis.step
        new = slice(0, 0)
        if name in places:
            j = places[name]
            offset = (follows - int(ahead.starts[j])) // axis.step
            if offset < 0:
                first, expected = axis.stamps(np.array([ahead.starts[j], follows]))
                label = f" of series {name!r}" if name != "" else ""
                raise DataError(
                    f"the validation rows{label} begin at {first}, but the training rows end before {expected}: "
                    "give the rows in between, to one of the two"
                )
            low, high = int(ahead.bounds[j]), int(ahead.bounds[j + 1])
            new = slice(min(low + offset, high), high)
        lengths.append(int(end - begin) + new.stop - new.start)
        for column in panel.columns:
            pieces[column] += [panel.columns[column][begin:end], ahead.columns[column][new]]
            none = np.zeros(0, bool)
            old, added = panel.filled.get(column, none), ahead.filled.get(column, none)
            masks[column] += [
                old[begin:end] if len(old) else np.zeros(end - begin, bool),
                added[new] if len(added) else np.zeros(new.stop - new.start, bool),
            ]
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    joined = replace(
        panel,
        bounds=bounds,
        columns={name: np.concatenate(parts) for name, parts in pieces.items()},
        filled={
            name: np.concatenate(parts) for name, parts in masks.items() if name in panel.filled or name in ahead.filled
        },
    )
    return Split(joined, bounds[:-1] + panel.lengths)

"""`sluicegate fit forecast`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly
from ..options import CellOption, Data, Debug, Json, Resume, Saved, Seed, Threads, given_only


def forecast(
    data: Data,
    time: Annotated[str, typer.Option(help="The column of time stamps or whole numbers.")],
    target: Annotated[list[str], typer.Option(help="A column to forecast; may be given again.")],
    horizon: Annotated[int, typer.Option(help="Steps to forecast.")],
    out: Saved,
    series: Annotated[
        list[str] | None, typer.Option(help="The column that tells series apart; given again, several do.")
    ] = None,
    context: Annotated[int | None, typer.Option(help="Steps to look back on; by default, as the season asks.")] = None,
    cell: CellOption = "gru",
    seed: Seed = 0,
    known: Annotated[list[str] | None, typer.Option(help="A column known in advance; may be given again.")] = None,
    past: Annotated[list[str] | None, typer.Option(help="A column known up to now; may be given again.")] = None,
    validation: Annotated[Path | None, typer.Option(help="A table of the rows that follow, to validate on.")] = None,
    fill: Annotated[str | None, typer.Option(help="Fill gaps in: forward, linear or zero.")] = None,
    holiday: Annotated[
        list[str] | None, typer.Option(help="A day without rows, such as 2024-12-25; may be given again.")
    ] = None,
    drop_short: Annotated[bool, typer.Option("--drop-short", help="Leave out series that are too short.")] = False,
    season: Annotated[int | None, typer.Option(help="Steps in a season; by default, it is found.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer.")] = None,
    layers: Annotated[int | None, typer.Option(help="Recurrent layers.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Rate at which units are dropped in training.")] = None,
    batch: Annotated[int | None, typer.Option(help="Windows in a step of training.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of training at most.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Validation checks without progress after which training stops.")
    ] = None,
    resume: Resume = False,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a model that forecasts one series, many series, or several columns."""
    with failing_plainly(debug):
        from sluicegate.tasks import Forecaster

        from ..reading import read_rows
        from ..training import Read, fit_files

        knobs = {
            "season": season,
            "hidden": hidden,
            "layers": layers,
            "dropout": dropout,
            "batch": batch,
            "learning_rate": learning_rate,
            "steps": steps,
            "patience": patience,
            "holidays": holiday,
        }
        given = given_only(**knobs)
        task = Forecaster(horizon, context=context, cell=cell, seed=seed, fill=fill, drop_short=drop_short, **given)
        columns = {"time": time, "target": target, "series": series, "known": known or (), "past": past or ()}

        def read(path: Path) -> Read:
            table, source = read_rows(path, Forecaster, columns)
            return table, columns, source

        fit_files(
            task,
            out,
            partial(read, data),
            None if validation is None else partial(read, validation),
            threads=threads,
            resume=resume,
            json=json,
        )

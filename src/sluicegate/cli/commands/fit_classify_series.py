"""`sluicegate fit classify-series`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly
from ..options import Array, CellOption, Debug, Json, Lengths, Recorded, Resume, Saved, Seed, Threads, given_only


def classify_series(
    data: Recorded,
    out: Saved,
    label: Annotated[str, typer.Option(help="The column or array of classes.")] = "label",
    series: Annotated[
        list[str] | None,
        typer.Option(help="In a table, the column that tells recordings apart; given again, several do."),
    ] = None,
    time: Annotated[str | None, typer.Option(help="In a table, the column of times.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="In a table, a channel; by default, all others.")] = None,
    group: Annotated[str | None, typer.Option(help="The column or array of what must validate together.")] = None,
    array: Array = None,
    lengths: Lengths = None,
    validation: Annotated[Path | None, typer.Option(help="Recordings to validate on.")] = None,
    cell: CellOption = "gru",
    seed: Seed = 0,
    folds: Annotated[int | None, typer.Option(help="Networks, each validated on other recordings.")] = None,
    blend: Annotated[bool, typer.Option("--blend", help="Average with the better simple method.")] = False,
    window: Annotated[int | None, typer.Option(help="Steps read at a time; by default, as the lengths ask.")] = None,
    stride: Annotated[int | None, typer.Option(help="Steps that the convolution goes on by.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer in each direction.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Rate at which units are dropped in training.")] = None,
    robust: Annotated[float | None, typer.Option(help="From 0 to 1: how little wrong labels weigh.")] = None,
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
    """Train a model that tells classes of recordings apart."""
    with failing_plainly(debug):
        from sluicegate.tasks import SeriesClassifier

        from ..reading import read_labelled
        from ..training import Read, fit_files

        knobs = {
            "window": window,
            "stride": stride,
            "hidden": hidden,
            "dropout": dropout,
            "robust": robust,
            "batch": batch,
            "learning_rate": learning_rate,
            "steps": steps,
            "patience": patience,
        }
        given = given_only(**knobs)
        task = SeriesClassifier(cell=cell, seed=seed, folds=folds, blend=blend, **given)
        arrays = {"array": array, "lengths": lengths}

        def read(path: Path, groups: str | None) -> Read:
            return read_labelled(path, label, series, time, channel, groups, arrays)

        fit_files(
            task,
            out,
            partial(read, data, group),
            None if validation is None else partial(read, validation, None),
            threads=threads,
            resume=resume,
            json=json,
        )

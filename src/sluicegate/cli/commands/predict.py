"""`sluicegate predict`: a model applied to rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..failures import failing_plainly
from ..options import Array, Debug, Json, Lengths, Model, PoseModel, Precision, Threads, given_only, require_options

if TYPE_CHECKING:
    import polars as pl

    from sluicegate.tasks import Task


def predict(
    model: Model,
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            help="The rows to apply the model to; of a forecaster, the history; of a transcriber, recordings too."
        ),
    ] = None,
    future: Annotated[Path | None, typer.Option(help="A table of the columns that are known in advance.")] = None,
    smooth: Annotated[
        bool, typer.Option("--smooth", help="Let the end of a sequence tell of its beginning (trackers).")
    ] = False,
    pose_model: PoseModel = None,
    array: Array = None,
    lengths: Lengths = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A .csv, .tsv, .parquet or .jsonl, of a tracker .txt too, of a video .mp4; else CSV is printed."
        ),
    ] = None,
    precision: Precision = None,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Apply a model: forecast what follows the last row of each series, or classify each row."""
    with failing_plainly(debug):
        from sluicegate.data.as_json import as_rows

        from ..output import as_csv, check_table_path, note_written, print_json, write_batches, write_table
        from ..starting import load_task

        if out is not None and out.suffix.lower() == ".mp4":
            from ..watching import annotate

            annotate(load_task(model, threads, precision), data or [], out, given_only(pose_model=pose_model))
            return
        task = load_task(model, threads, precision)
        if out is not None:
            check_table_path(out, *(data or ()), future, beside=task.writes)
        arrays = given_only(array=array, lengths=lengths)
        if (
            task.rows_at_once is not None
            and data
            and len(data) == 1
            and future is None
            and out is not None
            and not arrays
        ):
            note_written(write_batches(_predicted(task, data[0]), out), out, json)
            return
        options: dict[str, Any] = given_only(smooth=smooth or None, pose_model=pose_model)
        table = None
        if data:
            table, beside = task.open_files(data, arrays=arrays)
            options |= beside
        if future is not None:
            options["future"], of_future = task.open_file(future)
            options["future_origin"] = of_future["origin"]
        require_options(task, "predict", options)
        frame: pl.DataFrame = task.predict(table, **options)
        if out is not None:
            write_table(frame, out, task.as_file)
            note_written(len(frame), out, json)
        elif json:
            print_json(as_rows(frame))
        else:
            typer.echo(as_csv(frame), nl=False)


def _predicted(task: Task, data: Path) -> Iterator[pl.DataFrame]:
    """The predictions of a table of any length, of which a part at a time is in memory."""
    from sluicegate.data import read_batches, source_of

    assert task.rows_at_once is not None
    before = 0
    for batch in read_batches(data, task.rows_at_once, task.columns_as_written()):
        yield task.predict(batch, origin=source_of(data, before))
        before += len(batch)

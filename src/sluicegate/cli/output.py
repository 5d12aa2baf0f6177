"""Results on their way out: to standard output, or to a file that is written whole or not at all."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sluicegate.errors import ConfigError

from .failures import note

if TYPE_CHECKING:
    import polars as pl

    from sluicegate.tasks import Report

ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl")


def check_table_path(path: Path, *read: Path | None, beside: tuple[str, ...] = ()) -> None:
    """Refuse a file whose ending names no kind of table, or which is a folder or one of the tables that are `read`.

    Args:
        path: of the file.
        read: tables that are read.
        beside: endings of the task's own.

    Raises:
        ConfigError: it is one of these.
    """
    endings = (*ENDINGS, *beside)
    if path.suffix.lower() not in endings:
        raise ConfigError(
            f"`--out` (={path}) ends in {path.suffix or 'nothing'!r}: expected {', '.join(endings[:-1])} or "
            f"{endings[-1]}; choose one of these"
        )
    if path.is_dir():
        raise ConfigError(f"`--out` (={path}) is a folder: give the path of a file")
    if any(table is not None and table.exists() and path.exists() and path.samefile(table) for table in read):
        raise ConfigError(
            f"`--out` (={path}) is a table that is read, which would be lost: give the path of another file"
        )


def write_table(table: pl.DataFrame, path: Path, as_file: Callable[[pl.DataFrame, str], bytes] | None = None) -> None:
    """Write a table in the form that the file's ending names, which `as_file` gives where it is a task's own."""
    from sluicegate.atomic import write_atomic

    ending = path.suffix.lower()
    if ending not in ENDINGS and as_file is not None:
        write_atomic(path, as_file(table, ending))
        return
    if ending in (".csv", ".tsv"):
        write_atomic(path, as_csv(table, "," if ending == ".csv" else "\t").encode())
        return
    buffer = io.BytesIO()
    if ending == ".parquet":
        table.write_parquet(buffer)
    else:
        table.write_ndjson(buffer)
    write_atomic(path, buffer.getvalue())


def write_batches(batches: Iterator[pl.DataFrame], path: Path) -> int:
    """Write tables one behind the other into a file, whole or not at all, and return how many rows there are."""
    from polars.io.plugins import register_io_source

    from sluicegate.atomic import written_aside

    rows, ending = 0, path.suffix.lower()

    def counted(*_: object) -> Iterator[pl.DataFrame]:
        nonlocal rows
        for batch in itertools.chain([first], batches):
            rows += len(batch)
            yield batch

    first = next(batches)
    with written_aside(path) as new:
        if ending == ".parquet":
            register_io_source(counted, schema=first.schema).sink_parquet(new)
        else:
            with new.open("xb") as file:
                for batch in counted():
                    if ending == ".jsonl":
                        batch.write_ndjson(file)
                    else:
                        separator, header = "," if ending == ".csv" else "\t", batch is first
                        file.write(as_csv(batch, separator, header=header).encode())
    return rows


def as_csv(table: pl.DataFrame, separator: str = ",", *, header: bool = True) -> str:
    """A table as text, with times that `read_table` reads back, and no more digits than the networks compute with.

    A list of numbers becomes these with spaces between them.
    """
    import polars as pl

    from sluicegate.data.frames import short_numbers

    zoned = any(isinstance(kind, pl.Datetime) and kind.time_zone is not None for kind in table.dtypes)
    form = "%Y-%m-%d %H:%M:%S%.f" + ("%:z" if zoned else "")
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    spaced = (pl.col(name).list.eval(pl.element().round_sig_figs(7).cast(pl.String)).list.join(" ") for name in lists)
    return short_numbers(table.with_columns(*spaced)).write_csv(
        separator=separator, include_header=header, datetime_format=form
    )


def show(report: Report) -> None:
    """Print a report as a table."""
    from rich.console import Console

    Console().print(report)


def print_json(value: object) -> None:
    """Print one JSON document; what is not a finite number becomes null, for JSON has no word for it."""
    from sluicegate.data.as_json import finite

    typer.echo(json.dumps(finite(value), indent=1, ensure_ascii=False, allow_nan=False))


def json_line(value: object) -> str:
    """A value as a line of JSON Lines, numbers as in `print_json`."""
    from sluicegate.data.as_json import finite

    return json.dumps(finite(value), ensure_ascii=False, allow_nan=False) + "\n"


def note_written(rows: int, out: Path, json: bool) -> None:
    """Say that a table was written, and where."""
    note(f"wrote 1 row to {out}" if rows == 1 else f"wrote {rows} rows to {out}")
    if json:
        print_json({"out": str(out), "rows": rows})

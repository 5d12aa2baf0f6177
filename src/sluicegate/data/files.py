"""Read a table from a file: CSV, TSV, Parquet or JSON Lines, told apart by the file's ending, gzip'd or not.

In CSV and TSV files a value has no type but the role that its column plays. Columns of ids, classes, groups and texts
are read as texts, as they are written: `007` is not `7`, `NA` may be Namibia, and only an empty cell is missing. All
others, of numbers and times, have the type that their values look like, and `NA` and its like are missing there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

import polars as pl

from sluicegate.errors import DataError

from .columns import MISSING
from .packed import ending_of, opened
from .utf8 import blocks

_INFERRED = 10_000  # rows that tell the types of the columns, unless one further down does not fit
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_table(path: str | Path, as_written: Collection[str] = ()) -> pl.DataFrame:
    """Read a table.

    Args:
        path: a file that ends in `.csv`, `.tsv`, `.parquet`, `.jsonl` or `.ndjson`, or in one of these and `.gz`.
        as_written: columns of ids, classes, groups and texts, whose values are texts; other files than CSV and TSV tell
            the types of their columns themselves.

    Raises:
        DataError: the file is missing, empty, not UTF-8, or not what its ending says.
    """
    path = Path(path)
    with _refusing_plainly(path) as ending:
        if ending == ".parquet":
            table = pl.read_parquet(path if path.suffix.lower() != ".gz" else _unpacked(path))
        else:
            csv_like = ending in _SEPARATORS
            table = _read_csv(path, _SEPARATORS[ending], as_written) if csv_like else _read_json_lines(path)
    table = _without_empty_end(table)
    if table.is_empty():
        raise DataError(f"{path} holds no rows: expected at least one row below the header")
    return table


def read_batches(path: str | Path, rows: int, as_written: Collection[str] = ()) -> Iterator[pl.DataFrame]:
    """Read the same table `rows` rows at a time, for a file that does not fit into memory; the last batch has fewer.

    Args:
        path: as for `read_table`.
        rows: of a batch.
        as_written: as for `read_table`. Where it names columns, others in which `NA` or its like stands are texts too.

    Raises:
        DataError: as for `read_table`, before the first batch where the file as a whole cannot be read.
    """
    path = Path(path)
    with _refusing_plainly(path) as ending:
        lazy = _scanned(path, ending, as_written)
        empty: pl.DataFrame | None = None  # rows that are left out where no others follow
        some = False
        for batch in lazy.collect_batches(chunk_size=rows, maintain_order=True):
            if empty is not None:
                batch = empty.vstack(batch)
            kept = _without_empty_end(batch)
            empty = batch.slice(len(kept)) if len(kept) < len(batch) else None
            for begin in range(0, len(kept), rows):
                some = True
                yield kept.slice(begin, rows)
        if not some:
            raise DataError(f"{path} holds no rows: expected at least one row below the header")


def _scanned(path: Path, ending: str, as_written: Collection[str]) -> pl.LazyFrame:
    """The table, to be gone through, with the types that `read_table` gives its columns."""
    words = [""] if as_written else list(MISSING)  # the reader takes the same words for all columns
    if ending == ".parquet":
        return pl.scan_parquet(path) if path.suffix.lower() != ".gz" else read_table(path).lazy()
    if ending in _SEPARATORS:
        _require_separator(path, _SEPARATORS[ending])

    def scan(infer: int | None) -> pl.LazyFrame:
        if ending in _SEPARATORS:
            return pl.scan_csv(
                path,
                separator=_SEPARATORS[ending],
                null_values=words,
                infer_schema_length=infer,
                schema_overrides=dict.fromkeys(as_written, pl.String),
            )
        return pl.scan_ndjson(path, infer_schema_length=infer)

    try:
        # Once through to know that it can be read, at 100 MB a second or more: answers take far longer than that.
        for _ in scan(_INFERRED).collect_batches():
            pass
    except pl.exceptions.PolarsError:
        if ending in _SEPARATORS:
            _require_even_lines(path, _SEPARATORS[ending])
        else:
            _require_objects(path)
        return scan(None)
    return scan(_INFERRED)


@contextmanager
def _refusing_plainly(path: Path) -> Iterator[str]:
    """Refuse what is no table, say in a sentence what goes wrong in reading it, and give the file's ending."""
    ending = ending_of(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder: give the path of a table in a file")
    if (ending or path.exists()) and ending not in (*_SEPARATORS, ".parquet", ".jsonl", ".ndjson"):
        raise DataError(
            f"{path} ends in {ending or 'nothing'!r}: expected .csv, .tsv, .parquet, .jsonl or .ndjson; save it as one"
        )
    if not path.is_file():
        raise DataError(f"{path} is not there or is not a file: give the path of a table")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: expected a table with a header and rows")
    try:
        if ending != ".parquet":
            for _ in blocks(path):  # which refuse what is not UTF-8, and what unpacks to too much
                pass
        yield ending
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: permission denied; ask for the right to read it") from error
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(
            f"{path} cannot be read as {ending[1:]} ({reason}): save it again, or give it the ending of what it is"
        ) from error


def _unpacked(path: Path) -> bytes:
    with opened(path) as file:
        return file.read()


def _without_empty_end(table: pl.DataFrame) -> pl.DataFrame:
    """Leave out empty lines at the end, where editors and spreadsheets put them; one further up is a fault."""
    while not table.is_empty() and all(value is None for value in table.row(-1)):
        table = table.head(-1)
    return table


def _read_csv(path: Path, separator: str, as_written: Collection[str]) -> pl.DataFrame:
    texts = dict.fromkeys(as_written, pl.String)

    def read(infer: int | None) -> pl.DataFrame:
        return pl.read_csv(
            path, separator=separator, null_values=list(MISSING), infer_schema_length=infer, schema_overrides=texts
        )

    _require_separator(path, separator)
    try:
        table = read(_INFERRED)
    except pl.exceptions.ComputeError:
        _require_even_lines(path, separator)
        # A column changed its type further down; looking at every row first takes twice as long but is sure.
        table = read(None)
    # The reader takes the same words as missing in all columns. Where that made a text missing, read the texts again.
    again = [name for name in table.columns if name in texts and table[name].null_count()]
    if again:
        table = table.with_columns(
            pl.read_csv(path, separator=separator, columns=again, null_values=[""], schema_overrides=texts)
        )
    return table


def _require_separator(path: Path, separator: str) -> None:
    """Refuse a header that another separator divides: it would be read as the name of a single column."""
    with opened(path) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        header = file.readline()
    other = next((sign for sign in ";\t|," if sign in header), None)
    if separator not in header and other is not None:
        what = {",": "name it .csv", "\t": "name it .tsv"}.get(
            other, "replace them, and write numbers with a decimal point"
        )
        raise DataError(
            f"{path} line 1 separates its columns by {other!r}: expected {separator!r} in a {path.suffix} file; {what}"
        )


def _require_even_lines(path: Path, separator: str) -> None:
    """Find the first line that has more values than there are columns."""
    with opened(path) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=separator)
        columns, line = 0, 1
        for values in lines:
            columns, begin, line = columns or len(values), line, lines.line_num + 1
            if len(values) > columns:
                raise DataError(
                    f"{path} line {begin} holds {len(values)} values: expected {columns}, one for each "
                    "column of the header; put text with a separator in it into quotes, or correct the line"
                )


def _read_json_lines(path: Path) -> pl.DataFrame:
    try:
        return pl.read_ndjson(path, infer_schema_length=_INFERRED)
    except pl.exceptions.PolarsError:
        _require_objects(path)
        return pl.read_ndjson(path, infer_schema_length=None)


def _require_objects(path: Path) -> None:
    with opened(path) as raw, TextIOWrapper(raw, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not _is_object(line):
                raise DataError(
                    f"{path} line {number} is not a JSON object: expected one in each line, such as "
                    '{"time": "2024-01-31", "value": 1.5}; correct the line'
                ) from None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False

"""The line that a message names is a line of the file, whatever stands in quotes above it."""

import csv
import json

import numpy as np
import polars as pl
import pytest

from sluicegate.data import lines, read_batches, read_table, source_of


def lines_of(path, rows):
    return [source_of(path).row(row) for row in range(rows)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a,b\n1,x\n2,y\n3,z", ["2", "3", "4"]),
        (b"a,b\r\n1,x\r\n2,y\r\n", ["2", "3"]),
        (b"\xef\xbb\xbfa,b\n1,x\n2,y\n", ["2", "3"]),
        (b"\n\r\n\na,b\n1,x\n2,y\n", ["5", "6"]),
        (b"a,b\n1,x\n\n2,y\n", ["2", "3", "4"]),
        (b'a,b\n"1\n1",x\n2,"y ""and""\r\n\r\nz"\n3,z\n', ["2 to line 3", "4 to line 6", "7"]),
        (b'"a\nb",c\n1,x\n"2\n",y', ["3", "4 to line 5"]),
        (b'a\n"x\n"\n\ny\n', ["2 to line 3", "4", "5"]),
    ],
    ids=["plain", "crlf", "bom", "blank above", "blank within", "quoted", "header of two lines", "one column"],
)
@pytest.mark.parametrize("block", [1, 3, 1 << 22])
def test_lines_of_csv(tmp_path, monkeypatch, text, expected, block):
    monkeypatch.setattr(lines, "_BLOCK", block)
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    assert len(read_table(path)) == len(expected)
    assert lines_of(path, len(expected)) == [f"line {line} of t.csv" for line in expected]


def test_lines_of_a_table_of_anything(tmp_path):
    """Beside Python's own reader, which counts the lines that it has read."""
    rng = np.random.default_rng(0)
    pieces = ["a", ",", "\n", "\r\n", '"', "ü", " "]
    rows = [["".join(rng.choice(pieces, rng.integers(0, 6))) for _ in range(3)] for _ in range(200)]
    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "c"], *rows])
    with path.open(newline="", encoding="utf-8") as file:
        ends = [reader.line_num for reader in [csv.reader(file)] for _ in reader]
    assert len(read_table(path, "abc")) >= len(ends) - 3  # without those that are empty at the end
    for row, said in enumerate(lines_of(path, len(rows))):
        begin, end = ends[row] + 1, ends[row + 1]
        assert said == (f"line {begin} of t.csv" if begin == end else f"line {begin} to line {end} of t.csv")


def test_lines_of_json_lines_skip_blank_ones(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(["", json.dumps({"a": 1}), "  ", json.dumps({"a": 2}), json.dumps({"a": 3})]))
    assert len(read_table(path)) == 3
    assert lines_of(path, 3) == ["line 2 of t.jsonl", "line 4 of t.jsonl", "line 5 of t.jsonl"]


def test_parquet_has_a_line_for_each_row(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [1, 2]}).write_parquet(path)
    assert lines_of(path, 2) == ["line 1 of t.parquet", "line 2 of t.parquet"]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_lines_of_batches(tmp_path, rows):
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\n" + "".join(f'"{i}\n"\t{i}\n' for i in range(6)))
    before, found = 0, []
    for batch in read_batches(path, rows):
        found += [source_of(path, before).row(row) for row in range(len(batch))]
        before += len(batch)
    assert found == [f"line {2 + 2 * i} to line {3 + 2 * i} of t.tsv" for i in range(6)]

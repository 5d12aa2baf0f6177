"""Two files whose lines belong together become a table."""

import gzip
import re
from pathlib import Path

import polars as pl
import pytest

from sluicegate.data.parallel import read_lines, read_parallel, two_files
from sluicegate.errors import DataError


def test_lines_are_pairs(tmp_path):
    (tmp_path / "a.de").write_bytes("Ein Hund\r\n\r\nzwei\u2028drei\x0bvier\n".encode())
    (tmp_path / "a.en.gz").write_bytes(gzip.compress(b"a dog\n\ntwo"))
    found = read_parallel(tmp_path / "a.de", tmp_path / "a.en.gz", ("source", "target"))
    expected = {"source": ["Ein Hund", "", "zwei\u2028drei\x0bvier"], "target": ["a dog", "", "two"]}
    assert found.equals(pl.DataFrame(expected))


@pytest.mark.parametrize(("first", "second"), [("a\nb\nc\n", "x\ny\n"), ("a\nb", "x\ny\nz\n\n")])
def test_unequal_numbers_name_the_line(tmp_path, first, second):
    for name, text in (("first.txt", first), ("second.txt", second)):
        (tmp_path / name).write_text(text)
    longer, lines = ("first.txt", 3) if len(first) > len(second) else ("second.txt", 4)
    with pytest.raises(DataError, match=re.escape(f"line 3 of {tmp_path / longer} has no partner")) as caught:
        read_parallel(tmp_path / "first.txt", tmp_path / "second.txt", ("a", "b"))
    assert f"ends at line 2 of {lines}: expected" in str(caught.value)


def test_one_that_is_missing_or_blank(tmp_path):
    (tmp_path / "a").write_text("x\n")
    (tmp_path / "blank").write_text(" \n")
    for name, words in (("b", "is not there"), ("blank", "is blank")):
        with pytest.raises(DataError, match=words):
            read_parallel(tmp_path / "a", tmp_path / name, ("a", "b"))


def test_a_path_names_one_file_or_two(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert two_files(Path("a.de,a.en")) == (Path("a.de"), Path("a.en"))
    assert two_files(Path("table.csv")) is None
    assert two_files(Path("a,")) is None
    Path("a,b.csv").write_text("x")
    assert two_files(Path("a,b.csv")) is None
    assert read_lines("a,b.csv").to_list() == ["x"]

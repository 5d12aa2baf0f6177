"""Files that are gzip'd: what unpacks to far more than its size lets expect is refused, wherever it is read."""

import gzip
import tracemalloc

import polars as pl
import pytest

from sluicegate.data import packed
from sluicegate.data.files import read_batches, read_table
from sluicegate.data.lines import source_of
from sluicegate.data.packed import opened
from sluicegate.data.parallel import read_parallel
from sluicegate.data.text_files import read_text
from sluicegate.data.vectors import VectorFile
from sluicegate.errors import DataError

LIMIT = 100_000


@pytest.fixture
def bomb(tmp_path, monkeypatch):
    """Writes a file of which a hundred times its size is less than what it unpacks to."""
    monkeypatch.setattr(packed, "_ALWAYS", LIMIT)
    monkeypatch.setattr(packed, "_BLOCK", 1 << 16)

    def write(name, line, lines):
        path = tmp_path / name
        path.write_bytes(gzip.compress(line * lines, mtime=0))
        assert len(line) * lines > max(LIMIT, 100 * path.stat().st_size)
        return path

    return write


def table(path):
    return read_table(path)


def batches(path):
    return list(read_batches(path, 10))


def pairs(path):
    (path.parent / "b.en").write_text("x\n")
    return read_parallel(path, path.parent / "b.en", ("a", "b"))


def vectors(path):
    return VectorFile(path).of(["film"], lowercase=True)


@pytest.mark.parametrize(
    ("name", "line", "read"),
    [
        ("a.csv.gz", b"1,2\n", table),
        ("a.tsv.gz", b"1\t2\n", table),
        ("a.jsonl.gz", b'{"a": 1}\n', table),
        ("a.csv.gz", b"1,2\n", batches),
        ("a.parquet.gz", b"PAR1", table),
        ("a.txt.gz", b"one\n", read_text),
        ("a.txt.gz", b"0", read_text),  # a single line
        ("a.de.gz", b"ein\n", pairs),
        ("v.txt", b"film 1 2\n", vectors),
    ],
)
def test_what_unpacks_to_too_much_is_refused(name, line, read, bomb):
    path = bomb(name, line, 1_000_000 // len(line))
    with pytest.raises(DataError, match=r"unpacks to more than 0\.0 GB, .*unpack it by `gunzip`") as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_is_refused_before_all_of_it_is_in_memory(bomb):
    path = bomb("a.txt.gz", b"0", 40_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="unpacks to more than"):
            read_text(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_what_its_size_lets_expect_is_read(bomb, tmp_path):
    rows = pl.DataFrame({"a": range(40_000), "b": [str(n * 7919 % 10_007) for n in range(40_000)]})
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(rows.write_csv().encode()))
    assert LIMIT < len(rows.write_csv()) < 100 * path.stat().st_size
    assert read_table(path, ["b"]).equals(rows)
    assert source_of(path).row(39_999) == "line 40001 of a.csv.gz"
    few = tmp_path / "few.csv.gz"
    few.write_bytes(gzip.compress(b"a\n" + b"1\n" * 40_000))  # below what is always read
    assert len(few.read_bytes()) * 100 < 80_000 < LIMIT
    assert len(read_table(few)) == 40_000


def test_several_packed_files_in_one_are_read_as_one(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    with opened(path) as file:
        assert file.readlines() == [b"one\n", b"two\n"]
    assert file.closed

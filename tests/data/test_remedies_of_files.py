"""The remedies that messages on files offer work when they are obeyed, and nothing is lost or made up."""

import gzip
import re
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest

from sluicegate.data import read_table
from sluicegate.data.vectors import VectorFile
from sluicegate.errors import DataError


def refused(read, path):
    with pytest.raises(DataError) as caught:
        read(path)
    return str(caught.value)


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "words", "then", "mended", "expected"),
    [
        (
            "t.csv",
            "x;text\n1,5;well, fine\n",
            "replace them, and write numbers with a decimal point",
            "t.csv",
            'x,text\n1.5,"well, fine"\n',
            {"x": [1.5], "text": ["well, fine"]},
        ),
        ("t.csv", "x\ttext\n1\ta, b\n", "name it .tsv", "t.tsv", None, {"x": [1], "text": ["a, b"]}),
        ("t.tsv", 'x,text\n1,"a, b"\n', "name it .csv", "t.csv", None, {"x": [1], "text": ["a, b"]}),
        (
            "t.csv",
            "x,text\n1,a, b\n",
            "put text with a separator in it into quotes",
            "t.csv",
            'x,text\n1,"a, b"\n',
            {"x": [1], "text": ["a, b"]},
        ),
        ("t.csv", "x,y\n1,2\n3,4,5\n", "or correct the line", "t.csv", "x,y\n1,2\n3,4\n", {"x": [1, 3], "y": [2, 4]}),
        ("t.txt", "x\n1\n", "save it as one", "t.csv", None, {"x": [1]}),
        ("t", "x\n1\n", "save it as one", "t.csv", None, {"x": [1]}),
        ("t.parquet", "x\n1\n", "give it the ending of what it is", "t.csv", None, {"x": [1]}),
        ("t.jsonl", '{"x": 1}\nx\n', "correct the line", "t.jsonl", '{"x": 1}\n{"x": 2}\n', {"x": [1, 2]}),
        ("t.csv", "x\n", "expected at least one row below the header", "t.csv", "x\n1\n", {"x": [1]}),
    ],
    ids=range(10),
)
def test_a_table(tmp_path, name, content, words, then, mended, expected):
    path = written(tmp_path, name, content)
    assert words in refused(read_table, path)
    mended = content if mended is None else mended
    assert read_table(written(tmp_path, then, mended)).to_dict(as_series=False) == expected


@pytest.mark.skipif(shutil.which("iconv") is None, reason="there is no iconv")
@pytest.mark.parametrize(
    ("name", "encoding"), [("a b.csv", "cp1252"), ("t.csv", "latin1"), ("t.csv", "utf-16"), ("t.jsonl", "latin1")]
)
def test_the_command_that_is_offered_keeps_every_letter(tmp_path, name, encoding):
    """Also curly quotes and the euro, which are nothing in Latin-1, and also of a name with a blank in it."""
    text = "“école” 5 €" if encoding in ("cp1252", "utf-16") else "école"
    rows = pl.DataFrame({"text": ["plain", text]})
    content = rows.write_csv() if name.endswith(".csv") else rows.write_ndjson()
    path = written(tmp_path, name, content.encode(encoding))
    command = re.search("`(.*)`", refused(read_table, path))[1]
    subprocess.run(command, shell=True, check=True)
    assert path.read_bytes() == content.encode(encoding)
    new = path.with_stem(f"{path.stem}-utf8")
    assert read_table(new)["text"].to_list() == ["plain", text]


@pytest.mark.skipif(shutil.which("iconv") is None, reason="there is no iconv")
@pytest.mark.parametrize("name", ["v.txt", "v.txt.gz"])
def test_the_command_for_word_vectors(tmp_path, name):
    content = "café 1 2\nthe 3 4\n".encode("latin1")
    path = written(tmp_path, name, gzip.compress(content, mtime=0) if name.endswith("gz") else content)

    def read(place):
        return VectorFile(place).of(["café", "the"], lowercase=True)

    subprocess.run(re.search("`(.*)`", refused(read, path))[1], shell=True, check=True)
    assert read(tmp_path / "v-utf8.txt").words == ("café", "the")


def test_a_line_among_others_that_are_utf8_is_corrected_alone(tmp_path):
    """The whole file read as another encoding would turn all other letters into two."""
    lines = ["text", "café", "crème", "plain"]
    path = written(tmp_path, "t.csv", "\n".join(lines).encode().replace("crème".encode(), b"cr\xe8me"))
    sentence = refused(read_table, path)
    assert "line 3 is not UTF-8: correct that line" in sentence
    assert "iconv" not in sentence
    assert read_table(written(tmp_path, "t.csv", "\n".join(lines)))["text"].to_list() == lines[1:]
    path = written(tmp_path, "v.txt", "café 1 2\n".encode() + b"cr\xe8me 3 4\n")
    assert "correct that line" in refused(lambda place: VectorFile(place).of(["café"], lowercase=True), path)


@pytest.mark.parametrize(
    ("content", "words", "mended"),
    [
        ("the 1 2\nfilm 3\n", "correct or remove it", "the 1 2\n"),
        ("the 1 2\nfilm x 2\n", "correct or remove it", "the 1 2\nfilm 3 2\n"),
        ("the 1 2\nfilm 1 nan\n", "correct or remove it", "the 1 2\n"),
        ("3 2\nthe 1 2\nfilm 3 4\n", "or correct line 1", "2 2\nthe 1 2\nfilm 3 4\n"),
        ("2 2\nthe 1 2\nfilm 3 x\n", "correct or remove it", "1 2\nthe 1 2\n"),
    ],
    ids=range(5),
)
def test_word_vectors(tmp_path, content, words, mended):
    def read(path):
        return VectorFile(path).of(["the", "film"], lowercase=True)

    assert words in refused(read, written(tmp_path, "v.txt", content))
    found = read(written(tmp_path, "v.txt", mended))
    assert found.words == ("the", "film")[: len(found.words)]
    np.testing.assert_array_equal(found.values[0], [1, 2])

"""Plain text from files, gzip'd or not."""

import gzip

import pytest

from sluicegate.data.text_files import is_text_file, read_text
from sluicegate.errors import DataError

TEXT = "eins zwei\n\u732b \U0001f408\n"


def test_text_files_are_told_by_their_ending(tmp_path):
    for name in ("a.txt", "a.tokens", "A.TXT", "a.b.text.gz"):
        assert is_text_file(tmp_path / name)
    for name in ("a.csv", "a.csv.gz", "txt", "a.gz"):
        assert not is_text_file(tmp_path / name)


def test_a_text_is_read_as_it_is(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.txt").write_text(TEXT, encoding="utf-8-sig")
    (tmp_path / "a.tokens.gz").write_bytes(gzip.compress(TEXT.encode()))
    for name in ("a.txt", "b.txt", "a.tokens.gz"):
        assert read_text(tmp_path / name) == TEXT


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b" \n", "is blank: expected lines of text"),
        ("a.txt", b"", "is blank: expected lines of text"),
        ("a.txt", b"one\nr\xe9sum\xe9\n", "line 2 is not UTF-8: save the file as UTF-8, for instance by `iconv"),
        ("a.txt", b"\xc3\xa9\n\xe9\n", "line 2 is not UTF-8: correct that line, for others are UTF-8"),
        ("a.txt", "one".encode("utf-16"), "is UTF-16: save the file as UTF-8"),
        ("a.txt.gz", b"one", "is a damaged gzip file"),
        ("a.txt.gz", gzip.compress(TEXT.encode(), mtime=0)[:-9], "is a damaged gzip file"),
    ],
)
def test_what_is_no_text(name, content, says, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_text(tmp_path / name)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "a.txt", tmp_path):
        with pytest.raises(DataError, match="is not there or is not a file"):
            read_text(path)

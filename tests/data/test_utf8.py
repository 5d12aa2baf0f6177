"""Text comes block by block, of whole lines, and is all there is in the file."""

import pytest

from sluicegate.data import utf8
from sluicegate.data.text_files import read_text
from sluicegate.errors import DataError

LINES = "eins\n\nzwei \u732b\U0001f408\r\n" * 7


@pytest.mark.parametrize("size", [1, 2, 5, 16, 1000])
@pytest.mark.parametrize("end", ["", "no end"])
def test_blocks_are_whole_lines(size, end, tmp_path, monkeypatch):
    monkeypatch.setattr(utf8, "_BLOCK", size)
    (tmp_path / "a.txt").write_bytes(("\ufeff" + LINES + end).encode())
    found = list(utf8.blocks(tmp_path / "a.txt"))
    assert "".join(found) == LINES + end == read_text(tmp_path / "a.txt")
    assert all(block.endswith("\n") for block in found[:-1])
    assert size > 16 or len(found) > 5


@pytest.mark.parametrize("size", [1, 16, 1000])
def test_the_line_is_named_whatever_the_blocks(size, tmp_path, monkeypatch):
    monkeypatch.setattr(utf8, "_BLOCK", size)
    (tmp_path / "a.txt").write_bytes(LINES.encode() + b"r\xe9sum\xe9\n")
    with pytest.raises(DataError, match="line 22 is not UTF-8: correct that line, for others are UTF-8"):
        list(utf8.blocks(tmp_path / "a.txt"))

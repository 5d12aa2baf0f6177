import csv
import datetime
import os
import re

import polars as pl
import pytest

from sluicegate.data import read_batches, read_table
from sluicegate.errors import DataError

TABLE = pl.DataFrame({"t": [1, 2, 3], "größe": [1.5, -2.0, 1e-3], "s": ["a", "b", "ü"]})


def refused(path):
    """The sentence with which a file is refused."""
    with pytest.raises(DataError) as caught:
        read_table(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "\n" not in sentence
    return sentence


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".CSV"])
def test_there_and_back(tmp_path, ending):
    path = tmp_path / f"table{ending}"
    match ending.lower():
        case ".csv":
            TABLE.write_csv(path)
        case ".tsv":
            TABLE.write_csv(path, separator="\t")
        case ".parquet":
            TABLE.write_parquet(path)
        case _:
            TABLE.write_ndjson(path)
    assert read_table(path).equals(TABLE)
    assert read_table(str(path)).equals(TABLE)


@pytest.mark.parametrize(
    "text",
    [
        "t,x\n1,2.5\n2,3.5\n",
        "t,x\r\n1,2.5\r\n2,3.5\r\n",
        "\ufefft,x\n1,2.5\n2,3.5\n",
        't,x\n"1","2.5"\n"2","3.5"\n',
        '"t","x"\n1,2.5\n2,3.5',
        "t,x\n1,2.5\n2,3.5\n\n\n",
        "t,x\n1,2.5\n2,3.5\n,\n",
    ],
    ids=["plain", "crlf", "bom", "quoted", "quoted header", "empty lines at the end", "empty row at the end"],
)
def test_the_csv_that_people_have(written, text):
    table = read_table(written("t.csv", text))
    assert table.columns == ["t", "x"]
    assert table.rows() == [(1, 2.5), (2, 3.5)]


@pytest.mark.parametrize("word", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"])
def test_words_for_a_missing_value(written, word):
    table = read_table(written("t.csv", f"t,x\n1,2.5\n2,{word}\n3,4\n"))
    assert table["x"].to_list() == [2.5, None, 4.0]


def test_a_column_that_changes_its_type_far_down(written):
    lines = [f"{i},{i}" for i in range(20_000)]
    assert read_table(written("t.csv", "\n".join(["t,x", *lines, "20000,0.5"])))["x"][-1] == 0.5
    rows = [f'{{"t": {i}, "x": {i}}}' for i in range(20_000)]
    assert read_table(written("t.jsonl", "\n".join([*rows, '{"t": 20000, "x": 0.5}'])))["x"][-1] == 0.5


WORDS = ["007", "7", "NA", "None", "nan", "TRUE", "1.50", " x", "1e5", "2024-01-31", "0x1", "a\nb"]


@pytest.mark.parametrize("rows", [None, 1, 5, 100])
def test_a_column_of_texts_is_read_as_it_is_written(tmp_path, rows):
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "x"), *((word, 1) for word in WORDS), ("", 2), ("z", "NA")])
    if rows is None:
        table = read_table(path, ["id", "no such column"])
        assert table["x"].to_list() == [1] * len(WORDS) + [2, None]
    else:
        table = pl.concat(read_batches(path, rows, ["id", "no such column"]))
    assert table["id"].to_list() == [*WORDS, None, "z"]


@pytest.mark.parametrize("text", ["id,x\n7,\n8,1\n", 'id,x\n"7",""\n"8","1"\n', "id,x\r\n7,\r\n8,1\r\n"])
def test_an_empty_cell_is_missing_in_every_column_quoted_or_not(written, text):
    path = written("t.csv", text)
    for table in (read_table(path), read_table(path, ["x"]), pl.concat(read_batches(path, 1, ["x"]))):
        assert table["x"].is_null().to_list() == [True, False]


def test_texts_that_are_numbers_for_long(written):
    path = written("t.csv", "\n".join(["id", *(f"{i:06d}" for i in range(20_000)), "NA", "a"]))
    assert read_table(path, ["id"])["id"].to_list()[-3:] == ["019999", "NA", "a"]


def test_a_missing_file(tmp_path):
    assert "is not there" in refused(tmp_path / "t.csv")


def test_a_folder(tmp_path):
    assert "is a folder" in refused(tmp_path)
    (tmp_path / "t.csv").mkdir()
    assert "is a folder" in refused(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.csv.zip"])
def test_another_ending(written, name):
    assert "expected .csv, .tsv, .parquet, .jsonl or .ndjson" in refused(written(name, "t,x\n1,2\n"))


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.jsonl"])
def test_an_empty_file(written, name):
    assert "is empty" in refused(written(name, ""))


@pytest.mark.parametrize("text", ["t,x\n", "t,x", "t,x\n\n\n"])
def test_a_header_only(written, text):
    assert "holds no rows" in refused(written("t.csv", text))


def test_line_breaks_only(written):
    assert "cannot be read as csv" in refused(written("t.csv", "\n\n"))


@pytest.mark.parametrize("good", [0, 3, 600_000])
def test_the_line_that_is_not_utf8(written, good):
    lines = b"".join(b"%d,caf\xc3\xa9\n" % i for i in range(good))
    sentence = refused(written("t.csv", b"t,x\n" + lines + b"7,caf\xe9\n8,x\n"))
    assert f"line {good + 2} is not UTF-8" in sentence
    assert ("correct that line" if good else "iconv -f cp1252") in sentence


def test_utf16(written):
    assert "iconv -f utf-16" in refused(written("t.csv", "t,x\n1,2\n".encode("utf-16")))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.csv", "t;x\n1;2,5\n", r"line 1 separates its columns by ';': expected ',' in a .csv file"),
        ("t.csv", "t\tx\n1\t2\n", r"line 1 separates its columns by '\\t': .* name it .tsv"),
        ("t.csv", "\ufefft|x\n1|2\n", r"line 1 separates its columns by '|'"),
        ("t.tsv", "t,x\n1,2\n", r"line 1 separates its columns by ',': .* name it .csv"),
    ],
)
def test_another_separator(written, name, text, words):
    assert re.search(words, refused(written(name, text)))


def test_a_table_of_one_column(written):
    assert read_table(written("t.csv", "t\n1\n2\n"))["t"].to_list() == [1, 2]


def test_a_line_with_too_many_values(written):
    sentence = refused(written("t.csv", 't,x\n1,"2,5"\n2,3\n3,1,000\n'))
    assert "line 4 holds 3 values: expected 2" in sentence


def test_the_line_with_too_many_values_is_counted_as_an_editor_counts(written):
    sentence = refused(written("t.csv", 't,x\n"a\n\nb",1\n\n"c\nd",1,000\n'))
    assert "line 6 holds 3 values" in sentence


@pytest.mark.parametrize("bad", ["{", "1", "[1]", '{"t": 2', "t,x"])
def test_a_line_that_is_no_json_object(written, bad):
    sentence = refused(written("t.jsonl", f'{{"t": 1}}\n{bad}\n{{"t": 3}}\n'))
    assert "line 2 is not a JSON object" in sentence


@pytest.mark.parametrize("content", [b"PAR1 and then nothing", b"t,x\n1,2\n"])
def test_a_damaged_parquet_file(written, content):
    assert "cannot be read as parquet" in refused(written("t.parquet", content))


def test_a_parquet_file_that_was_cut(tmp_path):
    path = tmp_path / "t.parquet"
    TABLE.write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "cannot be read as parquet" in refused(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may read everything")
def test_no_right_to_read(written):
    path = written("t.csv", "t,x\n1,2\n")
    path.chmod(0)
    assert "permission denied" in refused(path)


def test_denied(written, monkeypatch):
    def deny(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pl, "read_parquet", deny)
    assert "permission denied; ask" in refused(written("t.parquet", b"PAR1"))


def test_times_in_parquet_keep_their_type(tmp_path):
    path = tmp_path / "t.parquet"
    table = pl.DataFrame({"t": [datetime.date(2024, 1, 1)], "d": [datetime.timedelta(1)]})
    table.write_parquet(path)
    assert read_table(path).equals(table)


LONG = pl.DataFrame({"n": range(25), "s": [None if i % 3 else f"text {i}, ü" for i in range(25)]})


@pytest.mark.parametrize("rows", [1, 4, 10, 25, 100])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_batches_are_the_table_in_parts(tmp_path, ending, rows):
    path = tmp_path / f"table{ending}"
    match ending:
        case ".csv":
            LONG.write_csv(path)
        case ".tsv":
            LONG.write_csv(path, separator="\t")
        case ".parquet":
            LONG.write_parquet(path)
        case _:
            LONG.write_ndjson(path)
    batches = list(read_batches(path, rows))
    assert [len(batch) for batch in batches[:-1]] == [rows] * (len(batches) - 1)
    assert pl.concat(batches).equals(read_table(path))


@pytest.mark.parametrize("rows", [1, 2, 3, 50])
def test_batches_leave_out_an_empty_end_as_the_whole_does(written, rows):
    path = written("t.csv", "s,x\na,1\n,\n,\nb,2\n,\n,\n,\n")
    assert pl.concat(read_batches(path, rows)).equals(read_table(path))
    assert len(read_table(path)) == 4


@pytest.mark.parametrize(("name", "line"), [("t.csv", "{}\n"), ("t.jsonl", '{{"x": {}}}\n')])
def test_batches_have_the_types_of_the_whole(written, name, line):
    """A column that turns out to be text far down is text from the beginning."""
    values = [*map(str, range(20_000)), '"a"']
    path = written(name, ("x\n" if name == "t.csv" else "") + "".join(line.format(value) for value in values))
    assert pl.concat(read_batches(path, 3_000)).equals(read_table(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "x,y\n1,2\n1,2,3\n"),
        ("t.csv", "x;y\n1;2\n"),
        ("t.csv", "x,y\n"),
        ("t.csv", "x,y\n,\n,\n"),
        ("t.csv", b"x\n\xff\n"),
        ("t.jsonl", '{"x": 1}\n{"x": \n'),
        ("t.parquet", "PAR0"),
        ("t.txt", "x"),
    ],
)
def test_batches_refuse_what_the_whole_refuses(written, name, content):
    path = written(name, content)
    with pytest.raises(DataError) as whole:
        read_table(path)
    with pytest.raises(DataError) as parts:
        list(read_batches(path, 10))
    assert str(parts.value) == str(whole.value)


def test_a_name_without_an_ending_is_told_to_be_nowhere(tmp_path):
    with pytest.raises(DataError, match="nowhere is not there or is not a file"):
        read_table(tmp_path / "nowhere")
    (tmp_path / "here").write_text("a")
    with pytest.raises(DataError, match="here ends in 'nothing'"):
        read_table(tmp_path / "here")

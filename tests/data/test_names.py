import polars as pl
import pytest

from sluicegate.data.names import LABELS, SERIES, column_of, in_words, matched, named, ordered, quoted
from sluicegate.errors import DataError


def where(row):
    return f"row {row}"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pl.Series(["01", "NA", " "]), ["01", "NA", " "]),
        (pl.Series([1, 2], dtype=pl.UInt8), [1, 2]),
        (pl.Series([2**64 - 1, 2], dtype=pl.UInt64), [2**64 - 1, 2]),
        (pl.Series([1.0, -2.0]), [1, -2]),
        (pl.Series(["1", "2"]).cast(pl.Decimal(20, 0)), [1, 2]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pl.Series([True, False]), [True, False]),
    ],
)
def test_names_of_every_type(column, values):
    found = named(column, LABELS, where)
    assert found.to_list() == values
    assert [type(value) for value in found.to_list()] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pl.Series("id", ["a", None, None]), "column 'id' is empty in row 1 (2 such rows in all): every row must say"),
        (pl.Series("id", ["a", ""]), "column 'id' is empty in row 1: every row must say"),
        (pl.Series("id", [1.0, float("nan")]), "column 'id' is empty in row 1: every row must say"),
        (pl.Series("id", [1.0, 2.5]), "column 'id' is of type Float64: expected text or whole numbers; convert"),
        (pl.Series("id", [[1]]), "column 'id' is of type List"),
        (pl.Series("id", [True]), "column 'id' is of type Boolean"),
    ],
)
def test_no_names(column, words):
    with pytest.raises(DataError) as caught:
        named(column, SERIES, where)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("found", "known", "places"),
    [
        (["7", "007"], ["007", "7"], [1, 0]),
        ([7, 123], ["007", "00123"], [0, 1]),
        (["007", "8", "8.5"], [7, 8], [0, 1, -1]),
        (["7.0"], [7], [0]),
        ([8], ["007"], [-1]),
        ([True, False], ["TRUE", "FALSE"], [0, 1]),
        (["true", "False", "yes"], [False, True], [1, 0, -1]),
        ([1, 0], [False, True], [-1, -1]),
        ([("a", 7)], [("a", "7"), ("b", "7")], [0]),
        ([("7", "x")], [("7", "x"), (7, "x")], [0]),
        (["9" * 5000], [9], [-1]),
        ([], ["a"], []),
    ],
)
def test_matched(found, known, places):
    assert matched(found, known, "column 'id'") == places


@pytest.mark.parametrize(
    ("found", "known", "words"),
    [
        ([7], ["007", "7"], "holds the number 7, which may be the text '007' or the text '7' of training"),
        (["007", "7"], [7], "holds the text '007' and the text '7', which may both be the number 7 of training"),
        ([True], ["true", "TRUE"], "holds the truth value True, which may be the text 'true' or the text 'TRUE'"),
    ],
)
def test_nothing_is_guessed(found, known, words):
    with pytest.raises(DataError) as caught:
        matched(found, known, "column 'id'")
    assert words in str(caught.value)


def test_labels_that_are_measurements():
    with pytest.raises(DataError, match=r"column 'y' holds inf in row 1: expected classes, not measurements"):
        named(pl.Series("y", [1.0, float("inf")]), LABELS, where)


def test_in_words():
    assert [quoted("0"), quoted(0), quoted(False), quoted(("a", 0))] == [
        "the text '0'",
        "the number 0",
        "the truth value False",
        "(the text 'a', the number 0)",
    ]
    assert in_words("123", ["00123"]) == "'123' (not '00123')"
    assert in_words("b", ["a"]) == "'b'"
    assert in_words(1, ["a"]) == "the number 1"


def test_new_names_of_another_type_make_a_column_of_texts():
    assert column_of("id", [7, 8]).to_list() == [7, 8]
    assert column_of("id", [7, "a"]).to_list() == ["7", "a"]


def test_order():
    assert ordered(["10", "2", "01", "1"]) == ["01", "1", "2", "10"]
    assert ordered(["b", "10", "2"]) == ["10", "2", "b"]
    assert ordered([10, 2]) == [2, 10]

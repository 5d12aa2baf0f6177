"""What polars would do in threads of its own gives the same in the calling thread."""

import polars as pl
import pytest

from sluicegate.data.serial import changes, codes, computed


@pytest.mark.parametrize("name", ["x", "", "*", "^x$", "here", "0"])
def test_an_expression_of_a_column_of_any_name(name):
    column = pl.Series(name, [" 1", None, "2 "])
    found = computed(column, lambda text: text.str.strip_chars().cast(pl.Float64).fill_null(0))
    assert found.name == name
    assert found.to_list() == [1.0, 0.0, 2.0]
    assert computed(column.head(0), lambda text: text.str.to_uppercase()).to_list() == []


def test_changes():
    assert changes(pl.Series([1, 1, 2, None, None, 2])).tolist() == [True, False, True, True, False, True]
    assert changes(pl.Series(["a"])).tolist() == [True]
    assert changes(pl.Series([], dtype=pl.String)).tolist() == []


@pytest.mark.parametrize("values", [["b", "a", "b", ""], [2**40, -1, 2**40, 0]])
def test_codes(values):
    found = codes(pl.Series(values)).tolist()
    assert len(set(found)) == 3
    assert found[0] == found[2]


def test_codes_of_numbers_beyond_64_bits():
    assert codes(pl.Series([2**70, 3, 2**70], dtype=pl.Int128)).tolist() in ([0, 1, 0], [1, 0, 1])

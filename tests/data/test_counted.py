"""Numbers of things agree with the nouns and the verbs beside them."""

import doctest

from sluicegate.data import counted


def test_one_and_many():
    assert [counted.counted(count, "row") for count in (0, 1, 2, 1234567)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,234,567 rows",
    ]


def test_a_note_of_what_was_left_out():
    assert counted.left_out(0, "row", "without a text") == []
    assert counted.left_out(1, "row", "without a text") == ["1 row without a text was left out."]
    assert counted.left_out(1000, "row", "without a text", "training") == [
        "1,000 rows without a text were left out of training."
    ]


def test_the_examples_hold():
    assert doctest.testmod(counted).failed == 0

"""The remedies that messages on labels and groups offer work when they are obeyed."""

import numpy as np
import polars as pl
import pytest

from sluicegate.data import Source
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classification.equal_rows import Ties, numbered
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.splitting import validation_folds

SOURCE = Source("the table")


def refused(verb, *arguments):
    with pytest.raises((DataError, ConfigError)) as caught:
        verb(*arguments)
    return str(caught.value)


def classes(values):
    return Labels.of(pl.Series("label", values), SOURCE).classes


@pytest.mark.parametrize(
    ("values", "words", "obeyed", "expected"),
    [
        (["a", "a"], "add rows of another class", ["a", "a", "b", "b"], ("a", "b")),
        (["a", "a", "b", "b", "c"], "add rows", ["a", "a", "b", "b", "c", "c"], ("a", "b", "c")),
        (["a", "a", "b", "b", "c"], "or leave the class out", ["a", "a", "b", "b"], ("a", "b")),
        (["a", "a", "b", "b", None], "or leave such rows out", ["a", "a", "b", "b"], ("a", "b")),
        (["a", "a", "b", "b", ""], "give each row a class", ["a", "a", "b", "b", "b"], ("a", "b")),
        ([0.5, 0.5, 1, 1], "or convert it to text", ["0.5", "0.5", "1.0", "1.0"], ("0.5", "1.0")),
        ([[1], [1], [2], [2]], "convert it to text", ["[1]", "[1]", "[2]", "[2]"], ("[1]", "[2]")),
    ],
    ids=range(7),
)
def test_labels(values, words, obeyed, expected):
    assert words in refused(classes, values)
    assert classes(obeyed) == expected


def test_labels_of_other_tables():
    labels = Labels("label", ("1", "01", "x"))

    def numbers(values):
        return labels.numbers(pl.Series("label", values), SOURCE).tolist()

    assert "leave these rows out" in refused(numbers, ["x", "y", "1"])
    assert numbers(["x", "1"]) == [2, 0]
    assert "give the column as text, written as in training" in refused(numbers, [1])
    assert numbers(["01"]) == [1]
    labels = Labels("label", (1, 2))
    assert "write it in one way" in refused(numbers, ["1", "01"])
    assert numbers(["1", "1"]) == [0, 0]
    assert "must be one of 1, 2" in refused(labels.number, 3)
    assert labels.number(2) == 1


@pytest.mark.parametrize("folds", [1, 2, 3, 5])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups(folds, groups):
    """A single group cannot be divided whatever `folds` is, so it is not to be lowered."""
    truth, names = np.arange(12) % 2, [str(row % groups) for row in range(12)]

    def cut(folds, names):
        ties = Ties.of(truth, names, numbered(range(12)), folds)
        return validation_folds(truth, ties, folds, 0)

    if groups >= max(2, folds):
        assert len(cut(folds, names)) == 12
        return
    said = refused(cut, folds, names)
    assert "leave `groups` (`--group`) out" in said
    assert set(cut(folds, None).tolist()) - {-1} == set(range(folds))
    assert ("lower `folds`" in said) == (groups > 1)
    if groups > 1:
        found = cut(groups, names)
        assert all(len(set(found[np.array(names) == name])) == 1 for name in set(names))

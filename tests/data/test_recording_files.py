"""Recordings from `.npz` and `.ts` files."""

import re
import sys

import numpy as np
import pytest

from sluicegate.data import read_recordings
from sluicegate.errors import DataError, MissingExtra

TS = """# a comment
@problemName Made
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength false
@classLabel true slow fast
@data
1.0,2.0,3.0:0.5,0.25,0.125:slow
4.0,5.0:1.5,2.5:fast
"""


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "r.npz", **arrays)
        return tmp_path / "r.npz"

    return write


def refuse(words, path, kind=DataError, **options):
    with pytest.raises(kind, match=re.escape(words)):
        read_recordings(path, **options)


def test_npz_with_lengths(npz):
    path = npz(X=np.arange(10.0).reshape(5, 2), lengths=[3, 2], y=["a", "b"], who=[7, 8], other=np.zeros(3))
    found = read_recordings(path, label="y", group="who")
    assert [part.tolist() for part in found.values] == [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9]]]
    assert found.labels.to_list() == ["a", "b"]
    assert found.labels.name == "y"
    assert found.groups.to_list() == [7, 8]
    assert read_recordings(path).labels is None


def test_npz_of_one_length(npz):
    assert read_recordings(npz(X=np.zeros((4, 5, 2), np.float32))).lengths.tolist() == [5] * 4


def test_npz_that_cannot_be_used(npz, tmp_path):
    flat = np.zeros((5, 2))
    refuse("there is no array 'X' in", npz(a=flat))
    refuse("there is no array 'y' in", npz(X=flat, lengths=[5]), label="y")
    refuse("array 'X' in", npz(X=flat))
    refuse("array 'lengths' in", npz(X=flat, lengths=[3, 3]))
    refuse("array 'lengths' in", npz(X=flat, lengths=[6, -1]))
    refuse("cannot be read as npz", npz(X=np.array([{}], dtype=object)))
    refuse("recording 1 in r.npz has no rows", npz(X=flat, lengths=[5, 0]))
    refuse("there are 1 recordings and 2 labels", npz(X=flat, lengths=[5], y=[0, 1]), label="y")
    (tmp_path / "r.npz").write_bytes(b"PK no zip")
    refuse("cannot be read as npz", tmp_path / "r.npz")
    refuse("is not there or is not a file", tmp_path / "none.npz")


def test_ts(tmp_path):
    pytest.importorskip("sktime")
    (tmp_path / "made.ts").write_text(TS)
    found = read_recordings(tmp_path / "made.ts")
    assert [part.tolist() for part in found.values] == [[[1, 0.5], [2, 0.25], [3, 0.125]], [[4, 1.5], [5, 2.5]]]
    assert found.labels.to_list() == ["slow", "fast"]
    refuse("has no groups, as .ts files have none", tmp_path / "made.ts", group="who")


def test_ts_that_cannot_be_used(tmp_path):
    pytest.importorskip("sktime")
    (tmp_path / "made.ts").write_text(TS.replace("4.0,5.0:1.5,2.5:fast", "4.0,5.0:1.5:fast"))
    refuse("recording 1 in", tmp_path / "made.ts")
    (tmp_path / "made.ts").write_text("nothing of the kind\n")
    refuse("cannot be read as .ts", tmp_path / "made.ts")


def test_ts_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sktime.datasets", None)
    (tmp_path / "made.ts").write_text(TS)
    refuse("run `pip install 'sluicegate[series]'`", tmp_path / "made.ts", MissingExtra)

"""Recordings from `.npz` files."""

import re

import numpy as np
import pytest

from sluicegate.data import read_recordings
from sluicegate.errors import DataError


def refuse(words, path, **options):
    with pytest.raises(DataError, match=re.escape(words)):
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
    refuse("recording 1 in r.npz has no rows", npz(X=flat, lengths=[5, 0]))
    refuse("there are 1 recordings and 2 labels", npz(X=flat, lengths=[5], y=[0, 1]), label="y")
    (tmp_path / "r.npz").write_bytes(b"PK no zip")
    refuse("cannot be read as npz", tmp_path / "r.npz")
    refuse("is not there or is not a file", tmp_path / "none.npz")


def test_arrays_by_other_names(npz):
    path = npz(x_train=np.zeros((2, 3, 1)), x_test=np.ones((1, 4, 1)), sizes=[2, 1], flat=np.arange(3.0)[:, None])
    assert read_recordings(path, array="x_test").values[0].tolist() == [[1]] * 4
    assert read_recordings(path, array="flat", lengths="sizes").lengths.tolist() == [2, 1]
    refuse("there is no array 'X' in", path)
    refuse("it holds x_train, x_test, sizes, flat; name one of them by `array` (`--array`)", path)
    refuse("name one of them by `lengths` (`--lengths`)", path, array="flat", lengths="length")
    refuse("name one of them by `label` (`--label`)", path, array="x_test", label="y")


def test_padding_in_npz_is_length(npz):
    padded = np.array([[[1.0, 2], [3, 4], [np.nan, np.nan]], [[5, 6], [7, 8], [9, 10]]])
    assert read_recordings(npz(X=padded)).lengths.tolist() == [2, 3]
    assert read_recordings(npz(X=np.nan_to_num(padded), lengths=[2, 3])).lengths.tolist() == [2, 3]
    assert read_recordings(npz(X=padded, lengths=[3, 2])).lengths.tolist() == [2, 2]
    refuse("array 'lengths' in", npz(X=padded, lengths=[2, 4]))
    refuse("expected 2 whole numbers of at most 3", npz(X=padded, lengths=[2]))
    padded[0, 0, 0] = np.nan
    refuse("recording 0 in r.npz holds nan at step 0, channel 0 (1 such in all)", npz(X=padded))


def test_python_objects_in_npz(npz):
    labels, values = np.array(["a", "b"], dtype=object), np.zeros((2, 3, 1))
    refuse("array 'y' in", npz(X=values, y=labels), label="y")
    refuse("holds Python objects, which are not read: save it", npz(X=values, y=labels), label="y")
    ragged = np.array([np.zeros((2, 1)), np.zeros((3, 1))], dtype=object)
    refuse("such as", npz(X=values, lengths=labels))
    refuse("`X=np.concatenate(X), lengths=[len(part) for part in X]`", npz(X=ragged))
    assert len(read_recordings(npz(X=np.concatenate(ragged), lengths=[len(part) for part in ragged]))) == 2

"""The remedies that messages on recordings offer work when they are obeyed, and give the right values."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sluicegate.data import Recordings, read_recordings
from sluicegate.errors import ConfigError, DataError


def refused(read, *arguments, **options):
    with pytest.raises((DataError, ConfigError)) as caught:
        read(*arguments, **options)
    return str(caught.value)


def values_of(found):
    return [part.tolist() for part in found.values]


ONE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
WITH_A_HOLE = np.array([[1.0, 2.0], [np.nan, 4.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    ("arrays", "words", "obeyed", "expected"),
    [
        (ONE[:, 0], "put a single recording into a list", [ONE[:, 0]], [[[1], [3], [5]]]),
        (ONE, "put a single recording into a list", [ONE], [ONE.tolist()]),
        (ONE, "give several of a single channel as `array[:, :, None]`", ONE[:, :, None], ONE[:, :, None].tolist()),
        ([ONE, ONE[:0]], "recording 1 in the recordings has no rows: leave it out", [ONE], [ONE.tolist()]),
        ([ONE, ONE * np.nan], "holds no values but missing ones: leave it out", [ONE], [ONE.tolist()]),
        ([ONE, WITH_A_HOLE], "fill these in", [ONE, np.nan_to_num(WITH_A_HOLE, nan=3)], [ONE.tolist(), ONE.tolist()]),
        ([ONE, WITH_A_HOLE], "or leave the recording out", [ONE], [ONE.tolist()]),
        ([ONE * 1e35], "rescale the channel", [ONE * 1e5], [(ONE * 1e5).tolist()]),
        ([ONE, ONE.T], "all must have the same ones, in [time, channels] order", [ONE, ONE], [ONE.tolist()] * 2),
    ],
    ids=range(9),
)
def test_arrays(arrays, words, obeyed, expected):
    assert words in refused(Recordings.of_arrays, arrays)
    found = values_of(Recordings.of_arrays(obeyed))
    assert [np.shape(part) for part in found] == [np.shape(part) for part in expected]
    assert found == [pytest.approx(np.array(part)) for part in expected]


LABELS = ["a", "b"]


@pytest.mark.parametrize(
    ("labels", "words", "obeyed"),
    [
        ("label", "give a sequence with a value for each", LABELS),
        (["a"], "expected as many, one for each recording in its order", LABELS),
        ([1, "b"], "make them all of one type", list(map(str, [1, "b"]))),
        (np.eye(2), "such as `labels.argmax(axis=1)`", np.eye(2).argmax(axis=1)),
        ([b"\xe9", b"b"], "decode them to texts", ["é", "b"]),
    ],
    ids=range(5),
)
def test_labels(labels, words, obeyed):
    assert words in refused(Recordings.of_arrays, [ONE, ONE], labels=labels)
    assert Recordings.of_arrays([ONE, ONE], labels=obeyed).labels.to_list() == list(obeyed)


def table(times=(0, 1, 2), values=(1.0, 2.0, 3.0), **more):
    return pl.DataFrame({"id": ["a"] * len(times), "t": list(times), "x": list(values), **more})


@pytest.mark.parametrize(
    ("frame", "options", "words", "obeyed", "expected"),
    [
        (table((0, 2, 1), (1.0, 3.0, 2.0)), {}, "sort the rows by recording and time", lambda f: f.sort("id", "t"), {}),
        (
            table((0, 1, 1, 2), (1.0, 2.0, 2.0, 3.0)),
            {},
            "remove those that are there twice",
            lambda f: f.unique(["id", "t"], maintain_order=True),
            {},
        ),
        (
            table((0, 1, None), (1.0, 2.0, 3.0)),
            {},
            "give each row a time",
            lambda f: f.with_columns(pl.col("t").fill_null(2)),
            {},
        ),
        (
            table(values=(1.0, None, 3.0)),
            {},
            "fill these in",
            lambda f: f.with_columns(pl.col("x").interpolate()),
            {},
        ),
        (
            pl.concat([table(), table(values=(None, 2.0, 3.0)).with_columns(id=pl.lit("b"))]),
            {},
            "or leave the recordings out",
            lambda f: f.filter(pl.col("id") != "b"),
            {},
        ),
        (
            pl.concat([table(), table(values=(None,) * 3).with_columns(id=pl.lit("b"))]),
            {},
            "recording 'b' has no number in any row and channel: leave it out",
            lambda f: f.filter(pl.col("id") != "b"),
            {},
        ),
        (
            table(y=["p", "p", "q"]),
            {"label": "y"},
            "cut it where the value changes",
            lambda f: f.with_columns(pl.col("y").alias("id")),
            {"values": [[[1], [2]], [[3]]], "labels": ["p", "q"]},
        ),
        (
            table(x2=["?", "1", "2"]),
            {},
            "correct or remove it",
            lambda f: f.with_columns(x2=pl.Series(["0", "1", "2"])),
            {"values": [[[1, 0], [2, 1], [3, 2]]]},
        ),
        (
            table(x2=["1,5", "1", "2"]),
            {},
            "without thousands separators and with a decimal point",
            lambda f: f.with_columns(pl.col("x2").str.replace(",", ".")),
            {"values": [[[1, 1.5], [2, 1], [3, 2]]]},
        ),
        (table().rename({"id": "ID"}), {}, "did you mean 'ID'?", lambda f: f.rename({"ID": "id"}), {}),
    ],
    ids=range(10),
)
def test_tables(frame, options, words, obeyed, expected):
    def read(given):
        return Recordings.of_table(given, series="id", time="t", **options)

    assert words in refused(read, frame)
    found = read(obeyed(frame))
    assert values_of(found) == expected.get("values", [[[1], [2], [3]]])
    assert (None if found.labels is None else found.labels.to_list()) == expected.get("labels")


@pytest.mark.parametrize(
    "times",
    [
        ["9", "10", "11"],
        ["9.5", "10", "1e2"],
        ["2024-01-09", "2024-01-10", "2024-02-01"],
        ["Jan 2024", "Feb 2024", "Mar 2024"],
        ["10:00", "10:01", "10:02"],
    ],
)
@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_times_that_are_text_ascend_as_numbers_and_dates_do(times, kind):
    frame = table(times).with_columns(pl.col("t").cast(kind))
    assert values_of(Recordings.of_table(frame, series="id", time="t")) == [[[1], [2], [3]]]
    mixed = frame[[0, 2, 1]]
    sentence = refused(Recordings.of_table, mixed, series="id", time="t")
    assert ("sort the rows" in sentence) == (times[0] != "10:00")


@pytest.mark.parametrize(
    ("times", "form"), [(["30.01.2024", "31.01.2024", "01.02.2024"], "%d.%m.%Y"), (["9:58", "9:59", "10:00"], "%H:%M")]
)
def test_times_in_order_are_never_sorted_by_their_letters(times, form):
    sentence = refused(Recordings.of_table, table(times), series="id", time="t")
    assert "sort" not in sentence
    assert "give numbers, or time stamps with the year first" in sentence
    stamps = pd.to_datetime(pd.Series(times), format=form)
    for obeyed in (stamps.to_list(), [f"{stamp:%Y-%m-%d %H:%M}" for stamp in stamps], [0, 1, 2]):
        assert values_of(Recordings.of_table(table(obeyed), series="id", time="t")) == [[[1], [2], [3]]]


X = np.stack([ONE, ONE + 1])


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_labels_of_objects_do_not_become_a_class(npz, missing):
    y = objects(["a", missing])
    sentence = refused(read_recordings, npz(X=X, y=y), label="y")
    told = '`y=np.array(["" if v is None or v != v else str(v) for v in y])`'
    assert told in sentence
    y = np.array(["" if v is None or v != v else str(v) for v in y])
    assert read_recordings(npz(X=X, y=y), label="y").labels.to_list() == ["a", ""]  # which no classifier takes


def test_objects_in_npz(npz):
    several = objects([ONE, ONE[:2]])
    assert "`X=np.concatenate(X), lengths=[len(part) for part in X]`" in refused(read_recordings, npz(X=several))
    found = read_recordings(npz(X=np.concatenate(several), lengths=[len(part) for part in several]))
    assert values_of(found) == [ONE.tolist(), ONE[:2].tolist()]
    lengths = objects([3, 3])
    path = npz(X=np.concatenate(X), lengths=lengths)
    assert "`lengths=np.array(lengths, dtype=int)`" in refused(read_recordings, path)
    found = read_recordings(npz(X=np.concatenate(X), lengths=np.array(lengths, dtype=int)))
    assert values_of(found) == X.tolist()


@pytest.mark.parametrize(
    ("arrays", "options", "words", "obeyed", "then"),
    [
        ({"data": X}, {}, "name one of them by `array`", {"data": X}, {"array": "data"}),
        ({"X": X[:, :, 0]}, {}, "save `X=X[:, :, None]`", {"X": X[:, :, :1]}, {}),
        ({"X": X.reshape(6, 2)}, {}, "with an array of `lengths`", {"X": X.reshape(6, 2), "lengths": [3, 3]}, {}),
        ({"X": X}, {"lengths": "n"}, "name one of them by `lengths`", {"X": X, "n": [3, 3]}, {"lengths": "n"}),
        ({"X": X, "lengths": [4, 3]}, {}, "expected 2 whole numbers of at most 3", {"X": X, "lengths": [3, 3]}, {}),
    ],
    ids=range(5),
)
def test_npz(npz, arrays, options, words, obeyed, then):
    assert words in refused(read_recordings, npz(**arrays), **options)
    found = values_of(read_recordings(npz(**obeyed), **then))
    assert found == (X[:, :, :1] if "None" in words else X).tolist()


HEAD = "@timeStamps false\n@equalLength true\n@seriesLength 2\n@classLabel true a b\n@data\n"


@pytest.mark.parametrize(
    ("content", "words", "mended", "values", "labels"),
    [
        (HEAD + "1,2,3:a\n", "complete the line", HEAD + "1,2:a\n", [[[1], [2]]], ["a"]),
        (
            HEAD + "1,2,3:a\n",
            "write `@equalLength false` above",
            HEAD.replace("Length true", "Length false") + "1,2,3:a\n",
            [[[1], [2], [3]]],
            ["a"],
        ),
        (HEAD + "1,2\n", "complete the line", HEAD + "1,2:b\n", [[[1], [2]]], ["b"]),
        (
            HEAD + "1,2\n",
            "@classLabel above",
            HEAD.replace("Label true a b", "Label false") + "1,2\n",
            [[[1], [2]]],
            None,
        ),
        (HEAD + "1,2:\n", "or '?' where it is not known", HEAD + "1,2:?\n", [[[1], [2]]], [None]),
        (HEAD + "1,2:c\n", "correct one of the two", HEAD.replace("a b", "a b c") + "1,2:c\n", [[[1], [2]]], ["c"]),
        (HEAD + "1,x:a\n1,2:b\n", "or '?' where it is missing", HEAD + "1,?:a\n1,2:b\n", None, None),
        (HEAD + "1,2:3:a\n", "resample them", HEAD + "1,2:3,4:a\n", [[[1, 3], [2, 4]]], ["a"]),
        (HEAD + "?,?:a\n1,2:b\n", "leave the recording out", HEAD + "1,2:b\n", [[[1], [2]]], ["b"]),
        (HEAD + "?,2:a\n1,2:b\n", "fill these in", HEAD + "1.5,2:a\n1,2:b\n", [[[1.5], [2]], [[1], [2]]], ["a", "b"]),
        ("hello\n@data\n1\n", "remove it", "@data\n1\n", [[[1]]], None),
        ("@data\n1,2:a\n", "write `@classLabel true` above", "@classLabel true\n@data\n1,2:a\n", [[[1], [2]]], ["a"]),
        ("@univariate yes\n@data\n1\n", "expected true or false", "@univariate true\n@data\n1\n", [[[1]]], None),
        (
            "@timeStamps true\n@data\n1,2\n",
            "write `@timeStamps false` above",
            "@timeStamps false\n@data\n1,2\n",
            [[[1], [2]]],
            None,
        ),
        (
            "@timeStamps true\n@data\n(1,5),(0,4),(0,4)\n",
            "sort the pairs, and remove those that are there twice",
            "@timeStamps true\n@data\n(0,4),(1,5)\n",
            [[[4], [5]]],
            None,
        ),
        (
            "@targetLabel true\n@data\n1,2:high\n",
            "write `@classLabel true` above and not @targetLabel",
            "@classLabel true\n@data\n1,2:high\n",
            [[[1], [2]]],
            ["high"],
        ),
    ],
    ids=range(16),
)
def test_ts(tmp_path, content, words, mended, values, labels):
    path = tmp_path / "r.ts"
    path.write_text(content)
    assert words in refused(read_recordings, path)
    path.write_text(mended)
    found = read_recordings(path)
    if values is not None:
        assert values_of(found) == values
        assert (None if found.labels is None else found.labels.to_list()) == labels
    else:  # a missing value at the end is length
        assert found.lengths.tolist() == [1, 2]


def test_pairs_that_are_broken_are_corrected_and_not_declared_to_be_none(tmp_path):
    path = tmp_path / "r.ts"
    path.write_text("@timeStamps true\n@data\n(0,4),(1,5\n")
    sentence = refused(read_recordings, path)
    assert "correct it" in sentence
    assert "@timeStamps false" not in sentence

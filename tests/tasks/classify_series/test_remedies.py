"""The remedies that messages on recordings offer to their classifier work when they are obeyed."""

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classify_series import classifier


def refused(verb, *arguments, **options):
    with pytest.raises((DataError, ConfigError)) as caught:
        verb(*arguments, **options)
    return str(caught.value)


class TrainedError(Exception):
    """Training would have begun."""


@pytest.fixture
def fit(monkeypatch):
    """Up to where training would begin, with the recordings that would be trained on."""
    read = []

    def begin(examples, *_, **__):
        read.append(examples)
        raise TrainedError

    monkeypatch.setattr(classifier, "SeriesPreparation", begin)

    def run(data, labels=None, folds=None, **options):
        try:
            sluicegate.SeriesClassifier(folds=folds).fit(data, labels, **options)
        except TrainedError:
            return read[-1]

    return run


def long(recordings, labels):
    parts = [
        pl.DataFrame({"id": number, "t": range(len(part)), "x": part[:, 0], "y": part[:, 1], "kind": label})
        for number, (part, label) in enumerate(zip(recordings, labels, strict=True))
    ]
    return pl.concat(parts)


ROLES = {"labels": "kind", "series": "id", "time": "t"}


@pytest.mark.parametrize(
    ("options", "words", "obeyed"),
    [
        ({"labels": "kind"}, "give it as `series` (`--series`)", ROLES),
        ({"series": "id", "time": "t"}, "its columns are id, t, x, y, kind; name one of them", ROLES),
        (ROLES | {"labels": "kin"}, "did you mean 'kind'?", ROLES),
        (ROLES | {"labels": ["kind", "id"]}, "must be the name of a column where recordings come as a table", ROLES),
        (ROLES | {"groups": [0] * 40}, "must be the name of a column", ROLES),
        (ROLES | {"time": "id"}, "give each column one role", ROLES),
        (ROLES | {"folds": 2, "validation": True}, "give one of the two", ROLES | {"folds": 2}),
        (ROLES | {"folds": 2, "validation": True}, "give one of the two", ROLES | {"validation": True}),
    ],
    ids=range(8),
)
def test_tables(fit, recordings, options, words, obeyed):
    table = long(*recordings)

    def given(options):
        return options | ({"validation": table} if "validation" in options else {})

    assert words in refused(fit, table, **given(options))
    read = fit(table, **given(obeyed))
    assert read.recordings.channels == ("x", "y")
    for part, expected in zip(read.recordings.values, recordings[0], strict=True):
        np.testing.assert_array_equal(part, expected)
    assert read.truth.tolist() == [label == "slow" for label in recordings[1]]


def test_arrays(fit, recordings):
    known, labels = recordings
    assert "give `labels` (`--label`), a class for each" in refused(fit, known)
    assert len(fit(known, labels).truth) == 40
    assert "give both" in refused(fit, known, labels, validation=known[:4])
    assert len(fit(known, labels, validation=(known[:4], labels[:4])).truth) == 40
    assert "call `.collect()` first" in refused(fit, pl.LazyFrame({"x": [1.0]}))


def test_predictions(trained, recordings):
    known = recordings[0]
    expected = trained.predict(known[:2])
    assert "put a single recording into a list" in refused(trained.predict, known[0])
    assert trained.predict([known[0]])["label"][0] == expected["label"][0]
    said = refused(trained.predict, [np.zeros((9, 3)), known[0]])
    assert "all must have the same ones, in [time, channels] order" in said
    assert "give it as `series`" in refused(trained.predict, long(known[:2], "ab"))
    assert "must be one of fast, slow" in refused(trained.explain, known[0], "quick")
    assert trained.explain(known[0], "fast")["share"].abs().sum() == pytest.approx(1)


def test_unlabelled_ts_files_are_told_how_labels_stand_there(fit, tmp_path):
    from sluicegate.data import Source, read_recordings

    path = tmp_path / "r.ts"
    path.write_text("@data\n" + "1,2\n" * 4)
    found, source = read_recordings(path), Source(path.name)
    assert "in a .ts file write `@classLabel true`" in refused(fit, found, origin=source)
    path.write_text("@classLabel true\n@data\n" + "1,2:a\n1,3:b\n" * 2)
    assert fit(read_recordings(path), origin=source).truth.tolist() == [0, 1, 0, 1]

"""What is wrong with recordings, labels and saved models is said in one sentence, with the remedy."""

import json
import re

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import BundleError, ConfigError, DataError, NotFittedError


def refuse(recordings, labels, words, error=DataError, **options):
    with pytest.raises(error, match=re.escape(words)) as raised:
        sluicegate.SeriesClassifier(steps=2, folds=2, hidden=4).fit(recordings, labels, progress=False, **options)
    assert "\n" not in str(raised.value)


def test_recordings_and_labels_that_cannot_be_used(recordings):
    known, labels = recordings
    refuse(known, None, "the recordings have no labels: give `labels` (`--label`), a class for each")
    refuse(known, labels[:-1], "there are 40 recordings and 39 labels")
    refuse([*known[:-1], np.zeros((0, 2))], labels, "recording 39 in the recordings has no rows")
    refuse([*known[:-1], np.zeros((9, 3))], labels, "recording 39 in the recordings has 3 channels where 2 were")
    refuse([*known[:-1], np.full((9, 2), np.nan)], labels, "recording 39 in the recordings holds no values but missing")
    refuse([*known[:-1], np.array([[np.nan, 0], [0, 0]])], labels, "recording 39 in the recordings holds nan at step 0")
    refuse(known, ["slow"] * 40, "holds the single class 'slow'")
    refuse(known, ["odd", *labels[1:]], "class 'odd' has one row in recording 0 of the recordings")
    refuse(known, [0.5, *[1.0] * 39], "holds 0.5 in recording 0 of the recordings: expected classes, not measurements")
    refuse(known, [None, *labels[1:]], "is empty in recording 0 of the recordings: give each row a class")
    refuse(known, [1, *labels[1:]], "`labels` holds values of mixed types, int and str")
    refuse(known, labels, "there are 40 recordings and 3 groups", groups=[1, 2, 3])
    refuse(None, labels, "there are no recordings")
    refuse(pl.LazyFrame({"a": [1]}), labels, "call `.collect()` first")


def test_ten_thousand_classes():
    known = [np.zeros((1, 1))] * 20_000
    refuse(known, np.arange(20_000) // 2, "holds 10,000 classes: expected at most 1,000")


def test_tables_that_cannot_be_used():
    table = pl.DataFrame({"id": [0, 0, 1, 1], "x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]})
    refuse(table, "kind", "needs the column that tells them apart: give it as `series`")
    refuse(table, None, "there is no column 'label' in the table", series="id")
    refuse(table, "kind", "must be the name of a column", series="id", groups=[0, 1])
    refuse(table, ["a", "b"], "`labels` must be the name of a column where recordings come as a table", series="id")
    refuse(table, "id", "column 'id' is asked for twice", series="id")


def test_knobs_that_cannot_be_used():
    for knobs, words in (
        ({"window": 1}, "`window` (=1) must be greater than or equal to 2"),
        ({"stride": 0}, "`stride` (=0)"),
        ({"cell": "gnu"}, "`cell` (='gnu')"),
        ({"dropout": 1.0}, "`dropout` (=1.0)"),
    ):
        with pytest.raises(ConfigError, match=re.escape(words)):
            sluicegate.SeriesClassifier(**knobs)


def test_other_recordings_than_in_training(trained, recordings):
    def fails(words, verb, *arguments):
        with pytest.raises(DataError, match=re.escape(words)):
            verb(*arguments)

    fails("recording 0 in the recordings has 3 channels where 2 were expected", trained.predict, [np.zeros((5, 3))])
    fails("has the class 'other'", trained.evaluate, recordings[0][:2], ["other", "slow"])
    fails("the recordings have no labels", trained.evaluate, recordings[0])
    fails("put a single recording into a list", trained.predict, recordings[0][0])
    fails("there are no recordings", trained.predict, None)
    fails("needs the column that tells them apart", trained.predict, pl.DataFrame({"a": [1.0]}))


def test_an_untrained_one_says_so():
    with pytest.raises(NotFittedError, match="the SeriesClassifier has not been trained"):
        sluicegate.SeriesClassifier().explain(np.zeros((3, 1)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("classes", ["slow"]), ("methods", ["no such"]), ("shape", {}), ("columns", None), ("blend", {"name": "x"})],
)
def test_a_model_that_does_not_hold_together(trained, tmp_path, name, value):
    files = trained.files()
    config = json.loads(files["config.json"]) | {name: value}
    sluicegate.bundle.write(tmp_path / "m", files | {"config.json": json.dumps(config).encode()})
    with pytest.raises(BundleError, match="does not hold together"):
        sluicegate.load(tmp_path / "m")


def test_sizes_are_compared_before_memory_is_taken(trained, tmp_path):
    files = trained.files()
    config = json.loads(files["config.json"])
    config["shape"]["hidden"] = 10**7
    sluicegate.bundle.write(tmp_path / "m", files | {"config.json": json.dumps(config).encode()})
    with pytest.raises(BundleError, match=r"where config\.json asks"):
        sluicegate.load(tmp_path / "m")

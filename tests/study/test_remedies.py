"""The remedies that a study offers work when they are obeyed, and no file of the user's is lost."""

import polars as pl
import pytest

from sluicegate.cli.commands.study import columns_and_settings
from sluicegate.errors import ConfigError, DataError
from sluicegate.study import compare, comparing

ROWS = [(f"the {it} is {word}", label) for it in ("film", "cast") for word, label in [("fine", "a"), ("dull", "b")]] * 3
TABLE = pl.DataFrame(ROWS, schema=["text", "label"], orient="row")
OPTIONS = {"task": "classify-text", "cells": ["gru", "rnn"], "seeds": 1, "knobs": {"epochs": 1}, "progress": False}


class RunError(Exception):
    """The runs would have begun."""


@pytest.fixture
def study(monkeypatch):
    """Up to where the runs would begin."""

    def begin(*_, **__):
        raise RunError

    monkeypatch.setattr(comparing, "_run_all", begin)

    def say(data, out, **options):
        try:
            compare(data, out=out, **OPTIONS | options)
        except RunError:
            return None
        except (ConfigError, DataError) as error:
            return str(error)

    return say


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_study_leaves_the_folder_as_it_is(study, tmp_path):
    out = tmp_path / "s"
    assert study(TABLE, out) is None
    before = files(out)
    assert set(before) == {"study.json", "data.parquet"}
    for data, options in ((TABLE.head(8), {}), (TABLE, {"hidden": 5}), (TABLE, {"knobs": {"epochs": 2}})):
        said = study(data, out, **options)
        assert "go on with the same ones, or choose another folder" in said
        assert files(out) == before
        assert study(TABLE, out) is None
        assert study(data, tmp_path / f"t{len(data)}{len(str(options))}", **options) is None
    assert study(TABLE, out, seeds=2) is None
    assert files(out)["data.parquet"] == before["data.parquet"]


@pytest.mark.parametrize("name", ["data.parquet", "study.csv", "report.html", "runs"])
def test_files_that_are_no_studys_are_not_replaced(study, tmp_path, name):
    (tmp_path / name).write_text("precious")
    for data in (TABLE, TABLE.head(8)):
        said = study(data, tmp_path)
        assert f"will not replace {name!r}" in said
        assert "choose a new or an empty folder, or move that away" in said
        assert files(tmp_path) == {name: b"precious"}
    assert study(TABLE, tmp_path / "new") is None
    (tmp_path / name).rename(tmp_path / "away")
    assert study(TABLE, tmp_path) is None
    assert files(tmp_path.joinpath("new"))["data.parquet"] == files_of(tmp_path)["data.parquet"]
    assert (tmp_path / "away").read_text() == "precious"


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("data", "options", "words", "obeyed", "then"),
    [
        (3, {}, "expected a file or a data frame, not int: give one of these", TABLE, {}),
        (TABLE, {"task": "sing"}, "must be among forecast, classify-text, classify-series", TABLE, {}),
        (TABLE, {"cells": ["gru", "gnu"]}, "must be among", TABLE, {"cells": ["gru", "lstm"]}),
        (TABLE, {"cells": ["lstm"]}, "must hold gru and one more", TABLE, {"cells": ["lstm", "gru"]}),
        (TABLE, {"seeds": 0}, "must be at least 1", TABLE, {"seeds": 1}),
        (TABLE, {"jobs": 0}, "must be at least 1", TABLE, {"jobs": 1}),
        (TABLE, {"knobs": {"epoch": 1}}, "there is no setting `epoch`: a TextClassifier has cell, seed", TABLE, {}),
    ],
    ids=range(7),
)
def test_settings(study, tmp_path, data, options, words, obeyed, then):
    assert words in study(data, tmp_path / "s", **options)
    assert not (tmp_path / "s").exists()
    assert study(obeyed, tmp_path / "s", **then) is None


@pytest.mark.parametrize(
    ("task", "given", "settings", "words", "obeyed"),
    [
        ("forecasts", {"time": "t"}, (), "must be among forecast", ("forecast", {"time": "t"}, ())),
        ("classify-text", {"time": "t"}, (), "is no option of the task", ("classify-text", {}, ())),
        ("classify-text", {}, ("hidden",), "such as hidden=32", ("classify-text", {}, ("hidden=32",))),
    ],
    ids=range(3),
)
def test_options(task, given, settings, words, obeyed):
    with pytest.raises(ConfigError, match=words):
        columns_and_settings(task, given, settings)
    _, columns, knobs = columns_and_settings(*obeyed)
    assert columns == obeyed[1]
    assert knobs == ({"hidden": 32} if obeyed[2] else {})

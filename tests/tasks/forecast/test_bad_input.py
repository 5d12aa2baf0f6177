"""Whatever is wrong with the input: one sentence says where, and what to do, and nothing is written."""

import errno
import json
import resource
import shutil
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import jaxtyping
import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
import sluicegate.tasks
from sluicegate.cli.app import app
from sluicegate.errors import BundleError, ConfigError, DataError, NotFittedError, SluicegateError

ROWS, CONTEXT, HORIZON = 120, 16, 4
QUICK = {"context": CONTEXT, "steps": 5, "hidden": 4, "batch": 8}
HOURS = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 5, 23), "1h", eager=True)
NOISE = np.random.default_rng(0).normal(size=ROWS)


def one(**more):
    """A single series, hour by hour."""
    return pl.DataFrame({"date": HOURS, "OT": 10 + NOISE, "HUFL": NOISE, **more})


def many(names=("a", "b")):
    return pl.concat([one().select("date", pl.lit(name).alias("id"), "OT", "HUFL") for name in names])


def fit(table, **options):
    options = {"time": "date", "target": "OT"} | options
    knobs = {
        name: options.pop(name) for name in list(options) if name in sluicegate.tasks.ForecasterConfig.model_fields
    }
    horizon = knobs.pop("horizon", HORIZON)
    return sluicegate.Forecaster(horizon, **QUICK | knobs).fit(table, **options)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with a model of one series, `one`, one of two series, `many`, and one that knows HUFL, `known`."""
    folder = tmp_path_factory.mktemp("models")
    fit(one()).save(folder / "one")
    fit(many(), series="id").save(folder / "many")
    fit(many(), series="id", known=["HUFL"]).save(folder / "known")
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words):
    """The sentence with which a command fails; it leaves nothing behind but what was there."""
    before = everything()
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert everything() == before
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0].removeprefix("error: ")


def everything():
    return sorted(Path().rglob("*"))


def names():
    return sorted(path.name for path in Path().iterdir())


def fit_words(file, *more, target="OT", out="model"):
    knobs = [word for name, value in QUICK.items() for word in (f"--{name}", value)]
    return (
        "fit",
        "forecast",
        file,
        "--time",
        "date",
        "--target",
        target,
        "--horizon",
        HORIZON,
        "--out",
        out,
        *knobs,
        *more,
    )


def with_value(value, row=30, column="OT"):
    """The table with one value replaced; as text where it is text."""
    frame = one()
    if isinstance(value, str):
        frame = frame.with_columns(pl.col(column).cast(pl.String))
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, strict=False))


def with_times(change):
    times = HOURS.to_list()
    change(times)
    return one().with_columns(pl.Series("date", times))


def duplicate(times):
    times[50] = times[49]


def swap(times):
    times[50], times[51] = times[51], times[50]


def shift(times):
    times[50] += timedelta(minutes=7)


TABLES = {
    "a missing column": (one().rename({"OT": "OTT"}), (), "no column 'OT' in t.csv: did you mean 'OTT'?"),
    "text": (with_value("high"), (), "column 'OT' holds the text 'high' in line 32 of t.csv (1 such in all): expected"),
    "thousands": (
        with_value("1,234.5"),
        (),
        "holds the text '1,234.5' in line 32 of t.csv (1 such in all): expected a num",
    ),
    "a missing value": (with_value(None), (), "column 'OT' is missing in line 32 of t.csv (1 such in all): expected"),
    "NaN": (with_value(float("nan")), (), "fill them in by `fill` = forward, linear or zero (`--fill`)"),
    "infinite": (with_value(float("inf")), (), "column 'OT' is infinite in line 32 of t.csv"),
    "enormous": (
        with_value(1e300),
        (),
        "column 'OT' holds 1e+300 in line 32 of t.csv: expected values of at most 1e+30",
    ),
    "a covariate": (with_value(None, column="HUFL"), ("--past", "HUFL"), "column 'HUFL' is missing in line 32"),
    "a duplicate": (with_times(duplicate), (), "repeats 2024-01-03 01:00:00 in line 51 of t.csv and line 52 of t.csv"),
    "out of order": (with_times(swap), (), "time column 'date'"),
    "in reverse": (one().reverse(), (), "goes back from 2024-01-05 23:00:00 to 2024-01-05 22:00:00 in line 3 of t.csv"),
    "a gap": (
        one().filter(pl.arange(ROWS) != 50),
        (),
        "has a gap from 2024-01-03 01:00:00 to 2024-01-03 03:00:00 before line 52 of t.csv: expected a row every",
    ),
    "irregular": (
        with_times(shift),
        ("--fill", "linear"),
        "is irregular: 2024-01-03 01:00:00 is followed by 2024-01-03 02:07",
    ),
    "empty times": (with_times(lambda times: times.__setitem__(7, None)), (), "time column 'date' is empty in line 9"),
    "two offsets": (
        one()
        .with_columns(date=HOURS.dt.strftime("%Y-%m-%d %H:%M").str.replace("$", "+01:00"))
        .with_columns(
            date=pl.when(pl.arange(ROWS) > 60).then(pl.col("date").str.replace("01:00$", "02:00")).otherwise("date")
        ),
        (),
        "time column 'date' mixes time zones: '2024-01-01 00:00+01:00' in line 2 of t.csv",
    ),
    "day first": (
        one().with_columns(date=HOURS.dt.strftime("%d.%m.%Y %H:%M")),
        (),
        "with the year first, such as 2024-01-31",
    ),
    "too short": (one().head(19), (), "fewer than 20 rows (the shortest has 19), the context and the horizon together"),
    "no room to validate": (one().head(21), (), "the table holds 2 windows to train on and 0 to validate on"),
    "a single row": (one().head(1), (), "has a single row"),
    "no row": (one().head(0), (), "t.csv holds no rows"),
    "an unknown series column": (one(), ("--series", "id"), "no column 'id' in t.csv"),
    "series with nulls": (
        many().with_columns(id=pl.when(pl.arange(2 * ROWS) == 5).then(None).otherwise("id")),
        ("--series", "id"),
        "series column 'id' is empty in line 7 of t.csv",
    ),
    "series unnamed": (many().sort("date"), (), "name the column that tells series apart (`series`)"),
    "two roles": (one(), ("--past", "OT"), "column 'OT' is asked for twice"),
    "some too short": (
        pl.concat([many(), many(["c", "d"]).filter(pl.col("date") < HOURS[5])]),
        ("--series", "id"),
        "2 of 4 series, such as 'c', have fewer than 6 rows (the shortest has 5), the horizon and two to look back on",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_trained_on(place, name):
    table, more, words = TABLES[name]
    table.write_csv(place / "t.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    assert words in refused(*fit_words("t.csv", *more))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "t.csv is empty"),
        (b"date,OT\n", "t.csv holds no rows"),
        (b"date;OT\n2024-01-01;1\n", "line 1 separates its columns by ';'"),
        (b"date,OT\n2024-01-01,1\n2024-01-02,caf\xe9\n", "line 3 is not UTF-8"),
        (b"date\n2024-01-01\n2024-01-02\n", "no column 'OT' in t.csv: its columns are date"),
        (b"date,OT\n2024-01-01,1\n2024-01-02,1,5\n", "line 3 holds 3 values: expected 2"),
        (b"date,OT\n20240131,1\n20240201,2\n20240202,3\n", "holds dates as whole numbers, such as 20240131"),
    ],
)
def test_a_file_that_is_no_table(place, content, words):
    (place / "t.csv").write_bytes(content)
    assert words in refused(*fit_words("t.csv"))


def test_a_file_that_is_not_there(place):
    assert "t.csv is not there" in refused(*fit_words("t.csv"))
    assert "t.xlsx ends in '.xlsx': expected .csv" in refused(*fit_words("t.xlsx"))
    (place / "folder").mkdir()
    assert "folder is a folder" in refused(*fit_words("folder"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--horizon", 0), "`horizon` (=0) must be greater than or equal to 1"),
        (("--horizon", -3), "`horizon` (=-3) must be"),
        (("--context", 1), "`context` (=1) must be"),
        (("--cell", "grru"), "`cell` (='grru') must be 'gru', 'lstm', 'rnn', 'mingru' or 'ligru'"),
        (("--fill", "mean"), "`fill` (='mean') must be 'forward', 'linear' or 'zero'"),
        (("--seed", -1), "`seed` (=-1) must be"),
        (("--steps", 0), "`steps` (=0) must be"),
        (("--dropout", 1), "`dropout` (=1.0) must be"),
        (("--learning-rate", 0), "`learning_rate` (=0.0) must be"),
        (("--learning-rate", "nan"), "`learning_rate` (=nan) must be"),
        (("--learning-rate", "inf"), "`learning_rate` (=inf) must be"),
        (("--context", 200), "fewer than 204 rows (the shortest has 120)"),
        (("--horizon", 100), "lower `horizon` to 52"),
    ],
)
def test_a_knob_out_of_its_range(place, more, words):
    one().write_csv("t.csv")
    assert words in refused(*fit_words("t.csv", *more))


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"hiden": 3}, r"there is no setting `hiden`: a Forecaster has horizon, context, cell"),
        ({"hidden": -1}, r"`hidden` \(=-1\) must be greater than or equal to 1"),
        ({"hidden": "many"}, r"`hidden` \(='many'\) must be a valid integer"),
        ({"quantiles": [0.5, 1.5]}, r"`quantiles.1` \(=1.5\) must be less than 1"),
        ({"seed": 2**40}, r"`seed` .* must be less than"),
    ],
)
def test_a_knob_of_the_forecaster(knobs, words):
    with pytest.raises(ConfigError, match=words):
        sluicegate.Forecaster(HORIZON, **knobs)


@pytest.mark.parametrize("value", [True, False, np.True_], ids=repr)
@pytest.mark.parametrize("name", sluicegate.tasks.ForecasterConfig.model_fields)
def test_a_truth_value_is_no_number(monkeypatch, name, value):
    """To Python it is one: `horizon=True` would be a horizon of 1, `dropout=False` one of 0."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # a user has no such check of types
    knobs = {"horizon": HORIZON, name: value}
    if name == "drop_short":
        assert sluicegate.Forecaster(**knobs).config.drop_short == value
        return
    with pytest.raises(ConfigError) as caught:
        sluicegate.Forecaster(**knobs)
    kinds = {
        "cell": "'gru', 'lstm', 'rnn', 'mingru' or 'ligru'",
        "fill": "'forward', 'linear' or 'zero'",
        "quantiles": "a valid tuple",
        "holidays": "a valid tuple",
    }
    expected = kinds.get(name, "a number, not a truth value")
    assert str(caught.value) == f"`{name}` (={value!r}) must be {expected}"


def test_a_truth_value_among_the_quantiles():
    with pytest.raises(ConfigError, match=r"`quantiles.1` \(=False\) must be a number, not a truth value"):
        sluicegate.Forecaster(HORIZON, quantiles=[0.5, False])


def test_learning_that_loses_its_way_leaves_nothing_behind(place):
    """The loss is no number any more after the first look, when a checkpoint may have been written."""
    one().write_csv("t.csv")
    sentence = refused(*fit_words("t.csv", "--learning-rate", 1e30, "--steps", 40, out="new/model"))
    assert "training lost its way" in sentence


@pytest.mark.parametrize("fill", ["forward", "linear", "zero"])
def test_filling_in_helps(place, fill):
    table = one().with_columns(OT=pl.when(pl.arange(ROWS).is_in([3, 40, 41])).then(None).otherwise("OT"))
    table.filter(pl.arange(ROWS) != 70).write_csv("t.csv")
    result = run(*fit_words("t.csv", "--fill", fill))
    assert result.exit_code == 0, result.stderr
    assert json.loads((place / "model" / "config.json").read_text())["settings"]["fill"] == fill
    assert run("predict", "model", "t.csv").exit_code == 0


def test_short_series_are_dropped_only_when_asked(place):
    pl.concat([many(), many(["c"]).head(5)]).write_csv("t.csv")
    assert "`--drop-short`" in refused(*fit_words("t.csv", "--series", "id"))
    assert run(*fit_words("t.csv", "--series", "id", "--drop-short")).exit_code == 0
    assert json.loads((place / "model" / "series.json").read_text()) == ["a", "b"]


@pytest.mark.parametrize("value", [0.1, 0.0, -1e9, 7.0])
def test_a_constant_series_is_forecast_exactly(value):
    model = fit(one().with_columns(OT=pl.lit(value)))
    frame = model.predict()
    for column in ("mean", "q10", "q50", "q90"):
        assert frame[column].to_list() == [value] * HORIZON
    other = one().with_columns(OT=pl.lit(value + 1))
    assert model.predict(other)["mean"].to_list() == [value + 1] * HORIZON


# The validation table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (with_value(None), "column 'OT' is missing in line 32 of v.csv"),
        (one().with_columns(pl.col("date").dt.offset_by("60d")), "the validation rows begin at"),
        (one().select("date", "HUFL"), "no column 'OT' in v.csv"),
    ],
)
def test_a_validation_table_that_cannot_be_used(place, table, words):
    one().write_csv("t.csv")
    table.write_csv("v.csv")
    assert words in refused(*fit_words("t.csv", "--validation", "v.csv"))


# Using a model


@pytest.mark.parametrize(
    ("model", "table", "words"),
    [
        ("one", one().with_columns(HOURS.dt.replace_time_zone("UTC").alias("date")), "is in time zone UTC: the model"),
        ("one", one().with_columns(date=pl.arange(ROWS)), "'date' holds Int64: the model was trained on time stamps"),
        ("one", one().drop("OT"), "no column 'OT' in t.parquet"),
        ("one", with_value(None), "column 'OT' is missing in line 31 of t.parquet"),
        ("one", one()[::2], "has a gap from 2024-01-01 00:00:00 to 2024-01-01 02:00:00"),
        ("many", one(), "no column 'id' in t.parquet"),
        (
            "known",
            many(),
            "the model knows HUFL in advance: give the table of their next 4 rows as `future` (`--future`)",
        ),
    ],
)
def test_a_history_that_cannot_be_gone_on_from(place, models, model, table, words):
    table.write_parquet("t.parquet")
    assert words in refused("predict", models / model, "t.parquet")
    assert words in refused("predict", models / model, "t.parquet", "--out", "forecast.csv")


def later(hours, rows):
    return many().with_columns(pl.col("date") + pl.duration(hours=hours)).group_by("id", maintain_order=True).head(rows)


@pytest.mark.parametrize(
    ("future", "words"),
    [
        (later(ROWS, HORIZON - 1), "`future` must hold the 4 rows of series 'a' that begin at 2024-01-06 00:00:00"),
        (later(ROWS + 1, HORIZON), "that begin at 2024-01-06 00:00:00: add those that are missing"),
        (later(ROWS, HORIZON).filter(pl.col("id") == "a"), "of series 'b'"),
        (later(ROWS, HORIZON).drop("HUFL"), "no column 'HUFL' in f.csv"),
        (later(ROWS, HORIZON).with_columns(HUFL=None), "column 'HUFL' is missing in line 2 of f.csv"),
    ],
)
def test_a_future_that_does_not_suffice(place, models, future, words):
    future.write_csv("f.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    assert words in refused("predict", models / "known", "--future", "f.csv")


def test_a_future_that_suffices(place, models):
    later(ROWS - 20, HORIZON + 50).write_csv("f.csv")
    result = run("predict", models / "known", "--future", "f.csv", "--json")
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)) == 2 * HORIZON


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            (),
            "the table holds no window to evaluate: each needs 16 rows of context before and 4 rows from the rows that",
        ),
        (("--start", "2030-01-01"), "4 rows from 2030-01-01 on"),
        (("--start", "soon"), "`start` (='soon') must be a time stamp such as 2024-01-31 00:00"),
        (("--start", "17"), "`start` (='17') must be a time stamp"),
        (("--start", "2024-01-02", "--stride", 0), "`stride` (=0) must be at least 1"),
        (("--start", "2024-01-02", "--baseline", "Prophet"), "'Prophet'"),
        (("--start", "2024-01-02", "--report", "report.pdf"), "`--report` (=report.pdf) must end in .html"),
    ],
)
def test_an_evaluation_that_cannot_be(place, models, more, words):
    one().write_csv("t.csv")
    assert words in refused("evaluate", models / "one", "t.csv", *more)


@pytest.mark.parametrize("out", ["f.xlsx", "f", ".csv", "folder.csv"])
def test_a_forecast_of_another_ending(place, models, out):
    (place / "folder.csv").mkdir()
    assert f"`--out` (={out})" in refused("predict", models / "one", "--out", out)


def cut(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def alter(folder):
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def make_newer(folder):
    for name in ("manifest.json",):
        path = folder / name
        path.write_text(path.read_text().replace('"schema": 1', '"schema": 2'))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, "weights.safetensors of the model 'model' was cut short"),
        (alter, "weights.safetensors of the model 'model' was altered"),
        (make_newer, "written by a newer version, and this one reads up to 1: run `pip install --upgrade sluicegate`"),
        (lambda folder: (folder / "config.json").unlink(), "config.json of the model 'model' is missing"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json of the model 'model' is missing"),
        (shutil.rmtree, "the model 'model' does not exist: give the folder"),
    ],
)
def test_a_model_that_was_harmed(place, models, harm, words):
    shutil.copytree(models / "one", "model")
    harm(place / "model")
    one().write_csv("t.csv")
    for command in (("predict", "model"), ("evaluate", "model", "t.csv")):
        assert words in refused(*command)
    with pytest.raises(BundleError):
        sluicegate.load("model")


def test_a_file_for_a_model(place):
    (place / "model").write_text("")
    assert "is a file, not a folder" in refused("predict", "model")


# No room, no right


@pytest.mark.parametrize("out", ["t.csv", "t.csv/model", ".", "photos"])
def test_a_place_for_the_model_that_is_taken(place, monkeypatch, out):
    """It is known before anything is trained."""
    one().write_csv("t.csv")
    (place / "photos").mkdir()
    (place / "photos" / "cat.jpg").write_bytes(b"cat")
    monkeypatch.setattr(sluicegate.tasks.Forecaster, "fit", None)
    assert "t.csv" in (sentence := refused(*fit_words("t.csv", out=out))) or "photos" in sentence


@pytest.mark.skipif(
    sys.platform != "linux" or not Path("/proc/self").is_dir(), reason="needs a folder that nobody may write to"
)
def test_no_right_to_write(place, models, monkeypatch):
    one().write_csv("t.csv")
    sentence = refused(*fit_words("t.csv", out="/proc/self/model"))
    assert "cannot save to '/proc/self/model'" in sentence
    assert "choose a" in sentence
    assert "f.csv' (No such file or directory)" in refused("predict", models / "one", "--out", "/proc/self/f.csv")


def test_no_space_while_training(place, models):
    """A limit on the size of files stands for a full disk: the write fails half way."""
    one().write_csv("t.csv")
    command = [sys.executable, "-m", "sluicegate", *map(str, fit_words("t.csv", "--hidden", 32))]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 1, done.stderr
    assert "error: cannot save to" in done.stderr
    assert "free some space, or choose another disk" in done.stderr
    assert "Traceback" not in done.stderr
    assert names() == ["t.csv"]


def test_no_space_for_the_model_keeps_the_checkpoint(place, monkeypatch):
    one().write_csv("t.csv")

    def full(*args, **kwargs):
        raise BundleError("cannot save to 'model' (No space left on device): free some space, or choose another disk")

    with monkeypatch.context() as patch:
        patch.setattr(sluicegate.bundle, "write", full)
        result = run(*fit_words("t.csv"))
    assert result.exit_code == 1
    assert "free some space" in result.stderr
    assert names() == ["model.checkpoint", "t.csv"]
    assert run(*fit_words("t.csv", "--resume")).exit_code == 0
    assert names() == ["model", "t.csv"]


def test_what_the_system_says_becomes_a_sentence(place, models, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.EIO, "Input/output error", "t.csv")

    monkeypatch.setattr(sluicegate.tasks.task, "read_table", fail)  # through which every verb opens its file
    assert refused("predict", models / "one", "t.csv").startswith("'t.csv': Input/output error; check the path")


def test_debug_shows_the_traceback(place):
    result = run("predict", "model", "--debug")
    assert isinstance(result.exception, BundleError)


# From Python


def test_before_training():
    for verb in (lambda task: task.predict(one()), lambda task: task.evaluate(one()), lambda task: task.save("model")):
        with pytest.raises(NotFittedError, match=r"call `fit` first"):
            verb(sluicegate.Forecaster(4))


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        (one().lazy(), DataError, r"call `\.collect\(\)` first"),
        (one().to_pandas().set_index("date"), DataError, r"reset_index\(\)"),
        (one().to_pandas().to_dict(), DataError, "expected a pandas or polars data frame"),
        ("t.csv", DataError, "expected a pandas or polars data frame"),
    ],
)
def test_what_is_no_table(table, error, words):
    with pytest.raises(error, match=words):
        fit(table)


def test_no_target():
    with pytest.raises(ConfigError, match=r"`target` \(=\[\]\) must name at least one column"):
        fit(one(), target=[])


@pytest.mark.parametrize("roles", [{"known": ["OT"]}, {"past": ["date"]}, {"target": ["OT", "OT"]}, {"series": "date"}])
def test_a_column_with_two_roles(roles):
    with pytest.raises(SluicegateError, match="one role"):
        fit(one(), **roles)


@pytest.mark.parametrize("names", ["HUFL", ["HUFL"]])
def test_a_single_name_is_a_list_of_one(names):
    assert fit(one(), past=names)._trained.columns.past == ("HUFL",)


# What comes in goes out


def tables_alike():
    times = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 5, 23), "1h", eager=True)
    polars = pl.DataFrame({"date": times, "id": ["a"] * ROWS, "OT": 10 + NOISE})
    return {"polars": polars, "pandas": polars.to_pandas(), "arrow": polars.to_arrow()}


def test_pandas_arrow_and_polars_give_equal_numbers():
    forecasts = {kind: fit(table, series="id").predict(table) for kind, table in tables_alike().items()}
    assert isinstance(forecasts["pandas"], pd.DataFrame)
    assert type(forecasts["arrow"]).__module__.startswith("pyarrow")
    expected = forecasts["polars"]
    assert pl.from_pandas(forecasts["pandas"])["mean"].to_list() == expected["mean"].to_list()
    assert pl.from_arrow(forecasts["arrow"]).select("mean", "q10", "q90").equals(expected.select("mean", "q10", "q90"))
    assert forecasts["pandas"]["time"].iloc[0] == pd.Timestamp("2024-01-06")


@pytest.mark.parametrize(
    "column",
    [
        pl.Series((10 * NOISE).round(), dtype=pl.Int32),
        pl.Series(NOISE > 0),
        pl.Series(NOISE, dtype=pl.Float32),
        pl.Series(NOISE).round(2).cast(pl.Decimal(10, 2)),
    ],
    ids=["int", "bool", "float32", "decimal"],
)
def test_kinds_of_targets(column):
    forecast = fit(one().with_columns(OT=column)).predict()
    assert forecast["mean"].dtype == pl.Float64
    assert forecast["mean"].is_finite().all()


@pytest.mark.parametrize("kind", ["Int64", "Float32", "boolean"])
def test_nullable_types_of_pandas(kind):
    table = one().to_pandas()
    table["OT"] = pd.Series((NOISE > 0).astype(float)).astype(kind)
    assert isinstance(fit(table).predict(), pd.DataFrame)


@pytest.mark.parametrize(
    "times",
    [
        pl.date_range(date(2024, 1, 1), date(2024, 4, 29), "1d", eager=True),
        pl.date_range(date(2010, 1, 1), date(2019, 12, 1), "1mo", eager=True).dt.month_end(),
        HOURS.dt.replace_time_zone("Europe/Berlin"),
        HOURS.cast(pl.Datetime("ns")),
        pl.Series(range(0, 2 * ROWS, 2)),
    ],
    ids=["dates", "month ends", "zone", "nanoseconds", "numbers"],
)
@pytest.mark.parametrize("convert", [pl.DataFrame.to_pandas, pl.DataFrame.to_arrow, pl.DataFrame.clone])
def test_times_go_on_in_their_own_kind(times, convert):
    table = pl.DataFrame({"date": times, "OT": NOISE})
    model = fit(convert(table.head(ROWS - HORIZON)))
    forecast = pl.DataFrame(model.predict())
    expected = table["date"].tail(HORIZON)
    if expected.dtype == pl.Date and convert == pl.DataFrame.to_pandas:
        expected = expected.cast(pl.Datetime("ms"))  # pandas has no dates
    assert forecast["time"].to_list() == expected.to_list()


def test_unicode_names(place):
    table = one().rename({"date": "日付", "OT": "größe °C", "HUFL": "=1+1"})
    model = fit(table, time="日付", target="größe °C", past=["=1+1"])
    model.save("modèle")
    assert sluicegate.load("modèle").predict()["target"].unique().to_list() == ["größe °C"]


def test_a_table_in_order_of_time_trains_the_same_model(place):
    fit(many(), series="id").save("one")
    fit(many().sort("date", maintain_order=True), series="id").save("other")
    for name in ("weights.safetensors", "scaler.safetensors", "series.json"):
        assert (place / "one" / name).read_bytes() == (place / "other" / name).read_bytes()


@pytest.mark.parametrize("names", [[7, 3], pl.Series(["x", "y"], dtype=pl.Categorical)])
def test_kinds_of_series(place, names):
    table = many([0, 1]).with_columns(id=pl.Series(names).gather([0] * ROWS + [1] * ROWS))
    model = fit(table, series="id")
    model.save("model")
    again = sluicegate.load("model")
    assert again.predict(table)["series"].unique(maintain_order=True).to_list() == list(names)
    assert again.predict(table).equals(model.predict(table))

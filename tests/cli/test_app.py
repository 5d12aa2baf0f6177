"""The commands: what they print where, and how they end."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate import cli
from sluicegate.cli.app import app
from sluicegate.data import read_table
from sluicegate.data.times import parse_time

ROWS, HORIZON = 150, 6
QUICK = ("--context", 24, "--steps", 20, "--hidden", 8, "--batch", 16)


def table():
    times = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 7, 5), "1h", eager=True)
    wave = np.sin(2 * np.pi * np.arange(ROWS) / 24)
    noise = np.random.default_rng(0).normal(size=(2, ROWS))
    return pl.concat(
        pl.DataFrame({"date": times, "id": name, "OT": 10 + wave + 0.1 * row, "HUFL": row})
        for name, row in zip("ab", noise, strict=True)
    )


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def succeeded(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def fit_words(*more, out="model"):
    roles = ("--time", "date", "--target", "OT", "--target", "HUFL", "--series", "id", "--horizon", HORIZON)
    return ("fit", "forecast", "t.csv", *roles, "--out", out, *QUICK, *more)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of two columns of two series, and beside it the table up to hour 120."""
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        table().group_by("id", maintain_order=True).head(120).write_csv("t.csv")
        succeeded(*fit_words())
    return folder / "model"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table().write_csv("t.csv")
    return tmp_path


# At once, and without torch


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["fit", "forecast", "--help"], 0),
        (["predict", "--help"], 0),
        (["demo", "--help"], 0),
        (["nonsense"], 2),
        (["fit"], 2),
        (["fit", "forecast", "t.csv"], 2),
        (["predict", "m", "--nonsense"], 2),
    ],
)
def test_help_and_misuse_do_without_torch(words, status):
    code = f"""
import sys
from sluicegate.cli import main
sys.argv = ["sluicegate", *{words!r}]
try:
    main()
except SystemExit as end:
    assert (end.code or 0) == {status}, end.code
heavy = {{"torch", "polars", "numpy", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_version():
    assert succeeded("--version").stdout == f"{sluicegate.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["fit", "classify"], ["fit", "forecast"], ["predict"], ["evaluate", "m"], ["predict", "m", "--x"]],
)
def test_misuse(words):
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


@pytest.mark.parametrize("words", [["--threads", "0"], ["--threads", "two"], ["--horizon", "2.5"]])
def test_an_option_of_another_kind_is_misuse(words):
    result = run(*fit_words(*words))
    assert result.exit_code == 2
    assert words[0] in result.stderr


def test_every_option_is_explained():
    for words in (["fit", "forecast"], ["predict"], ["evaluate"], ["info"], ["demo"]):
        text = succeeded(*words, "--help").stdout
        options = [line for line in text.splitlines() if line.strip().startswith("--")]
        assert options
        assert "--debug" in text


# fit


def test_fit_prints_the_report_and_saves(place):
    result = succeeded(*fit_words(out="deep/er/model"))
    assert "seasonal naive" in result.stdout
    assert "Use " in result.stdout
    assert result.stderr == "saved to deep/er/model\n"
    assert sorted(path.name for path in place.iterdir()) == ["deep", "t.csv"]
    assert [path.name for path in (place / "deep" / "er").iterdir()] == ["model"]
    task = sluicegate.load("deep/er/model")
    assert task.config.model_dump() | {"context": 24, "steps": 20, "hidden": 8, "batch": 16} == task.config.model_dump()


def test_fit_for_machines():
    document = json.loads(succeeded(*fit_words("--json")).stdout)
    assert document["model"] == "model"
    assert document["report"]["metrics"].keys() == document["report"]["baselines"]["seasonal_naive"].keys()


def test_fit_from_the_command_line_and_from_python_are_the_same():
    import torch

    succeeded(*fit_words("--seed", 3, "--cell", "lstm", "--dropout", 0.1, "--threads", 1))
    torch.set_num_threads(1)
    task = sluicegate.Forecaster(HORIZON, cell="lstm", seed=3, dropout=0.1, context=24, steps=20, hidden=8, batch=16)
    task.fit(read_table("t.csv"), time="date", target=["OT", "HUFL"], series="id").save("other")
    for name in ("weights.safetensors", "config.json", "scaler.safetensors", "series.json"):
        assert Path("model", name).read_bytes() == Path("other", name).read_bytes()


def test_fit_with_covariates_and_validation(place):
    late = table().with_columns(known=pl.col("date").dt.hour())
    late.filter(pl.col("date") < datetime(2024, 1, 6)).write_csv("t.csv")
    late.write_parquet("v.parquet")
    succeeded(
        *("fit", "forecast", "t.csv", "--time", "date", "--target", "OT", "--series", "id", "--horizon", HORIZON),
        *("--past", "HUFL", "--known", "known", "--validation", "v.parquet", "--out", "model", *QUICK),
    )
    task = sluicegate.load("model")
    assert task._trained.columns.known == ("known",)
    assert task._trained.columns.past == ("HUFL",)
    assert task._trained.axis.stamps(task._trained.ends)[0] == datetime(2024, 1, 7, 5)
    assert task._trained.axis.stamps(task._trained.trained_until)[0] == datetime(2024, 1, 5, 23)


def test_fit_replaces_an_older_model():
    succeeded(*fit_words("--seed", 1))
    before = Path("model", "weights.safetensors").read_bytes()
    succeeded(*fit_words("--seed", 2))
    assert Path("model", "weights.safetensors").read_bytes() != before


# predict


def test_predict_prints_csv(model):
    result = succeeded("predict", model, "t.csv")
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "series,time,target,mean,q10,q50,q90"
    assert lines[1].startswith("a,2024-01-07 06:00:00,OT,")
    assert len(lines) == 1 + 2 * 2 * HORIZON


def test_predict_goes_on_from_the_rows_of_training(model):
    assert succeeded("predict", model).stdout.splitlines()[1].startswith("a,2024-01-06 00:00:00,OT,")


def digits_of(number):
    return repr(number).partition("e")[0].replace(".", "").lstrip("-0")


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_predict_writes_a_file(place, model, ending):
    result = succeeded("predict", model, "t.csv", "--out", f"new/f{ending}")
    assert result.stdout == ""
    assert result.stderr == f"wrote 24 rows to new/f{ending}\n"
    written = read_table(f"new/f{ending}")
    expected = sluicegate.load(model).predict(read_table("t.csv"))
    if ending in (".csv", ".tsv"):
        numbers = pl.col("^(mean|q.*)$")
        assert written.select(numbers.cast(pl.Float32)).equals(expected.select(numbers.cast(pl.Float32)))
        assert max(len(digits_of(number)) for number in written.select(numbers).to_series().to_list()) <= 9
        written, expected = (frame.select(pl.exclude("^(mean|q.*)$")) for frame in (written, expected))
    assert written.drop("time").equals(expected.drop("time"))
    assert parse_time(written["time"], str).to_list() == expected["time"].to_list()
    assert [path.name for path in (place / "new").iterdir()] == [f"f{ending}"]


def test_predict_for_machines(model):
    rows = json.loads(succeeded("predict", model, "t.csv", "--json").stdout)
    assert len(rows) == 24
    assert rows[0].keys() == {"series", "time", "target", "mean", "q10", "q50", "q90"}
    assert rows[0]["time"] == "2024-01-07T06:00:00"
    expected = sluicegate.load(model).predict(read_table("t.csv"))
    assert [row["mean"] for row in rows] == expected["mean"].to_list()
    written = succeeded("predict", model, "t.csv", "--json", "--out", "f.csv")
    assert json.loads(written.stdout) == {"out": "f.csv", "rows": 24}


def test_a_forecast_in_a_zone_is_read_back():
    zoned = table().filter(pl.col("id") == "a").with_columns(pl.col("date").dt.replace_time_zone("Europe/Berlin"))
    task = sluicegate.Forecaster(HORIZON, context=24, steps=5, hidden=4).fit(zoned, time="date", target="OT")
    task.save("model")
    succeeded("predict", "model", "--out", "f.csv")
    times = read_table("f.csv")["time"]
    assert times[0] == "2024-01-07 06:00:00+01:00"


# evaluate


def test_evaluate(place, model):
    result = succeeded("evaluate", model, "t.csv", "--report", "r.html")
    assert "seasonal naive" in result.stdout
    assert result.stderr == "wrote r.html\n"
    page = (place / "r.html").read_text(encoding="utf-8")
    assert "seasonal naive" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_evaluate_for_machines(model):
    document = json.loads(succeeded("evaluate", model, "t.csv", "--json", "--stride", 3).stdout)
    assert document["facts"]["windows"] == "36"
    report = sluicegate.load(model).evaluate(read_table("t.csv"), stride=3)
    assert document["metrics"]["mae"] == report.metrics["mae"]
    assert document["verdict"] == report.verdict


def test_evaluate_from_a_start_with_a_baseline(model):
    words = ("--start", "2024-01-06 23:00", "--stride", 100, "--baseline", "AutoTheta", "--json")
    document = json.loads(succeeded("evaluate", model, "t.csv", *words).stdout)
    assert {"last_value", "seasonal_naive", "linear_map", "AutoTheta"} <= document["baselines"].keys()
    assert "AutoETS" not in document["baselines"]


def test_a_note_on_what_was_left_out_names_the_option_of_the_command(model, monkeypatch):
    pytest.importorskip("statsforecast", reason="the extra `baselines` is not installed")
    monkeypatch.setattr("sluicegate.tasks.forecast.evaluation._FEW_WINDOWS", 0)
    words = ("--start", "2024-01-06 23:00", "--stride", 100)
    notes = json.loads(succeeded("evaluate", model, "t.csv", *words, "--json").stdout)["notes"]
    assert any(note.endswith("name them in `baselines` (`--baseline`) to have them.") for note in notes)
    assert "--baseline" in succeeded("evaluate", "--help").stdout
    assert run("evaluate", model, "t.csv", *words, "--baseline", "Prophet").stderr == (
        "error: `baselines` (`--baseline`) names 'Prophet': expected AutoETS or AutoTheta\n"
    )


# info


def test_info():
    import torch

    text = succeeded("info").stdout
    assert sluicegate.__version__ in text
    found = json.loads(succeeded("info", "--json").stdout)
    assert found["sluicegate"] == sluicegate.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["threads"] == torch.get_num_threads()
    assert found["kernels"] in {"scalar", "avx2", "avx512", "avx512_bf16", "neon"}
    assert found["cpu"]["best_isa"] in {"scalar", "avx2", "avx512", "avx512_bf16", "neon"}
    assert found["extras"]["dev"] == []
    assert {"baselines", "demo", "dev", "docs"} <= found["extras"].keys()


def test_info_tells_how_to_get_an_extra(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    from sluicegate.cli.commands import info

    known = info.version

    def version(package):
        if package == "statsforecast":
            raise PackageNotFoundError(package)
        return known(package)

    monkeypatch.setattr(info, "version", version)
    assert "lacks statsforecast: pip install 'sluicegate[baselines]'" in succeeded("info").stdout


# How it ends


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_goes_away_is_no_failure(model):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "sluicegate", "predict", str(model)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141


def test_a_failure_of_a_program_of_its_own():
    command = [sys.executable, "-m", "sluicegate", "predict", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == ("error: the model 'nowhere' does not exist: give the folder that a model was saved to\n")


def test_interrupted(monkeypatch, model):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sluicegate.tasks.Forecaster, "predict", interrupt)
    result = run("predict", model)
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"


def test_the_public_name():
    assert callable(cli.main)

"""A run that is killed at any moment loses nothing: the old model stays, and `--resume` ends with the same bits."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors import safe_open
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app

WEIGHTS = "weights.safetensors"
CHECKPOINT = "model.checkpoint"
QUICK = ("--context", 24, "--hidden", 16, "--batch", 32, "--patience", 100, "--threads", 1)


def table(seed=0):
    steps = np.arange(300)
    noise = np.random.default_rng(seed).normal(size=300)
    return pl.DataFrame({"t": steps, "y": 10 + np.sin(steps / 4) + 0.3 * noise, "p": noise})


def words(*more, out="model", seed=1, steps=40):
    knobs = (*QUICK, "--seed", seed, "--steps", steps)
    return ("fit", "forecast", "t.csv", "--time", "t", "--target", "y", "--horizon", "6", "--out", out, *knobs, *more)


def run(*arguments):
    return CliRunner().invoke(app, [str(word) for word in arguments])


def trained(*arguments, **options):
    result = run(*words(*arguments, **options))
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments, **options):
    result = run(*words(*arguments, **options))
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line


def weights(model):
    return (Path(model) / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The model of a run that was not interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        table().write_csv("t.csv")
        trained()
        return Path("model").absolute()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table().write_csv("t.csv")
    return tmp_path


@pytest.fixture
def interrupted(monkeypatch):
    """A run that the user interrupted after its fifth look at the validation part."""
    from sluicegate.training import checkpoint

    def interrupt(**options):
        looks = iter(range(5))
        write = checkpoint.Checkpoint.write

        def written(*arguments):
            write(*arguments)
            if next(looks, None) is None:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(checkpoint.Checkpoint, "write", written)
            return run(*words(**options))

    return interrupt


class Killed:
    """A `sluicegate fit` in a process of its own, which is killed without warning."""

    def __init__(self, *more, **options):
        command = [sys.executable, "-m", "sluicegate", *map(str, words(*more, **options))]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def after(self, seconds):
        time.sleep(seconds)
        self._kill()

    def at_checkpoint(self, count, later=0.0):
        """Kill it some time after the checkpoint was written anew some times."""
        seen, path = self._stamp(), Path(CHECKPOINT)
        while count and self._process.poll() is None:
            if path.exists() and self._stamp() != seen:
                seen, count = self._stamp(), count - 1
            time.sleep(0.001)
        self.after(later)

    @staticmethod
    def _stamp():
        try:
            return Path(CHECKPOINT).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def _kill(self):
        self._process.kill()
        _, errors = self._process.communicate()
        assert self._process.returncode == -signal.SIGKILL, errors


def test_killed_at_many_moments(place):
    steps = 400
    trained(out="whole", steps=steps)
    trained(seed=2, steps=20)
    old = {path.name: path.read_bytes() for path in Path("model").iterdir()}
    assert old[WEIGHTS] != weights("whole")

    def intact():
        assert {path.name: path.read_bytes() for path in Path("model").iterdir()} == old
        assert len(sluicegate.load("model").predict()) == 6

    Killed(steps=steps).after(0.2)
    intact()
    Killed(steps=steps).at_checkpoint(1)
    intact()
    assert Path(CHECKPOINT).exists()
    chance = random.Random(0)
    for count in (3, 1):
        Killed("--resume", steps=steps).at_checkpoint(count, chance.uniform(0.01, 0.1))
        intact()
    result = trained("--resume", steps=steps)
    assert "going on from" in result.stderr
    assert weights("model") == weights("whole")
    assert sorted(path.name for path in place.iterdir()) == ["model", "t.csv", "whole"]


def test_interrupted_by_the_user(interrupted, whole):
    result = interrupted()
    assert result.exit_code == 130
    assert f"`--resume` goes on from {Path(CHECKPOINT).absolute()}" in result.stderr
    assert "Traceback" not in result.output
    assert not Path("model").exists()
    trained("--resume")
    assert weights("model") == weights(whole)
    assert not Path(CHECKPOINT).exists()


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_every_cell_and_covariates(interrupted, cell, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "QUICK", (*QUICK, "--cell", cell, "--past", "p"))
    assert interrupted().exit_code == 130
    trained("--resume")
    trained(out="whole")
    assert weights("model") == weights("whole")


def test_resuming_a_run_that_had_ended(whole):
    """Training is over, but saving failed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sluicegate.tasks.Forecaster, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run(*words()).exit_code == 130
    trained("--resume")
    assert weights("model") == weights(whole)


def test_interrupted_before_the_first_look(monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sluicegate.tasks.Forecaster, "fit", interrupt)
    result = run(*words())
    assert result.exit_code == 130
    assert "nothing had been written yet" in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["t.csv"]


def test_other_roles_of_the_same_columns_are_refused(interrupted, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "QUICK", (*QUICK, "--past", "p"))
    interrupted()
    monkeypatch.setattr(sys.modules[__name__], "QUICK", (*QUICK[:-2], "--known", "p"))
    assert "was written for other data or settings" in refused("--resume")


def test_nothing_to_resume(whole):
    result = trained("--resume")
    assert "there is nothing to resume" in result.stderr
    assert weights("model") == weights(whole)


def test_a_new_run_tells_of_the_old_checkpoint(interrupted):
    interrupted()
    assert "`--resume` would have gone on from it" in trained().stderr
    assert not Path(CHECKPOINT).exists()


@pytest.mark.parametrize(
    "other", [{"seed": 2}, {"steps": 50}, ["--hidden", "8"], ["--past", "p"], ["--cell", "lstm"], ["--context", "25"]]
)
def test_other_settings_are_refused(interrupted, other):
    interrupted()
    before = Path(CHECKPOINT).read_bytes()
    options = {"steps": 40, "seed": 1} | other if isinstance(other, dict) else {}
    more = other if isinstance(other, list) else []
    assert "model.checkpoint was written for other data or settings: resume with" in refused(
        "--resume", *more, **options
    )
    assert Path(CHECKPOINT).read_bytes() == before
    assert not Path("model").exists()


@pytest.mark.parametrize(
    "changed",
    [
        table(1),
        table().head(299),
        table().with_columns(pl.col("t") + 1),
        table().with_columns(y=pl.when(pl.col("t") == 299).then(0.0).otherwise("y")),
    ],
    ids=["other values", "a row less", "other times", "one value"],
)
def test_other_data_are_refused(interrupted, changed):
    interrupted()
    changed.write_csv("t.csv")
    assert "was written for other data or settings" in refused("--resume")


@pytest.mark.parametrize("at", [0, 5, 100, 0.5, -1])
def test_a_damaged_checkpoint_is_refused(interrupted, at):
    interrupted()
    path = Path(CHECKPOINT)
    content = bytearray(path.read_bytes())
    content[int(at * len(content)) if isinstance(at, float) else at] ^= 0x10
    path.write_bytes(content)
    sentence = refused("--resume")
    assert "model.checkpoint" in sentence
    assert "train without resuming" in sentence
    assert path.read_bytes() == content


@pytest.mark.parametrize("size", [0, 4, 1000, -1])
def test_a_checkpoint_that_was_cut_is_refused(interrupted, size):
    interrupted()
    path = Path(CHECKPOINT)
    path.write_bytes(path.read_bytes()[:size])
    assert "is damaged" in refused("--resume")


def test_the_same_seed_gives_the_same_model(whole):
    trained()
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == {
        path.name: path.read_bytes() for path in Path("model").iterdir()
    }
    trained(seed=2)
    assert weights("model") != weights(whole)
    with safe_open(whole / WEIGHTS, "np") as one, safe_open(Path("model") / WEIGHTS, "np") as other:
        assert set(one.keys()) == set(other.keys())


def test_resuming_from_python(place):
    def fit(**options):
        task = sluicegate.Forecaster(6, context=24, steps=40, hidden=16, batch=32)
        return task.fit(table(), time="t", target="y", **options)

    whole = fit().predict()
    fit(checkpoint="state")
    assert fit(checkpoint=place / "state", resume=True).predict().equals(whole)
    with pytest.raises(sluicegate.ConfigError, match="other data or settings"):
        sluicegate.Forecaster(5, context=24, steps=40, hidden=16, batch=32).fit(
            table(), time="t", target="y", checkpoint="state", resume=True
        )

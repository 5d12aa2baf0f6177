"""A training that is killed leaves nothing half-written, and `--resume` ends with the same bits."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

CHECKPOINT = "model.checkpoint"
KNOBS = ("--hidden", 8, "--embedding", 8, "--folds", 2, "--batch", 16, "--patience", 100, "--threads", 1)
LEARNT = ("weights.safetensors", "vocabulary.json", "arrays.safetensors", "baselines.json")


def command(*more, out="model"):
    words = ("fit", "classify-text", "t.csv", "--out", out, "--epochs", 6, *KNOBS, *more)
    return [sys.executable, "-m", "sluicegate", *map(str, words)]


def trained(*more, **options):
    done = subprocess.run(command(*more, **options), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def killed(*more, looks, later):
    """Start it, and kill it without warning some time after the checkpoint was written anew some times."""
    process = subprocess.Popen(command(*more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen, path = stamp(), Path(CHECKPOINT)
    while looks and process.poll() is None:
        if path.exists() and stamp() != seen:
            seen, looks = stamp(), looks - 1
        time.sleep(0.001)
    time.sleep(later)
    process.kill()
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors


def stamp():
    try:
        return Path(CHECKPOINT).stat().st_mtime_ns
    except FileNotFoundError:
        return None


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_killed_command_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [(" ".join(rng.choice(list("abcdefgh"), 6)) + (" yes" if i % 2 else " no"), i % 2) for i in range(200)]
    pl.DataFrame(rows, schema=["text", "label"], orient="row").write_csv("t.csv")
    trained(out="whole")
    killed(looks=2, later=0.05)
    assert Path(CHECKPOINT).exists()
    assert not Path("model").exists()
    assert "going on from" in trained("--resume")
    for name in LEARNT:
        assert (Path("model") / name).read_bytes() == (Path("whole") / name).read_bytes(), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "t.csv", "whole"]

"""The threads of OpenMP are told to sleep before torch reads how they are to wait, and nobody's word is overridden."""

import os
import subprocess
import sys

import pytest

from sluicegate.cli import waiting

PROGRAM = "import os, sys; print(os.environ.get('OMP_WAIT_POLICY'), 'torch' in sys.modules); import torch"
SET = "OMP_WAIT_POLICY=passive was set, for threads that sleep where they wait"


def run(tmp_path, **variables):
    """A program under `python -m sluicegate`, and what the environment tells of waiting."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    environment = {name: value for name, value in os.environ.items() if name not in waiting.BY_THE_USER}
    return subprocess.run(
        [sys.executable, "-m", "sluicegate", str(path)],
        env={**environment, "OMP_NUM_THREADS": "2", **variables}, capture_output=True, text=True,
    )  # fmt: skip


def test_a_program_finds_it_before_torch_is_there_and_is_told(tmp_path):
    found = run(tmp_path)
    assert found.stdout == "passive False\n"
    assert found.stderr == f"sluicegate: no GRU, LSTM or RNN layer of PyTorch's ran; {SET}\n"


def test_what_the_user_has_set_stays(tmp_path):
    found = run(tmp_path, OMP_WAIT_POLICY="active")
    assert found.stdout == "active False\n"
    assert SET not in found.stderr


@pytest.fixture
def alone(monkeypatch):
    """As before torch is imported, with two threads."""
    for name in waiting.BY_THE_USER:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(waiting, "sys", type("Sys", (), {"modules": {}}))
    return monkeypatch


def test_it_is_set_once(alone):
    alone.setenv("OMP_WAIT_POLICY", "")  # so that it is put back
    alone.delenv("OMP_WAIT_POLICY")
    assert waiting.let_threads_sleep() == "OMP_WAIT_POLICY=passive"
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert waiting.let_threads_sleep() is None


@pytest.mark.parametrize("name", waiting.BY_THE_USER)
def test_any_word_of_the_user_stays(alone, name):
    alone.setenv(name, "1")
    before = dict(os.environ)
    assert waiting.let_threads_sleep() is None
    assert dict(os.environ) == before


def test_one_thread_has_nobody_to_wait_for(alone):
    alone.setenv("OMP_NUM_THREADS", "1")
    assert waiting.let_threads_sleep() is None


def test_it_is_too_late_once_torch_is_there(alone):
    alone.setattr(waiting, "sys", type("Sys", (), {"modules": {"torch": None}}))
    assert waiting.let_threads_sleep() is None

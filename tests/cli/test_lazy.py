"""The help and the completion of the shell are there at once: nothing heavy is imported for them."""

import os
import subprocess
import sys

import pytest

from sluicegate.tasks import registry

HEAVY = {"torch", "polars", "numpy", "sklearn", "scipy", "narwhals", "matplotlib", "rich", "tokenizers"}


def loaded(code, **environment):
    """What a process of its own prints, and the names of the modules that it then holds."""
    code = f"""
import sys
try:
    exec({code!r})
except SystemExit:
    pass
print("modules:", *sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    said, _, names = done.stdout.rpartition("modules:")
    return said, {*names.split()}


def command(*words):
    return f"from sluicegate.cli import main; sys.argv = {['sluicegate', *words]!r}; main()"


@pytest.mark.parametrize("task", registry.OURS)
def test_the_settings_of_a_task_come_alone(task):
    folder = registry.OURS[task].folder
    _, names = loaded(f"import sluicegate.tasks.{folder}.config")
    assert f"sluicegate.tasks.{folder}" in names
    assert not names & HEAVY


@pytest.mark.parametrize("words", [[], ["fit"], ["fit", "forecast"], ["study"], ["evaluate"]], ids=" ".join)
def test_help_loads_nothing_heavy(words):
    said, names = loaded(command(*words, "--help"))
    assert said.startswith(f"Usage: {' '.join(['sluicegate', *words])} ")
    assert not names & HEAVY
    assert words != ["evaluate"] or "sluicegate.tasks.config" not in names


def test_the_help_of_a_task_loads_no_other():
    _, names = loaded(command("fit", "forecast", "--help"))
    assert "sluicegate.tasks.forecast.config" in names
    others = ("classify_text", "classify_series", "classification")
    assert not [name for name in names if name.startswith(tuple(f"sluicegate.tasks.{other}" for other in others))]
    assert not names & {f"sluicegate.cli.commands.{other}" for other in ("study", "predict", "evaluate", "demo")}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sluicegate ev", {"evaluate"}),
        ("sluicegate fit ", {*registry.OURS}),
        ("sluicegate fit classify-text t.csv --lower", {"--lowercase"}),
        ("sluicegate fit forecast t.csv --ho", {"--holiday", "--horizon"}),
        ("sluicegate fit forecast t.csv --cell ", {"gru", "lstm", "rnn", "mingru", "ligru"}),
        ("sluicegate fit forecast t.csv --fill l", {"linear"}),
        ("sluicegate study t.csv --task c", {"classify-text", "classify-series"}),
        ("sluicegate study t.csv --cha", {"--channel"}),
    ],
)
def test_completion(line, expected):
    """As bash asks for it."""
    asked = {"_SLUICEGATE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    said, names = loaded(command(), **asked)
    assert {*said.split()} == expected
    assert not names & (HEAVY - {"rich"})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_that_a_shell_reads(shell):
    said, _ = loaded(command(), _SLUICEGATE_COMPLETE=f"source_{shell}")
    assert "_SLUICEGATE_COMPLETE" in said

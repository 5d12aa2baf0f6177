"""The study from the command line: which option of which task is what to `fit` and to the task's knobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import loads
from pathlib import Path
from typing import Any

import typer

from sluicegate.errors import ConfigError
from sluicegate.study.claims import PAGE, check_claims
from sluicegate.tasks.registry import OURS

from .failures import note
from .output import print_json

# How each option is called by the task's `fit`; `horizon` and `context` are knobs.
_COLUMNS = {
    "forecast": ("time", "target", "series", "known", "past"),
    "classify-text": ("text", "label", "group"),
    "classify-series": ("series", "time", "label", "channel", "group", "array", "lengths"),
}
_ARGUMENTS = {"group": "groups", "channel": "channels"}
_KNOBS = {"forecast": ("horizon", "context"), "classify-text": (), "classify-series": ()}


def columns_and_knobs(
    task: str | None, given: Mapping[str, Any], settings: Sequence[str]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The task, what its `fit` is told of the data, and its knobs.

    Args:
        task: its name, where one was given.
        given: options by name, None where one was not given.
        settings: further knobs as `NAME=VALUE`.

    Raises:
        ConfigError: an option is another task's, or a setting is none.
    """
    if task is None or task not in OURS:
        raise ConfigError(f"`--task` (={task!r}) must be among {', '.join(OURS)}")
    columns: dict[str, Any] = {}
    knobs: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name == "series" and len(value) == 1:  # as it was noted before several could be given
            value = value[0]
        if name in _KNOBS[task]:
            knobs[name] = value
        elif name in _COLUMNS[task]:
            columns["labels" if (task, name) == ("classify-series", "label") else _ARGUMENTS.get(name, name)] = value
        else:
            raise ConfigError(f"`--{name}` is no option of the task {task}: leave it out")
    for setting in settings:
        name, found, value = setting.partition("=")
        if not found:
            raise ConfigError(f"`--set` (={setting!r}) must be a knob and its value, such as hidden=32")
        knobs[name] = _value(value)
    return task, columns, knobs


def show_claims(out: Path, *, quick: bool, jobs: int | None, json: bool) -> None:
    """Put the claims to the test, and say how they fared."""
    findings = check_claims(out, quick=quick, jobs=jobs)
    if json:
        print_json(
            [{"said": finding.said, "verdict": finding.verdict, "outcome": finding.outcome} for finding in findings]
        )
        return
    for finding in findings:
        typer.echo(f"{finding.said}\n  It {finding.verdict}. {finding.outcome}\n")
    note(f"wrote {out / PAGE}")


def _value(text: str) -> Any:
    """A number, a truth value or none as JSON writes it; all else is text."""
    try:
        return loads(text)
    except ValueError:
        return text

"""The study from the command line: which option of which task is what to `fit` and to the task's knobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from json import loads
from pathlib import Path
from typing import Any

import typer

from sluicegate.errors import ConfigError
from sluicegate.tasks import registry
from sluicegate.tasks.arguments import Group

from .failures import note
from .knobs import group_of, of_argument, of_field, option_of
from .output import print_json


def data_options() -> list[Parameter]:
    """An option for each that tells of the data in some task, called as the option is; its help names the tasks."""
    found: dict[str, Parameter] = {}
    tasks: dict[str, list[str]] = {}
    for task in registry.known():
        for name, option, _ in _of_data(task):
            found.setdefault(name, option.replace(name=name))
            tasks.setdefault(name, []).append(task)
    for name, option in found.items():
        said = option.annotation.__metadata__[0]
        said.help = f"{said.help} [{', '.join(tasks[name])}]"
    return [*found.values()]


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
    if task is None or task not in registry.known():
        raise ConfigError(f"`--task` (={task!r}) must be among {', '.join(registry.known())}")
    known = {name: (option.name, is_knob) for name, option, is_knob in _of_data(task)}
    columns: dict[str, Any] = {}
    knobs: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name not in known:
            raise ConfigError(f"`--{name.replace('_', '-')}` is no option of the task {task}: leave it out")
        if name == "series" and len(value) == 1:  # as it was noted before several could be given
            value = value[0]
        called, is_knob = known[name]
        (knobs if is_knob else columns)[called] = str(value) if isinstance(value, Path) else value
    for setting in settings:
        name, found, value = setting.partition("=")
        if not found:
            raise ConfigError(f"`--set` (={setting!r}) must be a knob and its value, such as hidden=32")
        knobs[name] = _value(value)
    return task, columns, knobs


def _of_data(task: str) -> Iterator[tuple[str, Parameter, bool]]:
    """What tells of a task's data: the option's name, the option, and whether it is a knob."""
    config, arguments = registry.declared(task)
    for of in arguments:
        if of.kind != "data":  # the study has options of its own for files
            yield of.option.replace("-", "_"), of_argument(of, free=True), False
    for name, field in ({} if config is None else config.model_fields).items():
        if group_of(field) is Group.DATA:
            yield option_of(name, field).replace("-", "_"), of_field(name, field, free=True), True


def show_claims(out: Path, *, quick: bool, jobs: int | None, json: bool) -> None:
    """Put the claims to the test, and say how they fared."""
    from sluicegate.study.claims import PAGE, check_claims

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

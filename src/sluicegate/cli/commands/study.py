"""`sluicegate study`: every cell on one's own data, and the claims.

Which option of which task is what to `fit` and to the task's settings, the tasks declare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from json import loads
from pathlib import Path
from typing import Annotated, Any

import typer

from sluicegate.errors import ConfigError
from sluicegate.tasks import registry
from sluicegate.tasks.arguments import Group

from ..declared import group_of, of_argument, of_field, option_of
from ..failures import failing_plainly, note
from ..lazy import command
from ..options import Debug, Json, in_data, in_model, in_output, in_training


def _tasks(incomplete: str) -> list[str]:
    return [name for name in registry.known() if name.startswith(incomplete)]


def study(
    data: Annotated[Path, typer.Argument(help="The data, as for `fit`; or the word claims.")],
    out: Annotated[Path, in_output(help="The folder for the outcomes, the tables and the pages.")],
    task: Annotated[str | None, in_data(help="A task, as for `fit`.", autocompletion=_tasks)] = None,
    test: Annotated[Path | None, in_data(help="A file to measure on; else, the rows that validate.")] = None,
    cell: Annotated[
        list[str] | None, in_model(help="A cell; may be given again; by default, all.", metavar="<str>")
    ] = None,
    hidden: Annotated[int | None, in_model(help="Units of the recurrent layer.")] = None,
    settings: Annotated[
        list[str] | None,
        in_model("--set", help="A setting of the task, as `fit` has it; may be given again.", metavar="NAME=VALUE"),
    ] = None,
    seeds: Annotated[int, in_training(help="Runs of each cell.")] = 5,
    jobs: Annotated[int | None, in_training(help="Processes at a time; by default, one for each core.")] = None,
    threads: Annotated[int, in_training(help="Threads of each process.")] = 1,
    quick: Annotated[bool, in_training("--quick", help="Of the claims: in miniature, to see that it works.")] = False,
    json: Json = False,
    debug: Debug = False,
    **given: Any,
) -> None:
    """RNN, LSTM or GRU on your data: what each costs, how good it is, and which to take.

    `sluicegate study claims` puts what is said of these networks to the test instead, in some 15 minutes.
    """
    with failing_plainly(debug):
        if str(data) == "claims":
            _show_claims(out, quick=quick, jobs=jobs, json=json)
            return
        from sluicegate.data.as_json import as_rows
        from sluicegate.nn.layers import LAYERS
        from sluicegate.study.comparing import study as run_study

        from ..output import print_json, show

        task, columns, chosen = columns_and_settings(task, given, settings or ())
        found = run_study(
            data,
            task=task,
            out=out,
            cells=cell or tuple(LAYERS),
            seeds=seeds,
            hidden=hidden,
            test=test,
            jobs=jobs,
            threads=threads,
            knobs=chosen,
            **columns,
        )
        if json:
            print_json({"verdict": found.report.verdict, "rows": as_rows(found.frame)})
        else:
            show(found.report)
            note(f"wrote {out / 'report.html'} and {out / 'study.csv'}")


def build() -> Any:
    """The command, with the options of all tasks that are known."""
    return command("study", study, options=_data_options())


def _data_options() -> list[Parameter]:
    """An option for each that tells of the data in some task, called as the option is; its help names the tasks."""
    found: dict[str, Parameter] = {}
    tasks: dict[str, list[str]] = {}
    for task in registry.known():
        for name, option, _ in _of_data(task):
            found.setdefault(name, option.replace(name=name))
            tasks.setdefault(name, []).append(task)
    for name, option in found.items():
        shown = option.annotation.__metadata__[0]
        shown.help = f"{shown.help} [{', '.join(tasks[name])}]"
    return [*found.values()]


def columns_and_settings(
    task: str | None, given: Mapping[str, Any], further: Sequence[str]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The task, what its `fit` is told of the data, and its settings, those of `further` as `NAME=VALUE`.

    Raises:
        ConfigError: an option is another task's, or a setting is none.
    """
    if task is None or task not in registry.known():
        raise ConfigError(f"`--task` (={task!r}) must be among {', '.join(registry.known())}")
    known = {name: (option.name, is_setting) for name, option, is_setting in _of_data(task)}
    columns: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name not in known:
            raise ConfigError(f"`--{name.replace('_', '-')}` is no option of the task {task}: leave it out")
        if name == "series" and len(value) == 1:  # as it was noted before several could be given
            value = value[0]
        called, is_setting = known[name]
        (settings if is_setting else columns)[called] = str(value) if isinstance(value, Path) else value
    for setting in further:
        name, found, value = setting.partition("=")
        if not found:
            raise ConfigError(f"`--set` (={setting!r}) must be a setting and its value, such as hidden=32")
        settings[name] = _value(value)
    return task, columns, settings


def _of_data(task: str) -> Iterator[tuple[str, Parameter, bool]]:
    """What tells of a task's data: the option's name, the option, and whether it is a setting."""
    config, arguments = registry.declared(task)
    for of in arguments:
        if of.kind != "data":  # the study has options of its own for files
            yield of.option.replace("-", "_"), of_argument(of, free=True), False
    for name, field in ({} if config is None else config.model_fields).items():
        if group_of(field) is Group.DATA:
            yield option_of(name, field).replace("-", "_"), of_field(name, field, free=True), True


def _show_claims(out: Path, *, quick: bool, jobs: int | None, json: bool) -> None:
    """Put the claims to the test, and say how they fared."""
    from sluicegate.study.claims import PAGE, check_claims

    from ..output import print_json

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

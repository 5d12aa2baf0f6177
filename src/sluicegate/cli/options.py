"""Options that several commands have, and what is made of those that were given."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from sluicegate.tasks import Task

Data: TypeAlias = Annotated[Path, typer.Argument(help="A table: .csv, .tsv, .parquet or .jsonl.")]
Recorded: TypeAlias = Annotated[
    Path, typer.Argument(help="Recordings: a long table (.csv, .tsv, .parquet, .jsonl), a .ts or an .npz file.")
]
Array: TypeAlias = Annotated[
    str | None, typer.Option(help="In an .npz file, the array of the recordings; by default, X.")
]
Lengths: TypeAlias = Annotated[
    str | None, typer.Option(help="In an .npz file, the array of their lengths; by default, lengths.")
]
Model: TypeAlias = Annotated[Path, typer.Argument(help="The folder of a saved model.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]
Threads: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Threads to compute with.")]
Saved: TypeAlias = Annotated[Path, typer.Option(help="The folder to save the model to.", metavar="MODEL")]
Resume: TypeAlias = Annotated[bool, typer.Option("--resume", help="Go on from an interrupted run.")]
CellOption: TypeAlias = Annotated[str, typer.Option("--cell", help="gru, lstm, rnn or mingru.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="The same seed gives the same model.")]

_CALLED = {
    "labels": "--label",
    "groups": "--group",
    "baselines": "--baseline",
}  # where an option is not called as the argument


def given_only(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def require_options(task: Task, verb: str, given: Iterable[str]) -> None:
    """Refuse options that are another task's."""
    from sluicegate.errors import ConfigError

    known = inspect.signature(getattr(task, verb)).parameters
    for name in given:
        if name not in known:
            raise ConfigError(
                f"`{_CALLED.get(name, f'--{name}')}` is no option for a model of the task {task.name}: leave it out"
            )

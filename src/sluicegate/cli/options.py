"""Options that several commands have, and what is made of those that were given."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from sluicegate.tasks.arguments import ARRAY, DATA, LENGTHS, Group
from sluicegate.tasks.registry import declared, known

if TYPE_CHECKING:
    from sluicegate.tasks import Task


def sentence(words: str) -> str:
    """Words as the help shows them."""
    return f"{words[:1].upper()}{words[1:]}."


Data: TypeAlias = Annotated[Path, typer.Argument(help=sentence(DATA.help))]
Array: TypeAlias = Annotated[str | None, typer.Option(help=sentence(ARRAY.help), metavar="NAME")]
Lengths: TypeAlias = Annotated[str | None, typer.Option(help=sentence(LENGTHS.help), metavar="NAME")]
Model: TypeAlias = Annotated[Path, typer.Argument(help="The folder of a saved model.")]
PoseModel: TypeAlias = Annotated[
    Path | None, typer.Option(help="A .tflite file that finds skeletons in videos; by default, what was fetched.")
]
Precision: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="What the recurrent layers compute in; by default, as the model was saved.",
        metavar="<fp32|bf16|int8>",
        autocompletion=lambda incomplete: [name for name in ("fp32", "bf16", "int8") if name.startswith(incomplete)],
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]
Threads: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Threads to compute with.")]


in_data, in_model, in_training, in_output = (partial(typer.Option, rich_help_panel=group.value) for group in Group)
"""Options by the groups of the help that show them."""


def given_only(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def taken(task: Task, verb: str, **options: Any) -> dict[str, Any]:
    """Those arguments that a verb of a task has: not every task keeps checkpoints, or names its data in messages."""
    known = inspect.signature(getattr(task, verb)).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    return {name: value for name, value in options.items() if anything or name in known}


def require_options(task: Task, verb: str, given: Iterable[str]) -> None:
    """Refuse options that are another task's."""
    allowed = inspect.signature(getattr(task, verb)).parameters
    refuse_options(task, [name for name in given if name not in allowed])


def refuse_options(task: Task, given: Iterable[str]) -> None:
    """Refuse options that a task does not have.

    Raises:
        ConfigError: there are such.
    """
    from sluicegate.errors import ConfigError

    called = {of.name: of.option for name in known() for of in declared(name).arguments} | {"baselines": "baseline"}
    for name in given:
        raise ConfigError(
            f"`--{called.get(name, name)}` is no option for a model of the task {task.name}: leave it out"
        )

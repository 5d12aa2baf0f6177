"""Commands that are built when they are asked for: the help of one does not wait for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter, Signature, signature
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from sluicegate.tasks.arguments import Group

PLAIN: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
"""Help as plain text, which a pipe can read."""


class Commands(Mapping[str, Any]):
    """Commands by name: `names` lists them, and `build` builds one."""

    def __init__(self, names: Callable[[], list[str]], build: Callable[[str], Any]) -> None:
        self._names, self._build = names, build

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            raise KeyError(name)
        return self._build(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())


class LazyGroup(TyperGroup):
    """A group that looks its commands up."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands(self.names, self.build)  # type: ignore[assignment]

    def names(self) -> list[str]:
        """The names of the commands, in the order of the help."""
        raise NotImplementedError

    def build(self, name: str) -> Any:
        """The command of a name."""
        raise NotImplementedError

    def list_commands(self, ctx: Any) -> list[str]:
        """The names alone, where typer would build every command."""
        del ctx
        return self.names()


class GroupedCommand(TyperCommand):
    """A command whose help shows its options in groups, which they name as their `rich_help_panel`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each group of options; those of no group, as `--help` is, stand in the last."""
        parameters = self.get_params(ctx)
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], **{group.value: [] for group in Group}}
        if not any(getattr(parameter, "rich_help_panel", None) for parameter in parameters):
            groups["Options"] = []
        *_, last = groups
        for parameter in parameters:
            panel = (
                "Arguments" if parameter.param_type_name == "argument" else getattr(parameter, "rich_help_panel", None)
            )
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups[panel or last].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def command(name: str, call: Callable[..., Any], about: str | None = None, options: Iterable[Parameter] = ()) -> Any:
    """A function as a command; its docstring is the help unless `about` is given, and it takes `options` by name."""
    own = signature(call, eval_str=True).parameters
    named = [option for option in own.values() if option.kind is not Parameter.VAR_KEYWORD]
    named += [option for option in options if option.name not in own]
    call.__signature__ = Signature(named)  # type: ignore[attr-defined]
    app = typer.Typer(**PLAIN)
    app.command(name, cls=GroupedCommand, help=about)(call)
    return typer.main.get_command(app)

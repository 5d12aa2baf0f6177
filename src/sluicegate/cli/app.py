"""The command line: its commands, each loaded when it is used, and the program's own options."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Annotated, Any

import typer

from sluicegate.collection import collect_rarely

from .lazy import PLAIN, LazyGroup, command

COMMANDS = ("fit", "predict", "evaluate", "stream", "export", "pose", "serve", "study", "info", "demo")


class _Commands(LazyGroup):
    """A file each in `commands/`: a function of its name, or `build` where options are made of what tasks declare."""

    def names(self) -> list[str]:
        return [*COMMANDS]

    def build(self, name: str) -> Any:
        module = import_module(f"{__package__}.commands.{name}")
        return module.build() if hasattr(module, "build") else command(name, getattr(module, name))


app = typer.Typer(
    cls=_Commands,
    help="Gated recurrent networks, trained and run on ordinary CPUs.",
    epilog="A program of yours, with its GRU, LSTM and RNN layers computed by Sluicegate: "
    "`sluicegate program.py ...` or `sluicegate -m module ...`.",
    no_args_is_help=True,
    **(PLAIN | {"add_completion": True}),
)


def main() -> None:
    """Run the command line."""
    # Looking for plugins of pydantic among all that is installed took 0.04 s of the 0.12 s of the first settings.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    collect_rarely()
    app(prog_name="sluicegate")


def _print_version(wanted: bool) -> bool:
    if wanted:
        from sluicegate import __version__

        typer.echo(__version__)
        raise typer.Exit
    return wanted


@app.callback()
def _top(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass

"""The command line: its commands, and the program's own options."""

from __future__ import annotations

from typing import Annotated

import typer

from .commands.demo import demo
from .commands.evaluate import evaluate
from .commands.fit_classify_series import classify_series
from .commands.fit_classify_text import classify_text
from .commands.fit_forecast import forecast
from .commands.info import info
from .commands.predict import predict
from .commands.stream import stream
from .commands.study import study

app = typer.Typer(
    help="Gated recurrent networks, trained and run on ordinary CPUs.",
    epilog="A program of yours, with its GRU, LSTM and RNN layers computed by Sluicegate: "
    "`sluicegate program.py ...` or `sluicegate -m module ...`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
fit = typer.Typer(help="Train a model for a task and save it.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(fit, name="fit")

fit.command("forecast")(forecast)
fit.command("classify-text")(classify_text)
fit.command("classify-series")(classify_series)
for command in (predict, evaluate, stream, study, info, demo):
    app.command()(command)


def main() -> None:
    """Run the command line."""
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

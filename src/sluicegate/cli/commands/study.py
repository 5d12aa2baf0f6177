"""`sluicegate study`: every cell on one's own data, and the claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sluicegate.tasks import registry
from sluicegate.tasks.arguments import Group

from ..failures import failing_plainly, note
from ..lazy import command
from ..options import Debug, Json
from ..studying import columns_and_knobs, data_options, show_claims

DATA, MODEL, TRAINING, OUTPUT = (group.value for group in Group)


def _tasks(incomplete: str) -> list[str]:
    return [name for name in registry.known() if name.startswith(incomplete)]


def study(
    data: Annotated[Path, typer.Argument(help="The data, as for `fit`; or the word claims.")],
    out: Annotated[
        Path, typer.Option(help="The folder for the outcomes, the tables and the pages.", rich_help_panel=OUTPUT)
    ],
    task: Annotated[
        str | None, typer.Option(help="A task, as for `fit`.", autocompletion=_tasks, rich_help_panel=DATA)
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="A file to measure on; else, the rows that validate.", rich_help_panel=DATA)
    ] = None,
    cell: Annotated[
        list[str] | None,
        typer.Option(help="A cell; may be given again; by default, all.", metavar="<str>", rich_help_panel=MODEL),
    ] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer.", rich_help_panel=MODEL)] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A knob of the task, as `fit` has it; may be given again.",
            metavar="NAME=VALUE",
            rich_help_panel=MODEL,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each cell.", rich_help_panel=TRAINING)] = 5,
    jobs: Annotated[
        int | None,
        typer.Option(help="Processes at a time; by default, one for each core.", rich_help_panel=TRAINING),
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of each process.", rich_help_panel=TRAINING)] = 1,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Of the claims: in miniature, to see that it works.", rich_help_panel=TRAINING),
    ] = False,
    json: Json = False,
    debug: Debug = False,
    **given: Any,
) -> None:
    """RNN, LSTM or GRU on your data: what each costs, how good it is, and which to take.

    `sluicegate study claims` puts what is said of these networks to the test instead, in some 15 minutes.
    """
    with failing_plainly(debug):
        if str(data) == "claims":
            show_claims(out, quick=quick, jobs=jobs, json=json)
            return
        from sluicegate.nn.layers import LAYERS
        from sluicegate.study.comparing import study as run_study

        from ..output import as_rows, print_json, show

        task, columns, knobs = columns_and_knobs(task, given, settings or ())
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
            knobs=knobs,
            **columns,
        )
        if json:
            print_json({"verdict": found.report.verdict, "rows": as_rows(found.frame)})
        else:
            show(found.report)
            note(f"wrote {out / 'report.html'} and {out / 'study.csv'}")


def build() -> Any:
    """The command, with the options of all tasks that are known."""
    return command("study", study, options=data_options())

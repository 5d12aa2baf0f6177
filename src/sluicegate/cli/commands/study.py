"""`sluicegate study`: every cell on one's own data, and the claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly, note
from ..options import Array, Debug, Json, Lengths


def study(
    data: Annotated[Path, typer.Argument(help="The data, as for `fit`; or the word claims.")],
    out: Annotated[Path, typer.Option(help="The folder for the outcomes, the tables and the pages.")],
    task: Annotated[str | None, typer.Option(help="forecast, classify-text or classify-series.")] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each cell.")] = 5,
    cell: Annotated[list[str] | None, typer.Option(help="A cell; may be given again; by default, all.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer.")] = None,
    test: Annotated[Path | None, typer.Option(help="A file to measure on; else, the rows that validate.")] = None,
    time: Annotated[str | None, typer.Option(help="The column of times.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="A column to forecast; may be given again.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Steps to forecast.")] = None,
    context: Annotated[int | None, typer.Option(help="Steps that each forecast looks back on.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="A column known in advance.")] = None,
    past: Annotated[list[str] | None, typer.Option(help="A column known up to now.")] = None,
    series: Annotated[
        list[str] | None, typer.Option(help="The column that tells series or recordings apart; given again, several.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="The column of texts.")] = None,
    label: Annotated[str | None, typer.Option(help="The column or array of classes.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A channel; by default, all other columns.")] = None,
    group: Annotated[str | None, typer.Option(help="The column or array of what must validate together.")] = None,
    array: Array = None,
    lengths: Lengths = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A knob of the task, as NAME=VALUE.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes at a time; by default, one for each core.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of each process.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Of the claims: in miniature, to see that it works.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """RNN, LSTM or GRU on your data: what each costs, how good it is, and which to take.

    `sluicegate study claims` puts what is said of these networks to the test instead, in some 15 minutes.
    """
    with failing_plainly(debug):
        if str(data) == "claims":
            from ..studying import show_claims

            show_claims(out, quick=quick, jobs=jobs, json=json)
            return
        from sluicegate.nn.layers import LAYERS
        from sluicegate.study.comparing import study as run_study

        from ..output import as_rows, print_json, show
        from ..studying import columns_and_knobs

        given = {"time": time, "target": target, "horizon": horizon, "context": context, "known": known, "past": past}
        given |= {"series": series, "text": text, "label": label, "channel": channel, "group": group}
        given |= {"array": array, "lengths": lengths}
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

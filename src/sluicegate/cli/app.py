"""The commands and their options.

`--help` must be there at once, so each command imports what it needs when it runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from .failures import failing_plainly, note

if TYPE_CHECKING:
    import polars as pl

    from sluicegate.data import Source
    from sluicegate.tasks import Report, Task

_OPTIONS = {
    "labels": "--label",
    "groups": "--group",
    "baselines": "--baseline",
}  # where an option is not called as the argument

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


@fit.command("forecast")
def fit_forecast(
    data: Data,
    time: Annotated[str, typer.Option(help="The column of time stamps or whole numbers.")],
    target: Annotated[list[str], typer.Option(help="A column to forecast; may be given again.")],
    horizon: Annotated[int, typer.Option(help="Steps to forecast.")],
    out: Annotated[Path, typer.Option(help="The folder to save the model to.", metavar="MODEL")],
    series: Annotated[
        list[str] | None, typer.Option(help="The column that tells series apart; given again, several do.")
    ] = None,
    context: Annotated[int | None, typer.Option(help="Steps to look back on; by default, as the season asks.")] = None,
    cell: Annotated[str, typer.Option(help="gru, lstm, rnn or mingru.")] = "gru",
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    known: Annotated[list[str] | None, typer.Option(help="A column known in advance; may be given again.")] = None,
    past: Annotated[list[str] | None, typer.Option(help="A column known up to now; may be given again.")] = None,
    validation: Annotated[Path | None, typer.Option(help="A table of the rows that follow, to validate on.")] = None,
    fill: Annotated[str | None, typer.Option(help="Fill gaps in: forward, linear or zero.")] = None,
    holiday: Annotated[
        list[str] | None, typer.Option(help="A day without rows, such as 2024-12-25; may be given again.")
    ] = None,
    drop_short: Annotated[bool, typer.Option("--drop-short", help="Leave out series that are too short.")] = False,
    season: Annotated[int | None, typer.Option(help="Steps in a season; by default, it is found.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer.")] = None,
    layers: Annotated[int | None, typer.Option(help="Recurrent layers.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of units left out in training.")] = None,
    batch: Annotated[int | None, typer.Option(help="Windows in a step of training.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of training at most.")] = None,
    patience: Annotated[int | None, typer.Option(help="Looks without progress after which training stops.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted run.")] = False,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a model that forecasts one series, many series, or several columns."""
    with failing_plainly(debug):
        from sluicegate.tasks import Forecaster

        from .fitting import fit_and_save, require_writable

        knobs = {
            "season": season,
            "hidden": hidden,
            "layers": layers,
            "dropout": dropout,
            "batch": batch,
            "learning_rate": learning_rate,
            "steps": steps,
            "patience": patience,
            "holidays": holiday,
        }
        given: dict[str, Any] = {name: value for name, value in knobs.items() if value is not None}
        task = Forecaster(horizon, context=context, cell=cell, seed=seed, fill=fill, drop_short=drop_short, **given)
        require_writable(out)
        _use_threads(threads)
        columns: dict[str, Any] = {
            "time": time,
            "target": target,
            "series": series,
            "known": known or (),
            "past": past or (),
        }
        table, source = _table(data, Forecaster, columns)
        ahead, ahead_source = (None, None) if validation is None else _table(validation, Forecaster, columns)

        def train(checkpoint: Path) -> object:
            return task.fit(
                table,
                **columns,
                validation=ahead,
                checkpoint=checkpoint,
                resume=resume,
                source=source,
                validation_source=ahead_source,
            )

        fit_and_save(task, train, out, resume=resume)
        _show_fitted(task.report, out, json)


@fit.command("classify-text")
def fit_classify_text(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to save the model to.", metavar="MODEL")],
    text: Annotated[str, typer.Option(help="The column of texts.")] = "text",
    label: Annotated[str, typer.Option(help="The column of classes.")] = "label",
    group: Annotated[str | None, typer.Option(help="The column of what must validate together.")] = None,
    validation: Annotated[Path | None, typer.Option(help="A table to validate on.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors to start from: text of word2vec, GloVe or fastText.")
    ] = None,
    cell: Annotated[str, typer.Option(help="gru, lstm, rnn or mingru.")] = "gru",
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    folds: Annotated[int | None, typer.Option(help="Networks, each validated on another part of the rows.")] = None,
    blend: Annotated[
        bool | None, typer.Option("--blend/--no-blend", help="Average with the better simple method.")
    ] = None,
    embedding: Annotated[int | None, typer.Option(help="Numbers that a word is read as.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer in each direction.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of units left out in training.")] = None,
    robust: Annotated[float | None, typer.Option(help="From 0 to 1: how little wrong labels weigh.")] = None,
    batch: Annotated[int | None, typer.Option(help="Texts in a step of training.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Times that the rows are gone through at most.")] = None,
    patience: Annotated[int | None, typer.Option(help="Looks without progress after which training stops.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted run.")] = False,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a model that tells classes of texts apart."""
    with failing_plainly(debug):
        from sluicegate.tasks import TextClassifier

        from .fitting import fit_and_save, require_writable

        knobs = {
            "embedding": embedding,
            "hidden": hidden,
            "dropout": dropout,
            "robust": robust,
            "batch": batch,
            "learning_rate": learning_rate,
            "epochs": epochs,
            "patience": patience,
        }
        given: dict[str, Any] = {name: value for name, value in knobs.items() if value is not None}
        task = TextClassifier(cell=cell, seed=seed, folds=folds, blend=blend, **given)
        require_writable(out)
        _use_threads(threads)
        columns: dict[str, Any] = {"text": text, "label": label, "groups": group}
        table, source = _table(data, TextClassifier, columns)
        other, other_source = (None, None) if validation is None else _table(validation, TextClassifier, columns)

        def train(checkpoint: Path) -> object:
            return task.fit(
                table,
                **columns,
                validation=other,
                vectors=vectors,
                checkpoint=checkpoint,
                resume=resume,
                source=source,
                validation_source=other_source,
            )

        fit_and_save(task, train, out, resume=resume)
        _show_fitted(task.report, out, json)


@fit.command("classify-series")
def fit_classify_series(
    data: Recorded,
    out: Annotated[Path, typer.Option(help="The folder to save the model to.", metavar="MODEL")],
    label: Annotated[str, typer.Option(help="The column or array of classes.")] = "label",
    series: Annotated[
        list[str] | None,
        typer.Option(help="In a table, the column that tells recordings apart; given again, several do."),
    ] = None,
    time: Annotated[str | None, typer.Option(help="In a table, the column of times.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="In a table, a channel; by default, all others.")] = None,
    group: Annotated[str | None, typer.Option(help="The column or array of what must validate together.")] = None,
    array: Array = None,
    lengths: Lengths = None,
    validation: Annotated[Path | None, typer.Option(help="Recordings to validate on.")] = None,
    cell: Annotated[str, typer.Option(help="gru, lstm, rnn or mingru.")] = "gru",
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    folds: Annotated[int | None, typer.Option(help="Networks, each validated on other recordings.")] = None,
    blend: Annotated[bool, typer.Option("--blend", help="Average with the better simple method.")] = False,
    window: Annotated[int | None, typer.Option(help="Steps read at a time; by default, as the lengths ask.")] = None,
    stride: Annotated[int | None, typer.Option(help="Steps that the convolution goes on by.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the recurrent layer in each direction.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of units left out in training.")] = None,
    robust: Annotated[float | None, typer.Option(help="From 0 to 1: how little wrong labels weigh.")] = None,
    batch: Annotated[int | None, typer.Option(help="Windows in a step of training.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of training at most.")] = None,
    patience: Annotated[int | None, typer.Option(help="Looks without progress after which training stops.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted run.")] = False,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a model that tells classes of recordings apart."""
    with failing_plainly(debug):
        from sluicegate.tasks import SeriesClassifier

        from .fitting import fit_and_save, require_writable

        knobs = {
            "window": window,
            "stride": stride,
            "hidden": hidden,
            "dropout": dropout,
            "robust": robust,
            "batch": batch,
            "learning_rate": learning_rate,
            "steps": steps,
            "patience": patience,
        }
        given: dict[str, Any] = {name: value for name, value in knobs.items() if value is not None}
        task = SeriesClassifier(cell=cell, seed=seed, folds=folds, blend=blend, **given)
        require_writable(out)
        _use_threads(threads)
        arrays = {"array": array, "lengths": lengths}
        found, columns, source = _recordings(data, label, series, time, channel, group, arrays)
        other, _, other_source = (
            (None, None, None)
            if validation is None
            else _recordings(validation, label, series, time, channel, None, arrays)
        )

        def train(checkpoint: Path) -> object:
            return task.fit(
                found,
                **columns,
                validation=other,
                checkpoint=checkpoint,
                resume=resume,
                source=source,
                validation_source=other_source,
            )

        fit_and_save(task, train, out, resume=resume)
        _show_fitted(task.report, out, json)


@app.command()
def predict(
    model: Model,
    data: Annotated[
        Path | None, typer.Argument(help="The rows to apply the model to; of a forecaster, the history.")
    ] = None,
    future: Annotated[Path | None, typer.Option(help="A table of the columns that are known in advance.")] = None,
    array: Array = None,
    lengths: Lengths = None,
    out: Annotated[Path | None, typer.Option(help="A .csv, .tsv, .parquet or .jsonl; else CSV is printed.")] = None,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Apply a model: forecast what follows the last row of each series, or classify each row."""
    with failing_plainly(debug):
        from .output import as_csv, as_rows, check_table_path, print_json, write_table
        from .starting import load_task

        if out is not None:
            check_table_path(out, data, future)
        task = load_task(model, threads)
        arrays = _given(array=array, lengths=lengths)
        if task.rows_at_once is not None and data is not None and future is None and out is not None and not arrays:
            from .predicting import in_batches

            _note_written(in_batches(task, data, out), out, json)
            return
        options: dict[str, Any] = {}
        table = None
        if data is not None:
            table, options = task.open_file(data, arrays=arrays)
        if future is not None:
            options["future"], beside = task.open_file(future)
            options["future_source"] = beside["source"]
        _require_options(task, "predict", options)
        frame: pl.DataFrame = task.predict(table, **options)
        if out is not None:
            write_table(frame, out)
            _note_written(len(frame), out, json)
        elif json:
            print_json(as_rows(frame))
        else:
            typer.echo(as_csv(frame), nl=False)


@app.command()
def evaluate(
    model: Model,
    data: Data,
    start: Annotated[str | None, typer.Option(help="Where the first horizon may begin: a time of the table.")] = None,
    stride: Annotated[int | None, typer.Option(help="Steps from one window to the next; 1 unless given.")] = None,
    label: Annotated[str | None, typer.Option(help="The column or array of classes; by default, as trained.")] = None,
    group: Annotated[str | None, typer.Option(help="A column by whose values accuracy is shown.")] = None,
    array: Array = None,
    lengths: Lengths = None,
    report: Annotated[Path | None, typer.Option(help="An .html file to write the report to.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help="AutoETS or AutoTheta; may be given again.")] = None,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare the model with simple methods on the same rows."""
    with failing_plainly(debug):
        from sluicegate.errors import ConfigError

        from .output import print_json, show
        from .starting import load_task

        if report is not None and report.suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"`--report` (={report}) must end in .html: it is a page for the browser")
        task = load_task(model, threads)
        options = _given(start=start, stride=stride, labels=label, groups=group, baselines=baseline or None)
        _require_options(task, "evaluate", options)
        table, beside = task.open_file(
            data,
            groups=options.pop("groups", None),
            labelled=True,
            labels=options.pop("labels", None),
            arrays=_given(array=array, lengths=lengths),
        )
        result = task.evaluate(table, **options, **beside)
        if report is not None:
            result.to_html(report)
            note(f"wrote {report}")
        if json:
            print_json(result.as_dict())
        else:
            show(result)


@app.command()
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
            from .studying import show_claims

            show_claims(out, quick=quick, jobs=jobs, json=json)
            return
        from sluicegate.study.comparing import study as run_study
        from sluicegate.tasks.cells import LAYERS

        from .output import as_rows, print_json, show
        from .studying import columns_and_knobs

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


@app.command()
def info(json: Json = False, debug: Debug = False) -> None:
    """Tell what is installed, and what the processor can do."""
    with failing_plainly(debug):
        from .information import facts, show_facts
        from .output import print_json

        if json:
            print_json(facts())
        else:
            show_facts(facts())


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder for the model and the report.")] = Path("sluicegate-demo"),
    debug: Debug = False,
) -> None:
    """Learn a sine wave, then forecast Seattle's weather: a minute or so."""
    with failing_plainly(debug):
        from .demo import run

        run(out)


def _show_fitted(report: Report | None, out: Path, json: bool) -> None:
    from .output import print_json, show

    assert report is not None
    if json:
        print_json({"model": str(out), "report": report.as_dict()})
    else:
        show(report)
        note(f"saved to {out}")


def _note_written(rows: int, out: Path, json: bool) -> None:
    from .output import print_json

    note(f"wrote {rows} rows to {out}")
    if json:
        print_json({"out": str(out), "rows": rows})


def _require_options(task: Task, verb: str, given: Iterable[str]) -> None:
    """Refuse options that are another task's."""
    from sluicegate.errors import ConfigError

    known = inspect.signature(getattr(task, verb)).parameters
    for name in given:
        if name not in known:
            raise ConfigError(
                f"`{_OPTIONS.get(name, f'--{name}')}` is no option for a model of the task {task.name}: leave it out"
            )


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _table(path: Path, task: type[Task], columns: Mapping[str, Any]) -> tuple[pl.DataFrame, Source]:
    from sluicegate.data import read_table, source_of

    return read_table(path, task.as_written(columns)), source_of(path)


def _recordings(
    path: Path,
    label: str,
    series: list[str] | None,
    time: str | None,
    channels: list[str] | None,
    group: str | None,
    arrays: dict[str, str | None],
) -> tuple[Any, dict[str, Any], Source]:
    """Recordings or a table of them, what `fit` is told of its columns, and what it is called."""
    from sluicegate.data import RECORDING_FILES, Source, read_recordings, require_no_arrays
    from sluicegate.errors import ConfigError
    from sluicegate.tasks import SeriesClassifier

    require_no_arrays(path, arrays)
    if path.suffix.lower() not in RECORDING_FILES:
        columns = {"labels": label, "series": series, "time": time, "channels": channels, "groups": group}
        table, source = _table(path, SeriesClassifier, columns)
        return table, columns, source
    for option, value in (("--series", series), ("--time", time), ("--channel", channels)):
        if value:
            raise ConfigError(f"`{option}` names a column, and {path.name} is no table: leave it out")
    return read_recordings(path, label=label, group=group, **arrays), {}, Source(path.name)

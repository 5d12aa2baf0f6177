"""`sluicegate evaluate`: a model beside simple methods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly, note
from ..options import (
    Array,
    Data,
    Debug,
    Json,
    Lengths,
    Model,
    PoseModel,
    Precision,
    Threads,
    given_only,
    require_options,
)


def evaluate(
    model: Model,
    data: Data,
    start: Annotated[str | None, typer.Option(help="Where the first horizon may begin: a time of the table.")] = None,
    stride: Annotated[int | None, typer.Option(help="Steps from one window to the next; 1 unless given.")] = None,
    label: Annotated[str | None, typer.Option(help="The column or array of classes; by default, as trained.")] = None,
    group: Annotated[str | None, typer.Option(help="A column by whose values accuracy is shown.")] = None,
    noise: Annotated[
        Path | None, typer.Option(help="A folder of recordings of noise that a transcriber is evaluated in.")
    ] = None,
    detections: Annotated[
        Path | None, typer.Option(help="A folder with the boxes of the detector that a tracker follows.")
    ] = None,
    pose_model: PoseModel = None,
    array: Array = None,
    lengths: Lengths = None,
    report: Annotated[Path | None, typer.Option(help="An .html file to write the report to.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help="AutoETS or AutoTheta; may be given again.")] = None,
    cache: Annotated[int | None, typer.Option(help="Tokens that a language model remembers; 0 unless given.")] = None,
    dynamic: Annotated[
        float | None, typer.Option(help="The rate at which a language model goes on learning; 0 unless given.")
    ] = None,
    precision: Precision = None,
    threads: Threads = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare the model with simple methods on the same rows."""
    with failing_plainly(debug):
        from sluicegate.errors import ConfigError

        from ..output import print_json, show
        from ..starting import load_task

        if report is not None and report.suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"`--report` (={report}) must end in .html: it is a page for the browser")
        task = load_task(model, threads, precision)
        options = given_only(
            start=start,
            stride=stride,
            labels=label,
            groups=group,
            noise=noise,
            detections=detections,
            baselines=baseline or None,
            cache=cache,
            dynamic=dynamic,
            pose_model=pose_model,
        )
        require_options(task, "evaluate", options)
        table, beside = task.open_file(
            data,
            groups=options.pop("groups", None),
            labelled=True,
            labels=options.pop("labels", None),
            arrays=given_only(array=array, lengths=lengths),
        )
        result = task.evaluate(table, **options, **beside)
        if report is not None:
            result.to_html(report)
            note(f"wrote {report}")
        if json:
            print_json(result.as_dict())
        else:
            show(result)

"""`sluicegate export`: a saved model as C, WebAssembly or an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly
from ..options import Debug, Json


def export(
    model: Annotated[
        Path, typer.Argument(help="The folder of a saved model, or a .keras or .h5 file that Keras has saved.")
    ],
    to: Annotated[str, typer.Option(help="What to write: c, wasm or onnx.")],
    out: Annotated[Path, typer.Option(help="The folder that the files go to.")],
    name: Annotated[str, typer.Option(help="What the files, and in C all names in them, begin with.")] = "model",
    precision: Annotated[str, typer.Option(help="Of the recurrent weights: fp32 or int8.")] = "fp32",
    series: Annotated[
        str | None, typer.Option(help="Of a forecaster of several series, the one that is written.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a model down for machines without Python: plain C, WebAssembly with a page, or an ONNX file."""
    with failing_plainly(debug):
        from sluicegate.export import export as write

        from ..output import print_json

        written = write(model, to, out, name=name, precision=precision, series=series)
        files = [str(path) for path in written.pop("files")]
        if json:
            print_json({"files": files, **written})
            return
        for file in files:
            typer.echo(file)
        for what, number in written.items():
            typer.echo(f"{what.replace('_', ' ')}: {number:,}")

"""`sluicegate demo`: a first look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..failures import failing_plainly
from ..options import Debug


def demo(
    out: Annotated[Path, typer.Option(help="The folder for the model and the report.")] = Path("sluicegate-demo"),
    debug: Debug = False,
) -> None:
    """Learn a sine wave, then forecast Seattle's weather: a minute or so."""
    with failing_plainly(debug):
        from ..demo import run

        run(out)

"""`sluicegate pose`: the models that find skeletons in videos."""

from __future__ import annotations

from typing import Annotated

import typer

from ..failures import failing_plainly
from ..options import Debug


def pose(
    action: Annotated[
        str, typer.Argument(help="`fetch`: take the models from a wheel on PyPI, once.", metavar="fetch")
    ],
    debug: Debug = False,
) -> None:
    """Fetch the models that find skeletons in videos, by pip: they are under the Apache licence 2.0."""
    with failing_plainly(debug):
        from sluicegate.data.pose.fetching import fetch
        from sluicegate.errors import ConfigError

        if action != "fetch":
            raise ConfigError(f"{action!r} is nothing that `sluicegate pose` does: expected `sluicegate pose fetch`")
        typer.echo(str(fetch()))

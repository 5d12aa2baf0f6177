"""`sluicegate info`: what is installed."""

from __future__ import annotations

from ..failures import failing_plainly
from ..options import Debug, Json


def info(json: Json = False, debug: Debug = False) -> None:
    """Tell what is installed, and what the processor can do."""
    with failing_plainly(debug):
        from ..information import facts, show_facts
        from ..output import print_json

        if json:
            print_json(facts())
        else:
            show_facts(facts())

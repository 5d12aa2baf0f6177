"""For pytest's `-p`: whatever is tested runs within `sluicegate.accelerated()`."""

from __future__ import annotations

from typing import Any

import sluicegate

_block: Any = sluicegate.accelerated(log=False)
_summary = _block.__enter__()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what ran."""
    terminalreporter.write_line(f"sluicegate: {_summary}")


def pytest_unconfigure() -> None:
    """End the block."""
    _block.__exit__(None, None, None)

"""The study from the command line: which option of which task is what to `fit` and to the task's knobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.errors import ConfigError
from sluicegate.study.running import TASKS

# How each option is called by the task's `fit`; `horizon` and `context` are knobs.
_COLUMNS = {
    "forecast": ("time", "target", "series", "known", "past"),
    "classify-text": ("text", "label", "group"),
    "classify-series": ("series", "time", "label", "channel", "group"),
}
_ARGUMENTS = {"group": "groups", "channel": "channels"}
_KNOBS = {"forecast": ("horizon", "context"), "classify-text": (), "classify-series": ()}


def columns_and_knobs(
    task: str, given: Mapping[str, Any], settings: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `fit` is told of the data, and the knobs of the task.

    Args:
        task: its name.
        given: options by name, None where one was not given.
        settings: further knobs as `NAME=VALUE`.

    Raises:
        ConfigError: an option is another task's, or a setting is none.
    """
    if task not in TASKS:
        raise ConfigError(f"`--task` (={task!r}) must be among {', '.join(TASKS)}")
    columns: dict[str, Any] = {}
    knobs: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _KNOBS[task]:
            knobs[name] = value
        elif name in _COLUMNS[task]:
            columns["labels" if (task, name) == ("classify-series", "label") else _ARGUMENTS.get(name, name)] = value
        else:
            raise ConfigError(f"`--{name}` is no option of the task {task}: leave it out")
    for setting in settings:
        name, found, value = setting.partition("=")
        if not found:
            raise ConfigError(f"`--set` (={setting!r}) must be a knob and its value, such as hidden=32")
        knobs[name] = _value(value)
    return columns, knobs


def _value(text: str) -> Any:
    """A number, a truth value or none as JSON writes it; all else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text

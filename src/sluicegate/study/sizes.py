"""How many units give a cell as many weights as another one has."""

from __future__ import annotations

from typing import Any

import torch

from sluicegate.nn.layers import LAYERS
from sluicegate.tasks.config import TaskConfig
from sluicegate.tasks.registry import task_class


def weights_of(task: str, cell: str, hidden: int, knobs: dict[str, Any]) -> int:
    """The weights of a task's recurrent layers.

    Args:
        task: its name.
        cell: its kind of layer.
        hidden: units.
        knobs: the task's further settings.
    """
    config = _config(task, **{**knobs, "hidden": hidden})
    with torch.device("meta"):  # sizes alone, no memory
        layer = LAYERS[cell](config.reads, hidden, getattr(config, "layers", 1), bidirectional=config.both_ways)
    return sum(weight.numel() for weight in layer.parameters())


def _config(task: str, **knobs: Any) -> TaskConfig:
    """The settings of a task, whatever else it needs to be told."""
    kind: type[TaskConfig] = task_class(task).config_class
    return kind.model_construct(**knobs)


def default_hidden(task: str) -> int:
    """The units that a task has unless told otherwise; where these follow the data, those of much of it."""
    return _config(task).units


def equal_hidden(task: str, cell: str, weights: int, knobs: dict[str, Any]) -> int:
    """The units with which a cell comes nearest to a number of weights."""
    below, above = 1, 2
    while weights_of(task, cell, above, knobs) < weights:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        if weights_of(task, cell, middle, knobs) < weights:
            below = middle
        else:
            above = middle
    return min((below, above), key=lambda hidden: abs(weights_of(task, cell, hidden, knobs) - weights))

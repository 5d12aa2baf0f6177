"""How many units give a cell as many weights as another one has."""

from __future__ import annotations

from typing import Any

import torch

from sluicegate.nn.layers import LAYERS
from sluicegate.tasks.classify_text.training import UNITS
from sluicegate.tasks.registry import task_class


def weights_of(task: str, cell: str, hidden: int, knobs: dict[str, Any]) -> int:
    """The weights of a task's recurrent layers.

    Args:
        task: its name.
        cell: its kind of layer.
        hidden: units.
        knobs: the task's further ones.
    """
    layers = int(knobs.get("layers", 1))
    reads = int(knobs.get("embedding") or 100) if task == "classify-text" else hidden
    with torch.device("meta"):  # sizes alone, no memory
        layer = LAYERS[cell](reads, hidden, layers, bidirectional=task != "forecast")
    return sum(weight.numel() for weight in layer.parameters())


def default_hidden(task: str, knobs: dict[str, Any]) -> int:
    """The units that a task has unless told otherwise; where these follow the data, those of much of it."""
    return int(task_class(task)(**knobs).config.hidden or UNITS)


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

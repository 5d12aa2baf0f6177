"""Where objects go next, from where they were."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from sluicegate.data.boxes import require_boxes
from sluicegate.errors import ConfigError, DataError

from .examples import LONGEST
from .geometry import centred, changed, cornered, sizes
from .running import Mind
from .values import step_values


class Forecast(NamedTuple):
    """Where objects are expected."""

    boxes: Float64[np.ndarray, "*objects steps 4"]
    """x and y of the upper left corner, width and height."""
    spread: Float64[np.ndarray, "*objects steps 2"]
    """The mean distance, in pixels, that the centre may be off, across and down."""


def forecast(mind: Mind, history: Any, steps: int, every: float | int) -> Forecast:
    """Where objects are expected at later times.

    Args:
        mind: the networks.
        history: the boxes of an object, `[time 4]`, or of several, `[objects time 4]`.
        steps: to forecast.
        every: seconds between boxes.

    Raises:
        DataError: the history is no such array, or a box is none.
        ConfigError: `steps` or `every` is out of its range.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ConfigError(f"`steps` (={steps!r}) must be a whole number from 1 up")
    if not 0 < every <= 60:
        raise ConfigError(f"`every` (={every!r}) must be seconds above 0, and at most 60")
    if steps * every > 2 * LONGEST:
        raise ConfigError(
            f"`steps` (={steps}) of {every:g} s reach {steps * every:g} s ahead: the model looks {2 * LONGEST:g} s "
            "ahead at most"
        )
    boxes = np.asarray(history, np.float64)
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4 or boxes.shape[-2] < 2:
        raise DataError(
            f"the history is of the shape {boxes.shape}: expected [time 4] or [objects time 4], with x, y, width and "
            "height of two times at least"
        )
    require_boxes(boxes.reshape(-1, 4), lambda row: f"row {row} of the history")
    seen = centred(boxes if boxes.ndim == 3 else boxes[None])
    inner = _read(mind, seen, every)
    ahead = every * np.arange(1, steps + 1)
    found = [mind.ahead(inner, np.full(len(seen), seconds)) for seconds in ahead]
    expected = np.stack([cornered(changed(seen[:, -1], by)) for by, _ in found], axis=1)
    spread = np.stack([np.exp(scales[:, :2]) * sizes(seen[:, -1])[:, None] for _, scales in found], axis=1)
    return Forecast(*((expected, spread) if boxes.ndim == 3 else (expected[0], spread[0])))


def _read(mind: Mind, seen: np.ndarray, every: float) -> np.ndarray:
    """What the head makes of the states after all boxes."""
    states = mind.zeros(len(seen))
    for step in range(seen.shape[1]):
        before = seen[:, max(0, step - 1)]
        seconds = np.full(len(seen), every if step else 0.0)
        inner, states = mind.read(step_values(before, seen[:, step], seconds, np.ones(len(seen))), states)
    return inner

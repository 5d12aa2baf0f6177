"""What is exported of a forecaster: one series of it, with its scale, its calendar and its calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

from sluicegate.errors import ConfigError
from sluicegate.runtime.forecast.forecaster import Forecaster
from sluicegate.runtime.forecast.past import Key
from sluicegate.runtime.forecast.trained import Series


@dataclass(frozen=True)
class Forecast:
    """A series of a forecaster, beside its embedding, its recurrent layers and its head.

    Args:
        trained: the forecaster, as the runtime has it.
        key: what names the series.
        series: what is known of it.
        next: the tick of the row that follows those of training.
        place: of each future segment, 32-bit floats `[after hidden]`.
        query: what maps what is known in advance of it, `[hidden values]`; None where nothing is.
        shortcut: the linear map from the context to the horizon, `[horizon context]`.
        effect: of each column known in advance, `[known]`.
    """

    trained: Forecaster
    key: Key
    series: Series
    next: int
    place: ndarray
    query: ndarray | None
    shortcut: ndarray
    effect: ndarray

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of a step's numbers: a row, and what is known in advance of each row of the horizon."""
        trained = self.trained
        ahead = (f"{name}+{step}" for name in trained.known for step in range(1, trained.shape.horizon + 1))
        return (*trained.columns, *ahead)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what is answered: of each target and row of the horizon, the mean and the quantiles."""
        trained = self.trained
        parts = ("mean", *(f"q{100 * q:g}" for q in trained.quantiles))
        steps = range(1, trained.shape.horizon + 1)
        return tuple(f"{target}+{step} {part}" for target in trained.targets for step in steps for part in parts)

    def multiply_adds(self, embed: int, layers: int, head: int) -> int:
        """Of a forecast, where its parts take so many."""
        shape = self.trained.shape
        query = 0 if self.query is None else self.query.size
        network = shape.before * (embed + layers) + shape.after * (layers + query + head) + self.shortcut.size
        return len(self.trained.targets) * network


def of_series(trained: Forecaster, arrays: Mapping[str, ndarray], named: Any) -> Forecast:
    """A series of a forecaster.

    Args:
        trained: the forecaster.
        arrays: its weights.
        named: what names the series, a tuple where several columns do, or their values with commas between; None is the
            only one.

    Raises:
        ConfigError: there is no such series, or there are several and none is named.
    """
    keys = trained.keys
    asked = named if isinstance(named, tuple) else (named,)
    found = [key for key in keys if named is None or key == asked or ",".join(map(str, key)) == named]
    if len(found) != 1:
        some = ", ".join(repr(one[0] if len(one) == 1 else one) for one in keys[:5])
        raise ConfigError(
            f"`series` (={named!r}) must name one of the {len(keys)} series that the forecaster was trained on, such "
            f"as {some}: each has a scale of its own, and one is exported"
        )
    (key,) = found
    tail = trained.tails[key]
    return Forecast(
        trained=trained,
        key=key,
        series=trained.series(key, tail.values),
        next=tail.start + tail.values.shape[1] * trained.clock.step,
        place=arrays["place"],
        query=arrays.get("query.weight"),
        shortcut=arrays["shortcut"],
        effect=arrays["effect"],
    )

"""What the files of a saved forecaster must hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import Field, RootModel

from sluicegate import bundle
from sluicegate.data.hours import MOST, WEEK
from sluicegate.tasks.config import listed
from sluicegate.tasks.restoring import Count, CurveSchema, Few, Saved, Share, Size, Text, damaged, read_json, require
from sluicegate.types import Cell

from .config import ForecasterConfig

SERIES, ARRAYS = "series.json", "scaler.safetensors"
_LARGEST = 1e35  # of values; the data that is read in is held to 1e30

Moment = Annotated[int, Field(gt=-(2**53), lt=2**53)]
Number = Annotated[int, Field(gt=-(2**40), lt=2**40)]
"""Of a moment of open hours."""
Name = str | Annotated[int, Field(ge=-(2**63), lt=2**64)]


class _Columns(Saved):
    time: Text
    targets: Annotated[list[Text], Field(min_length=1)]
    series: Text | list[Text] | None
    past: list[Text]
    known: list[Text]


class _Hours(Saved):
    opens: Annotated[list[Moment], Field(min_length=1)]
    closed: list[tuple[Number, Number]]


class _Axis(Saved):
    kind: Literal["integer", "clock", "month", "open"]
    step: Annotated[int, Field(ge=1, lt=2**53)]
    zone: Text | None
    unit: Literal["int", "date", "ms", "us", "ns"]
    wall: bool
    anchor: Moment
    month_end: bool
    hours: _Hours | None = None


class _Shape(Saved):
    context: Size
    horizon: Size
    segment: Size
    past: Count
    known: Count
    calendar: Count
    outputs: Size
    median: Count
    cell: Cell
    hidden: Size
    layers: Few
    dropout: Share


class _Config(Saved):
    settings: ForecasterConfig
    columns: _Columns
    axis: _Axis
    season: Size
    periods: list[tuple[Annotated[int, Field(ge=1, lt=2**53)], Annotated[int, Field(ge=1, le=64)]]]
    shape: _Shape
    quantiles: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=3)]
    curve: CurveSchema
    frame: Literal["pandas", "pyarrow", "polars"] = "polars"


class _Names(RootModel[list[Name | list[Name]]]):
    pass


def require_forecaster(saved: bundle.Bundle, arrays: Mapping[str, np.ndarray]) -> None:
    """Hold the JSON files and the arrays of a forecaster to what they must be.

    Raises:
        BundleError: they are not.
    """
    config = read_json(saved, bundle.CONFIG, _Config)
    _require_agreement(saved, config)
    columns, shape = config.columns, config.shape
    series, targets = _series(saved, columns.series), len(columns.targets)
    others = len(columns.past) + len(columns.known)
    far = 2.0**53 if config.axis.kind == "integer" else 120_000.0 if config.axis.kind == "month" else 2.5e17

    def hold(name: str, *sizes: int | None, **limits: Any) -> None:
        require(saved, ARRAYS, arrays, name, sizes, **{"least": -_LARGEST, "most": _LARGEST, **limits})

    for name in ("trained", "ends"):
        hold(name, series, kind=np.int64, least=-far, most=far)
    hold("mean", series, targets)
    for name in ("unit", "knee", "deviation", "naive_scale"):
        hold(name, series, targets, least=0.0)
    hold("covariate_mean", 1, others)
    hold("covariate_deviation", 1, others, least=0.0)
    hold("widths", shape.horizon, len(config.quantiles), least=0.0)
    hold("tail", targets + others, None)
    rows = arrays["tail"].shape[1]
    if "tail_lengths" in arrays:
        hold("tail_lengths", series, kind=np.int64, least=1.0, most=float(rows))
    lengths = arrays.get("tail_lengths", np.full(series, rows // series))
    if int(lengths.sum()) != rows or rows < series:
        raise damaged(saved, ARRAYS, "the last rows are not those of the series")
    if "least" in arrays:
        hold("least", series, targets, least=-np.inf, most=0.0)
        hold("zeros", series, targets, least=0.0)
        hold("grain", series, targets, least=0.0, most=1.0)
    if "naive_share" in arrays:
        hold("naive_share", series, targets, 2, least=0.0, most=1.0)
    if "gain" in arrays:
        hold("gain", series, targets, least=0.0, most=1e6)
    if "linear" in arrays:
        hold("linear", shape.horizon, shape.context, kind=np.float32)
    if "future" in arrays:
        hold("future", len(columns.known), None)
        hold("future_series", None, kind=np.int64, least=0.0, most=float(series - 1))
        count = len(arrays["future_series"])
        hold("future_starts", count, kind=np.int64, least=-far, most=far)
        hold("future_bounds", count + 1, kind=np.int64, least=0.0)
        bounds, rows = arrays["future_bounds"], arrays["future"].shape[1]
        whole = bounds[0] == 0 and bounds[-1] == rows and (np.diff(bounds) > 0).all()
        if not whole or len(np.unique(arrays["future_series"])) < count:
            raise damaged(saved, ARRAYS, "the rows of the future are not those of the series")


def _series(saved: bundle.Bundle, columns: str | list[str] | None) -> int:
    """How many series there are, each with a name for every column that tells them apart."""
    names = saved.json(SERIES)
    try:
        names = _Names.model_validate(names, strict=True).root
        json.dumps(names, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except ValueError as error:
        raise damaged(saved, SERIES, "it is no list of series") from error
    if columns is None and names != [""]:
        raise damaged(saved, SERIES, "a table without a column of series has one, without a name")
    sizes = {len(name) if isinstance(name, list) else None for name in names}
    if sizes != {len(columns) if isinstance(columns, list) else None}:
        raise damaged(saved, SERIES, "its names are not those of the columns that tell series apart")
    keys = [tuple(name) if isinstance(name, list) else (name,) for name in names]
    if len(set(keys)) < len(keys) or any(len(set(map(type, column))) > 1 for column in zip(*keys, strict=True)):
        raise damaged(saved, SERIES, "it is no list of different series")
    return len(names)


def _is_zone(name: str | None) -> bool:
    try:
        pl.Series([0]).cast(pl.Datetime("us", name))
    except pl.exceptions.PolarsError:
        return False
    return True


def _hold_together(hours: _Hours) -> bool:
    moments, closed = hours.opens, [number for ranges in hours.closed for number in ranges]
    ascend = all(a < b for numbers in (moments, closed) for a, b in pairwise(numbers))
    # Holidays are counted one by one: a century of weekends, a row a minute, has 15 million.
    few = sum(end - begin for begin, end in hours.closed) < 2**24
    return ascend and few and len(moments) <= MOST and moments[0] >= 0 and moments[-1] < WEEK


def _require_agreement(saved: bundle.Bundle, config: _Config) -> None:
    """What the parts of `config.json` say of one another."""
    columns, shape, quantiles = config.columns, config.shape, config.quantiles
    roles = [columns.time, *columns.targets, *columns.past, *columns.known, *listed(columns.series)]
    for wrong, why in (
        (len(set(roles)) < len(roles), "a column has two roles"),
        (shape.horizon != config.settings.horizon, "`horizon` is told twice, differently"),
        (shape.past != len(columns.past) or shape.known != len(columns.known), "the network has other columns"),
        (shape.calendar != 2 * sum(count for _, count in config.periods), "the network has another calendar"),
        (
            sorted(set(quantiles)) != quantiles or not {0.1, 0.5, 0.9} <= set(quantiles),
            "the quantiles are not in order",
        ),
        (shape.outputs != 1 + len(quantiles), "the network has other quantiles"),
        (shape.median != 1 + quantiles.index(0.5) if 0.5 in quantiles else True, "the median is another quantile"),
        (shape.segment > shape.context + shape.horizon, "a segment is longer than what it is of"),
        ((config.axis.kind == "integer") != (config.axis.unit == "int"), "the times are of no such unit"),
        (config.axis.unit == "date" and config.axis.zone is not None, "dates have no time zone"),
        ((config.axis.kind == "open") > (config.axis.hours is not None), "there are no open hours"),
        (config.axis.hours is not None and not _hold_together(config.axis.hours), "there are no such open hours"),
        (not _is_zone(config.axis.zone), "there is no such time zone"),
    ):
        if wrong:
            raise damaged(saved, bundle.CONFIG, why)

"""What training leaves behind, and its form on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from safetensors.numpy import save as save_arrays

from sluicegate import bundle
from sluicegate.data import Panel, Scaler, TimeAxis
from sluicegate.training import Curve

from .batches import Calendar, Columns, Scalers
from .config import ForecasterConfig
from .model import SegmentForecaster, Shape


@dataclass(frozen=True)
class Fitted:
    """The model and all that its use needs beside a table.

    Args:
        columns: the roles of the columns.
        names: the series, in the order of their numbers.
        trained: for each series, the tick of the last row that the weights were trained on.
        ends: for each series, the tick of the last row that was seen at all, validation included.
        season: steps in a season.
        calendar: the time axis and the calendar features.
        scalers: means and deviations of the training rows.
        deviation: standard deviation of each series' training rows, in the target's unit.
        naive_scale: mean absolute change over a season in the rows seen, by which MASE divides.
        naive_deviation: root mean square of that change in the training rows.
        shape: the network's sizes.
        quantiles: what is forecast beside the mean.
        widths: factors that calibrate each quantile's distance from the median.
        tail: the last rows of each series, from which a forecast goes on.
        curve: the learning curve.
        model: the network.
    """

    columns: Columns
    names: tuple[Any, ...]
    trained: Int64[np.ndarray, " series"]
    ends: Int64[np.ndarray, " series"]
    season: int
    calendar: Calendar
    scalers: Scalers
    deviation: Float64[np.ndarray, "series targets"]
    naive_scale: Float64[np.ndarray, "series targets"]
    naive_deviation: Float64[np.ndarray, "series targets"]
    shape: Shape
    quantiles: tuple[float, ...]
    widths: Float64[np.ndarray, "horizon quantiles"]
    tail: Panel
    curve: Curve
    model: SegmentForecaster

    @property
    def axis(self) -> TimeAxis:
        """The time axis that every table must be on."""
        return self.calendar.axis

    def files(self, config: ForecasterConfig, version: str) -> dict[str, bytes]:
        """The files of the saved model, without those for people."""
        targets, covariates = self.scalers
        settings = {
            "schema": bundle.SCHEMA,
            "task": "forecast",
            "sluicegate": version,
            "settings": config.model_dump(mode="json"),
            "columns": asdict(self.columns),
            "axis": asdict(self.axis),
            "season": self.season,
            "periods": [list(period) for period in self.calendar.periods],
            "shape": asdict(self.shape),
            "quantiles": list(self.quantiles),
            "curve": asdict(self.curve),
        }
        tail = [self.tail.columns[name] for name in self.columns.values]
        arrays = {
            "trained": self.trained,
            "ends": self.ends,
            "mean": targets.mean,
            "unit": targets.deviation,
            "knee": targets.knee,
            "deviation": self.deviation,
            "covariate_mean": covariates.mean,
            "covariate_deviation": covariates.deviation,
            "naive_scale": self.naive_scale,
            "naive_deviation": self.naive_deviation,
            "widths": self.widths,
            "tail": np.stack(tail),
        }
        weights = {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}
        return {
            bundle.CONFIG: json.dumps(settings, indent=1).encode(),
            "series.json": json.dumps(list(self.names)).encode(),
            "weights.safetensors": save_arrays({n: np.ascontiguousarray(a) for n, a in weights.items()}),
            "scaler.safetensors": save_arrays({n: np.ascontiguousarray(a) for n, a in arrays.items()}),
        }

    @classmethod
    def from_bundle(cls, saved: bundle.Bundle) -> tuple[Fitted, ForecasterConfig]:
        """What `files` wrote."""
        settings = saved.json(bundle.CONFIG)
        config = ForecasterConfig(**settings["settings"])
        roles = settings["columns"]
        columns = Columns(
            roles["time"], tuple(roles["targets"]), roles["series"], tuple(roles["past"]), tuple(roles["known"])
        )
        names = tuple(saved.json("series.json"))
        axis = TimeAxis(**settings["axis"])
        shape = Shape(**settings["shape"])
        arrays = saved.tensors("scaler.safetensors")
        weights = {name: torch.from_numpy(array) for name, array in saved.tensors("weights.safetensors").items()}
        _require_fitting(shape, weights)
        model = SegmentForecaster(shape)
        model.load_state_dict(weights)
        model.eval()
        ends = arrays["ends"]
        rows = arrays["tail"].shape[1] // len(names)
        tail = Panel(
            axis,
            names,
            np.arange(len(names) + 1) * rows,
            ends - (rows - 1) * axis.step,
            dict(zip(columns.values, arrays["tail"], strict=True)),
            {},
        )
        fitted = cls(
            columns=columns,
            names=names,
            trained=arrays["trained"],
            ends=ends,
            season=settings["season"],
            calendar=Calendar(axis, tuple((period, count) for period, count in settings["periods"])),
            scalers=Scalers(
                Scaler(columns.targets, arrays["mean"], arrays["unit"], arrays["knee"]),
                Scaler(
                    columns.past + columns.known,
                    arrays["covariate_mean"],
                    arrays["covariate_deviation"],
                    np.zeros_like(arrays["covariate_mean"]),
                ),
            ),
            deviation=arrays["deviation"],
            naive_scale=arrays["naive_scale"],
            naive_deviation=arrays["naive_deviation"],
            shape=shape,
            quantiles=tuple(settings["quantiles"]),
            widths=arrays["widths"],
            tail=tail,
            curve=Curve(**settings["curve"]),
            model=model,
        )
        return fitted, config


def _require_fitting(shape: Shape, weights: dict[str, torch.Tensor]) -> None:
    """Compare the sizes asked for with those of the weights, before memory is taken for them."""
    expected = {
        "place": (shape.after, shape.hidden),
        "shortcut": (shape.horizon, shape.context),
        "cell.weight_ih_l0": (None, shape.hidden),
    }
    for name, sizes in expected.items():
        found = tuple(weights[name].shape)
        if len(found) != len(sizes) or any(a not in (None, b) for a, b in zip(sizes, found, strict=True)):
            raise ValueError(f"{name} is of shape {found}, where config.json says {sizes}")

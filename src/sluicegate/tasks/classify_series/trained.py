"""What training leaves behind, its use, and its form on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from safetensors.numpy import save as save_arrays
from torch import nn

from sluicegate import bundle
from sluicegate.data import Recordings
from sluicegate.tasks.classification.batches import logits_in_batches
from sluicegate.tasks.classification.decision import Decision, Said
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.restoring import restored
from sluicegate.training import Curve

from .baselines import METHODS, Method
from .causal import CausalMember
from .config import SeriesClassifierConfig
from .minirocket import MiniRocket, has_minirocket
from .model import Ensemble, Shape
from .running import Reader
from .schema import require_series_classifier
from .windows import Standard, Windowed

_STEPS = 16_384  # of a batch in prediction, at most
_EARLY = (0.25, 0.5)
_CAUSAL_STEPS = 4_096  # likewise, where all that is pooled after every step is kept


@dataclass(frozen=True)
class Columns:
    """The columns of a long table; all but the channels are None where recordings came as arrays.

    Args:
        channels: of numbers.
        series: what tells recordings apart, several where their names together do.
        time: of times.
        label: of classes.
    """

    channels: tuple[str, ...]
    series: str | tuple[str, ...] | None = None
    time: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Trained:
    """The model and all that its use needs beside recordings.

    Args:
        columns: what a table's columns are.
        labels: the classes.
        standard: the mean and deviation of each channel.
        window: steps that are read at a time.
        shape: the sizes of the networks.
        model: the networks.
        decision: what makes answers of logits.
        rows: how many recordings training had.
        steps: how many steps these had.
        methods: the simple methods, trained on the same recordings.
        curve: the learning curve.
    """

    columns: Columns
    labels: Labels
    standard: Standard
    window: int
    shape: Shape
    model: Ensemble
    decision: Decision
    rows: int
    steps: int
    methods: tuple[Method, ...]
    curve: Curve

    def windowed(self, recordings: Recordings) -> Windowed:
        """Recordings as the networks read them: causal ones read them whole."""
        window = int(recordings.lengths.max()) if self.shape.causal else self.window
        return Windowed.of(recordings, self.standard, window)

    @property
    def causal_members(self) -> list[CausalMember]:
        """The networks that read one way."""
        return causal_in(self.model)

    @property
    def early_shares(self) -> tuple[float, ...]:
        """The shares of a recording after which causal networks are measured too."""
        return _EARLY if self.shape.causal else ()

    def simple(self, windowed: Windowed) -> dict[str, Said]:
        """What the simple methods say whose packages are installed."""
        return {
            method.name: method.probabilities(windowed.channels)
            for method in self.methods
            if method.name != MiniRocket.name or has_minirocket()
        }

    def probabilities(self, windowed: Windowed) -> Said:
        """The probability of each class, for each recording."""
        said = self.decision.calibrated(logits_of(self.model, windowed, np.arange(len(windowed.values))))
        if self.decision.blend is None:
            return said
        method = next(method for method in self.methods if method.name == self.decision.blend.name)
        return self.decision.mixed(said, method.probabilities(windowed.channels))

    def files(self, config: SeriesClassifierConfig, version: str) -> dict[str, bytes]:
        """The files of the saved model, without those for people."""
        settings = {
            "schema": bundle.SCHEMA,
            "task": "classify-series",
            "sluicegate": version,
            "settings": config.model_dump(mode="json"),
            "columns": asdict(self.columns),
            "classes": list(self.labels.classes),
            "window": self.window,
            "shape": asdict(self.shape),
            **self.decision.settings(),
            "rows": self.rows,
            "steps": self.steps,
            "methods": [method.name for method in self.methods],
            "curve": asdict(self.curve),
        }
        weights = {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}
        arrays: dict[str, Any] = {
            "mean": self.standard.mean,
            "deviation": self.standard.deviation,
            "prior": self.decision.prior,
        }
        for method in self.methods:
            arrays |= {f"{method.name}.{name}": array for name, array in method.arrays().items()}
        return {
            bundle.CONFIG: json.dumps(settings, indent=1).encode(),
            "weights.safetensors": save_arrays({n: np.ascontiguousarray(a) for n, a in weights.items()}),
            "arrays.safetensors": save_arrays({n: np.ascontiguousarray(a) for n, a in arrays.items()}),
        }

    @classmethod
    def from_bundle(cls, saved: bundle.Bundle) -> tuple[Trained, SeriesClassifierConfig]:
        """What `files` wrote."""
        arrays = saved.tensors("arrays.safetensors")
        require_series_classifier(saved, arrays)
        settings = saved.json(bundle.CONFIG)
        shape = Shape(**settings["shape"])
        roles: dict[str, Any] = {
            n: tuple(r) if isinstance(r, list) else r for n, r in dict(settings["columns"]).items()
        }
        columns = Columns(**roles)
        model = restored(saved, "weights.safetensors", lambda: Ensemble(shape))
        names = tuple(settings["methods"])
        methods = tuple(
            METHODS[name].restored(
                {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")},
                shape.classes,
            )
            for name in names
        )
        trained = cls(
            columns=columns,
            labels=Labels(columns.label or "label", tuple(settings["classes"])),
            standard=Standard(arrays["mean"], arrays["deviation"]),
            window=settings["window"],
            shape=shape,
            model=model,
            decision=Decision.from_settings(settings, arrays["prior"], names),
            rows=settings["rows"],
            steps=settings["steps"],
            methods=methods,
            curve=Curve(**settings["curve"]),
        )
        return trained, SeriesClassifierConfig(**settings["settings"])


def logits_of(
    model: nn.Module, windowed: Windowed, rows: Int64[np.ndarray, " rows"]
) -> Float64[np.ndarray, "rows classes"]:
    """The logits of some recordings, the mean over their windows; of causal networks, after the last step."""
    if causal := causal_in(model):
        return Reader(causal).at_the_end([windowed.values[row] for row in rows.tolist()], _CAUSAL_STEPS)
    windows = np.flatnonzero(np.isin(windowed.owner, rows))
    logits = logits_in_batches(model, windowed.batch, windows, windowed.lengths[windows], _STEPS)
    total = np.zeros((len(windowed.values), logits.shape[1]))
    np.add.at(total, windowed.owner[windows], logits)
    counts = np.bincount(windowed.owner, minlength=len(windowed.values))
    mean: Float64[np.ndarray, "rows classes"] = total[rows] / counts[rows, None]
    return mean


def causal_in(model: nn.Module) -> list[CausalMember]:
    """The networks that read one way, of several or of one; none where they read both ways."""
    return [module for module in model.modules() if isinstance(module, CausalMember)]

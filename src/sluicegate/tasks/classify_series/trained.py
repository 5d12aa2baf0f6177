"""What training leaves behind, its use, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64
from torch import nn

from sluicegate import bundle
from sluicegate.data import Recordings
from sluicegate.tasks.classification.batches import logits_in_batches
from sluicegate.tasks.classification.decision import Decision, Probabilities
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.minirocket import MiniRocket, Values, has_minirocket
from sluicegate.tasks.classification.trained import TrainedClassifier
from sluicegate.tasks.restoring import restored
from sluicegate.tasks.trained import WEIGHTS
from sluicegate.training import Curve

from .baselines import METHODS, Method
from .causal import CausalMember
from .config import SeriesClassifierConfig
from .model import Ensemble, Shape
from .running import reader_of
from .schema import require_series_classifier
from .windows import Standard, Windowed

_STEPS = 16_384  # of a batch in prediction, at most
_EARLY = (0.25, 0.5)
_CAUSAL_STEPS = 4_096  # likewise, where all that is pooled after every step is kept


@dataclass(frozen=True)
class Columns:
    """The columns of a long table; all but the channels are None where recordings came as arrays."""

    channels: tuple[str, ...]  # of numbers
    series: str | tuple[str, ...] | None = None  # what tells recordings apart, several where their names together do
    time: str | None = None  # of times
    label: str | None = None  # of classes


@dataclass(frozen=True)
class Trained(TrainedClassifier):
    """The model and all that its use needs beside recordings."""

    config: ClassVar[type[SeriesClassifierConfig]] = SeriesClassifierConfig

    columns: Columns  # what a table's columns are
    labels: Labels  # the classes
    standard: Standard  # the mean and deviation of each channel
    window: int  # steps that are read at a time
    shape: Shape  # the sizes of the networks
    model: Ensemble  # the networks
    decision: Decision  # what makes answers of logits
    rows: int  # how many recordings training had
    steps: int  # how many steps these had
    methods: tuple[Method, ...]  # the simple methods, trained on the same recordings
    curve: Curve  # the learning curve

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

    def network(self, inputs: Windowed) -> Probabilities:
        """The networks' calibrated probability of each class, for each recording."""
        return self.decision.calibrated(logits_of(self.model, inputs, np.arange(len(inputs.values))))

    def for_methods(self, inputs: Windowed) -> list[Values]:
        """The standardised recordings."""
        return inputs.channels

    def usable(self) -> Sequence[Method]:
        """The simple methods whose packages are installed."""
        return [method for method in self.methods if method.name != MiniRocket.name or has_minirocket()]

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
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

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays beside the weights."""
        arrays: dict[str, np.ndarray] = {
            "mean": self.standard.mean,
            "deviation": self.standard.deviation,
            "prior": self.decision.prior,
        }
        for method in self.methods:
            arrays |= {f"{method.name}.{name}": array for name, array in method.arrays().items()}
        return arrays

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        require_series_classifier(saved, arrays)
        settings = saved.json(bundle.CONFIG)
        shape = Shape(**settings["shape"])
        roles: dict[str, Any] = {n: tuple(r) if isinstance(r, list) else r for n, r in settings["columns"].items()}
        columns = Columns(**roles)
        model = restored(saved, WEIGHTS, lambda: Ensemble(shape))
        names = tuple(settings["methods"])
        methods = tuple(METHODS[name].restored(_of_method(name, arrays), shape.classes) for name in names)
        return cls(
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


def _of_method(name: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def logits_of(
    model: nn.Module, windowed: Windowed, rows: Int64[np.ndarray, " rows"]
) -> Float64[np.ndarray, "rows classes"]:
    """The logits of some recordings, the mean over their windows; of causal networks, after the last step."""
    if causal := causal_in(model):
        return reader_of(causal).at_the_end([windowed.values[row] for row in rows.tolist()], _CAUSAL_STEPS)
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

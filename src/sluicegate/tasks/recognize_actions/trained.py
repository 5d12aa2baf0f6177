"""What training leaves behind, its use, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64
from torch import nn

from sluicegate import bundle
from sluicegate.data.joint_layouts import layout_of
from sluicegate.data.skeletons import Clip
from sluicegate.tasks.classification.batches import logits_in_batches
from sluicegate.tasks.classification.decision import Decision, Probabilities
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.minirocket import MiniRocket, Values, has_minirocket
from sluicegate.tasks.classification.trained import TrainedClassifier
from sluicegate.tasks.restoring import restored
from sluicegate.tasks.trained import WEIGHTS
from sluicegate.training import Curve

from . import running
from .baselines import METHODS, Method
from .clips import Rows
from .config import ActionRecognizerConfig
from .features import Standard
from .model import Ensemble, causal_in
from .prepared import Prepared, Reader
from .schema import require_action_recognizer
from .shape import Shape

_STEPS = 8192  # of a batch in prediction, at most


@dataclass(frozen=True)
class Columns:
    """The columns of a table of clips."""

    path: str = "path"
    label: str = "label"


@dataclass(frozen=True)
class Trained(TrainedClassifier):
    """The model and all that its use needs beside clips."""

    config: ClassVar[type[ActionRecognizerConfig]] = ActionRecognizerConfig

    columns: Columns  # what a table's columns are
    labels: Labels  # the actions
    reader: Reader  # what makes features of clips
    asked: str | None  # the layout that was asked for
    standard: Standard  # the mean and deviation of each feature
    window: int  # the last steps that a stream reads where the networks read both ways
    shape: Shape  # the sizes of the networks
    model: Ensemble  # the networks
    decision: Decision  # what makes answers of logits
    rows: int  # how many clips training had
    steps: int  # how many steps these had
    methods: tuple[Method, ...]  # the simple methods, trained on the same clips
    curve: Curve  # the learning curve

    def prepared(self, clips: Sequence[Clip]) -> Prepared:
        """Clips as the networks read them."""
        return Prepared(self.reader, clips, self.standard)

    def network(self, inputs: Prepared) -> Probabilities:
        """The networks' calibrated probability of each class, for each clip."""
        return self.decision.calibrated(logits_of(self.model, inputs, np.arange(len(inputs))))

    def for_methods(self, inputs: Prepared) -> list[Values]:
        """The normalised skeletons."""
        return flat(inputs)

    def usable(self) -> Sequence[Method]:
        """The simple methods whose packages are installed."""
        return [method for method in self.methods if method.name != MiniRocket.name or has_minirocket()]

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "columns": asdict(self.columns),
            "classes": list(self.labels.classes),
            "layout": self.asked,
            "rate": self.reader.rate,
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
        require_action_recognizer(saved, arrays)
        settings = saved.json(bundle.CONFIG)
        shape = Shape(**settings["shape"])
        layout = layout_of(settings["layout"], shape.joints, shape.dimensions)
        reader = Reader(layout, shape.dimensions, settings["rate"], None if shape.causal else shape.frames)
        if reader.features.count != shape.features:
            raise ValueError(f"{reader.features.count} features are read of the skeletons, not {shape.features}")
        model = restored(saved, WEIGHTS, lambda: Ensemble(shape))
        names = tuple(settings["methods"])
        columns = Columns(**settings["columns"])
        return cls(
            columns=columns,
            labels=Labels(columns.label, tuple(settings["classes"])),
            reader=reader,
            asked=settings["layout"],
            standard=Standard(arrays["mean"], arrays["deviation"]),
            window=settings["window"],
            shape=shape,
            model=model,
            decision=Decision.from_settings(settings, arrays["prior"], names),
            rows=settings["rows"],
            steps=settings["steps"],
            methods=tuple(METHODS[name].restored(_of_method(name, arrays), shape.classes) for name in names),
            curve=Curve(**settings["curve"]),
        )


def _of_method(name: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


def flat(prepared: Prepared) -> list[Values]:
    """Normalised skeletons as channels; joints that were never seen are in the middle."""
    return [np.nan_to_num(clip.reshape(len(clip), -1)) for clip in prepared.normal]


def logits_of(model: nn.Module, prepared: Prepared, rows: Rows) -> Float64[np.ndarray, "rows classes"]:
    """The logits of some clips; of networks that read one way, after the last step."""
    if causal := causal_in(model):
        reader = running.Reader(causal)
        return np.concatenate([reader.read(prepared.onwards(row), reader.begin())[0][-1:] for row in rows.tolist()])
    assert prepared.reader.frames is not None
    lengths = np.full(len(rows), prepared.reader.frames)
    return logits_in_batches(model, prepared.batch, rows, lengths, _STEPS).astype(np.float64)

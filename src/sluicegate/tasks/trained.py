"""What training leaves behind: a value of JSON, arrays and weights, to and from the files of a saved model."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import save
from torch import nn

from sluicegate import bundle
from sluicegate.training import Curve

from .config import TaskConfig
from .precision import said
from .restoring import CurveSchema, Saved, read_json, restored

WEIGHTS = "weights.safetensors"


class TrainedModel(ABC):
    """A network and all that its use needs beside data.

    A subclass says what `config.json` and the arrays hold of it, holds what it reads back to its schema, and makes a
    value of that again.
    """

    arrays_file: ClassVar[str] = "arrays.safetensors"
    config: ClassVar[type[TaskConfig]]
    """The settings that it was trained with."""

    model: nn.Module

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays beside the weights."""

    def further_files(self) -> dict[str, bytes]:
        """Files of JSON beside `config.json`, by name."""
        return {}

    @classmethod
    @abstractmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> TrainedModel:
        """The value of a saved model, all of which is held to its schema first.

        Raises:
            BundleError: the files do not hold what they must.
        """

    def with_model(self, model: nn.Module) -> TrainedModel:
        """The same with another network of the same sizes."""
        made = copy(self)
        for name in [name for name in vars(made) if isinstance(getattr(type(made), name, None), cached_property)]:
            del vars(made)[name]  # it was made of the network
        object.__setattr__(made, "model", model)  # of a value that never changes otherwise
        return made

    def files(self, task: str, config: TaskConfig) -> dict[str, bytes]:
        """The files of the saved model of a task with these settings, without those for people."""
        settings = {
            "schema": bundle.SCHEMA,
            "task": task,
            "sluicegate": version("sluicegate"),
            "settings": config.model_dump(mode="json"),
            **said(self.model),
            **self.settings(),
        }
        weights = {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}
        return {
            bundle.CONFIG: json.dumps(settings, indent=1).encode(),
            **self.further_files(),
            WEIGHTS: _saved(weights),
            self.arrays_file: _saved(self.arrays()),
        }

    @classmethod
    def from_bundle(cls, saved: bundle.Bundle) -> tuple[TrainedModel, TaskConfig]:
        """What `files` wrote: the value, and the settings.

        Raises:
            BundleError: the files do not hold what they must.
        """
        trained = cls.restored(saved, saved.tensors(cls.arrays_file))
        return trained, cls.config(**saved.json(bundle.CONFIG)["settings"])


@dataclass(frozen=True)
class TrainedNetwork(TrainedModel):
    """The simplest: a network that its settings alone make, beside the columns that it was trained on.

    Args:
        model: the network.
        columns: what `fit` was told of the columns.
        curve: the learning curve.
    """

    model: nn.Module
    columns: Mapping[str, Any]
    curve: Curve

    @classmethod
    @abstractmethod
    def build(cls, config: Any) -> nn.Module:
        """The network of these settings, with the values that it starts from."""

    def settings(self) -> dict[str, Any]:
        """The columns and the learning curve."""
        return {"columns": dict(self.columns), "curve": asdict(self.curve)}

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> TrainedModel:
        """The value of a saved model."""
        del arrays
        held = read_json(saved, bundle.CONFIG, _Network)
        config = cls.config(**held.settings)
        model = restored(saved, WEIGHTS, lambda: cls.build(config))
        return cls(model, held.columns, Curve(**held.curve.model_dump()))


class _Network(Saved):
    settings: dict[str, Any]
    columns: dict[str, Any]
    curve: CurveSchema


def _saved(arrays: Mapping[str, np.ndarray]) -> bytes:
    return save(
        {name: np.asarray(array, order="C") for name, array in arrays.items()}
    )  # which leaves a single number one

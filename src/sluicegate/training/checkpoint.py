"""The state of a training run in one file, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from sluicegate.atomic import write_atomic
from sluicegate.errors import BundleError, ConfigError

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # what AdamW keeps for each parameter
Moments: TypeAlias = dict[str, dict[str, Tensor]]  # by the weight's name


@dataclass
class Curve:
    """The learning curve: steps, and at each the mean training loss since the last one and the validation loss."""

    steps: list[int] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


@dataclass
class Checkpoint:
    """What training needs to go on, beside the weights and the optimisers' moments.

    Args:
        average: the moving average of the weights.
        best: the average that did best on the validation part, and the statistics of that step.
        step: steps done.
        best_loss: the validation loss of `best`.
        waited: validation checks since then.
        curve: the learning curve so far.
    """

    average: dict[str, Tensor]
    best: dict[str, Tensor]
    step: int = 0
    best_loss: float = math.inf
    waited: int = 0
    curve: Curve = field(default_factory=Curve)

    @classmethod
    def start(cls, weights: dict[str, nn.Parameter], statistics: dict[str, Tensor]) -> Checkpoint:
        """The state before the first step."""
        average = {name: weight.detach().clone() for name, weight in weights.items()}
        return cls(average, {name: tensor.detach().clone() for name, tensor in (weights | statistics).items()})

    def write(
        self,
        path: Path,
        weights: dict[str, nn.Parameter],
        statistics: dict[str, Tensor],
        moments: Moments,
        fingerprint: str,
    ) -> None:
        """Write the state, the weights, the statistics and the optimisers' moments, whole or not at all."""
        tensors = {f"average.{name}": tensor for name, tensor in self.average.items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        tensors |= {f"statistic.{name}": tensor for name, tensor in statistics.items()}
        for name, weight in weights.items():
            tensors[f"weight.{name}"] = weight.detach()
            for moment, tensor in moments[name].items():  # none where no gradient came yet
                tensors[f"{moment}.{name}"] = tensor
        facts = {"step": self.step, "best_loss": self.best_loss, "waited": self.waited, "curve": asdict(self.curve)}
        tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
        state = json.dumps(facts)
        metadata = {"fingerprint": fingerprint, "state": state, "sha256": _digest(state, tensors)}
        write_atomic(path, save(tensors, metadata))

    @classmethod
    def read(
        cls, path: Path, weights: dict[str, nn.Parameter], statistics: dict[str, Tensor], fingerprint: str
    ) -> tuple[Checkpoint, Moments]:
        """Read what `write` wrote, into the weights and the statistics too, and return the moments.

        Raises:
            ConfigError: it belongs to other data or settings.
            BundleError: the file is damaged.
        """
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("fingerprint") != fingerprint:
                    raise ConfigError(
                        f"{path} was written for other data or settings: resume with the same ones, "
                        "or move it away and train without resuming, which would replace it"
                    )
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except (SafetensorError, OSError) as error:
            raise BundleError(f"{path} is damaged ({error}): move it away, and train without resuming") from error
        if metadata.get("sha256") != _digest(metadata.get("state", ""), tensors):
            raise BundleError(f"{path} was altered, its sha256 is another one: train without resuming")
        facts = json.loads(metadata["state"])
        facts["curve"] = Curve(**facts["curve"])
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(tensors[f"weight.{name}"])
            for name, statistic in statistics.items():
                statistic.copy_(tensors[f"statistic.{name}"])
        state = cls(
            average={name: tensors[f"average.{name}"] for name in weights},
            best={name: tensors[f"best.{name}"] for name in (*weights, *statistics)},
            **facts,
        )
        keys = {name: {moment: f"{moment}.{name}" for moment in _MOMENTS} for name in weights}
        return state, {
            name: {moment: tensors[key] for moment, key in own.items() if key in tensors} for name, own in keys.items()
        }


def is_checkpoint(path: Path) -> bool:
    """Whether a file is one that `Checkpoint.write` wrote, of whatever run."""
    try:
        with safe_open(path, "pt") as file:
            return "fingerprint" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _digest(state: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()

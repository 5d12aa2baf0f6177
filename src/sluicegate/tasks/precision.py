"""A trained model in another precision, and what that costs it: measured on rows before it is believed."""

from __future__ import annotations

import math
from typing import Any

import torch

from sluicegate.errors import ConfigError
from sluicegate.nn.quantization import is_quantized
from sluicegate.nn.stack import Stack
from sluicegate.ops.quantized import VERSION

from .report.figures import figure, words
from .restoring import INT8, Factor, Saved, Text

POINT, SHARE = 0.001, 0.005
"""The loss that is taken: of a share such as the accuracy, whose best is 1, a tenth of a point; of an error 0.5 %."""


class Cost(Saved):
    """What int8 cost a model, on the same rows."""

    metric: Text
    """The first of the task's measures, which decides."""
    ideal: float
    fp32: float
    int8: float
    spread: Factor | None = None
    """How far apart the models of other seeds were, the largest less the smallest figure; None where it is not known"""

    @property
    def loss(self) -> float:
        """How much farther from the best the figure is; a share of the error where the best is 0."""
        before, after = abs(self.fp32 - self.ideal), abs(self.int8 - self.ideal)
        if self.ideal:
            return (after - before) / abs(self.ideal)
        return (after - before) / before if before else math.copysign(math.inf, after) if after else 0.0

    @property
    def limit(self) -> float:
        """How large a loss is taken."""
        return POINT if self.ideal else SHARE

    def sentence(self) -> str:
        """Say it, for the model card."""
        loss = f"{100 * self.loss:.2f} {'points' if self.ideal else '%'}"
        beside = (
            "how far apart models of other seeds are was not measured"
            if self.spread is None
            else f"models of other seeds are {figure(self.spread)} apart"
        )
        return (
            f"In int8 {words(self.metric)} is {figure(self.int8)}, and {figure(self.fp32)} in 32-bit floats on the "
            f"same rows: a loss of {loss}; {beside}."
        )

    def require_small(self) -> None:
        """Refuse a loss beyond the limit.

        Raises:
            ConfigError: It is beyond.
        """
        if not self.loss <= self.limit:
            limit = "0.1 points" if self.ideal else "0.5 %"
            raise ConfigError(
                f"{self.sentence()[:-1]}, more than the {limit} that are taken: keep 32-bit floats, or say "
                "`allow_loss=True`"
            )


def to_bf16(model: torch.nn.Module) -> None:
    """Have the recurrent layers round what they multiply to bfloat16."""
    for module in model.modules():
        if isinstance(module, Stack):
            module.precision = "bf16"


def computed(model: torch.nn.Module) -> dict[str, Any]:
    """What of the precision of a network no file says: that its recurrent layers compute in bfloat16."""
    rounded = any(isinstance(module, Stack) and module.precision == "bf16" for module in model.modules())
    return {"computed": "bf16"} if rounded else {}


def said(model: torch.nn.Module) -> dict[str, Any]:
    """What `config.json` says of the precision of a network."""
    return {INT8: {"version": VERSION}} if is_quantized(model) else {}

"""The predictions of a classifier, as the columns of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from .decision import Decision, Probabilities
from .labels import Labels

FLATTERED = (
    "These rows chose when training stopped, the temperature and the blend, which flatters the model a little: the "
    "proof is an evaluation on other rows."
)


def predictions(labels: Labels, decision: Decision, predicted: Probabilities) -> dict[str, Any]:
    """The columns `label`, its `probability`, and for each class `probability_` and its name."""
    decided, classes = decision.answers(predicted), labels.classes
    columns: dict[str, Any] = {
        "label": pl.Series([classes[i] for i in decided], dtype=pl.Series(list(classes)).dtype),
        "probability": predicted[np.arange(len(predicted)), decided],
    }
    return columns | {f"probability_{name}": predicted[:, k] for k, name in enumerate(classes)}

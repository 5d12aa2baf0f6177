"""From the logits of a saved classifier to calibrated probabilities and an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray


class Classes:
    """The classes of a saved classifier, and what makes answers of logits.

    Args:
        settings: what `config.json` holds.
        prior: how frequent each class was in training.
    """

    def __init__(self, settings: Mapping[str, Any], prior: ndarray) -> None:
        self.names = tuple(settings["classes"])
        self.prior = prior
        self.balance, self.temperature, self.strength = (
            float(settings[name]) for name in ("balance", "temperature", "strength")
        )
        self.blend: Mapping[str, Any] | None = settings["blend"]
        """The simple method that is mixed in, by name, and the share of the networks; None for none."""
        if prior.shape != (len(self.names),):
            raise ValueError("the classes are not those that the model has frequencies of")

    def probabilities(self, logits: ndarray) -> ndarray:
        """The calibrated probability of each class, `[rows classes]`."""
        scaled = (logits + self.balance * np.log(self.prior)) / self.temperature
        raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        found: ndarray = raised / raised.sum(axis=1, keepdims=True)
        return found

    def mixed(self, predicted: ndarray, simple: ndarray) -> ndarray:
        """The networks' probabilities with those of the method that is mixed in."""
        share = 1.0 if self.blend is None else float(self.blend["share"])
        found: ndarray = share * predicted + (1 - share) * simple
        return found

    def answer(self, probabilities: ndarray) -> dict[str, Any]:
        """What is said of a row, given the probabilities of the classes."""
        decided = int((probabilities / self.prior**self.strength).argmax())
        found = {"label": self.names[decided], "probability": float(probabilities[decided])}
        return found | {
            f"probability_{name}": float(value) for name, value in zip(self.names, probabilities, strict=True)
        }

    def answers(self, probabilities: ndarray) -> Sequence[dict[str, Any]]:
        """The same of several rows."""
        return [self.answer(row) for row in probabilities]

"""From logits to probabilities and answers: what the rows that a classifier did not see settle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from .calibration import blend_share, decide, decision_strength, log_loss, probabilities, temperature

UNEQUAL = 3.0
"""Where the largest class has so many times the rows of the smallest one, macro F1 decides and not accuracy."""

_RARE = 20.0  # the largest class has so many times the rows of the smallest one where training evens them out

Probabilities = Float64[np.ndarray, "_ classes"]


@dataclass(frozen=True)
class Blend:
    """A simple method whose probabilities are mixed in.

    Args:
        name: which one.
        share: of the networks, from 0 to 1.
    """

    name: str
    share: float


@dataclass(frozen=True)
class Decision:
    """What stands between the networks' logits and the prediction.

    Args:
        prior: how frequent each class was in training.
        balance: the strength of the logit adjustment in training.
        temperature: what logits are divided by.
        strength: how far frequent classes are held back in answers.
        blend: the simple method that is mixed in, if one is.
    """

    prior: Float64[np.ndarray, " classes"]
    balance: float
    temperature: float = 1.0
    strength: float = 0.0
    blend: Blend | None = None

    @classmethod
    def before(cls, truth: Int64[np.ndarray, " rows"], classes: int, balance: float | None) -> Decision:
        """What is settled before training: `balance` follows the counts where it is None."""
        counts = np.bincount(truth, minlength=classes)
        prior = np.maximum(counts, 0.5) / len(truth)
        return cls(prior, float(counts.max() >= _RARE * counts.min()) if balance is None else balance)

    def after(
        self,
        logits: Probabilities,
        truth: Int64[np.ndarray, " rows"],
        simple: Mapping[str, Probabilities],
        *,
        blend: bool,
    ) -> tuple[Decision, Probabilities]:
        """What rows settle that the networks were not trained on.

        Args:
            logits: of these rows.
            truth: the numbers of their classes.
            simple: each simple method's probabilities of them.
            blend: whether the best of these is mixed in.

        Returns:
            The decision, and the probabilities of these rows.
        """
        settled = replace(self, temperature=temperature(logits + self.balance * np.log(self.prior), truth))
        predicted = settled.calibrated(logits)
        if blend:
            best = min(simple, key=lambda name: log_loss(simple[name], truth))
            settled = replace(settled, blend=Blend(best, blend_share(predicted, simple[best], truth)))
            predicted = settled.mixed(predicted, simple[best])
        if self.prior.max() >= UNEQUAL * self.prior.min():
            settled = replace(settled, strength=decision_strength(predicted, truth, self.prior))
        return settled, predicted

    def calibrated(self, logits: Probabilities) -> Probabilities:
        """Logits as probabilities."""
        return probabilities(logits + self.balance * np.log(self.prior), self.temperature)

    def mixed(self, predicted: Probabilities, simple: Probabilities) -> Probabilities:
        """The networks' probabilities with those of the method that is mixed in."""
        assert self.blend is not None
        return self.blend.share * predicted + (1 - self.blend.share) * simple

    def answers(self, predicted: Probabilities) -> Int64[np.ndarray, " rows"]:
        """The number of the predicted class."""
        return decide(predicted, self.prior, self.strength)

    def facts(self) -> dict[str, str]:
        """For a report."""
        facts = {"temperature": f"{self.temperature:.3g}"}
        if self.blend is not None:
            facts["blend"] = f"{self.blend.share:.0%} the networks, {1 - self.blend.share:.0%} {self.blend.name}"
        if self.strength:
            facts["decision"] = (
                f"the largest probability over the class's frequency to the power of {self.strength:.2g}"
            )
        return facts

    def settings(self) -> dict[str, Any]:
        """All but the prior, as JSON takes it."""
        return {name: value for name, value in asdict(self).items() if name != "prior"}

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], prior: Float64[np.ndarray, " classes"], methods: tuple[str, ...]
    ) -> Decision:
        """What `settings` wrote.

        Raises:
            ValueError: the method that is mixed in is not among those that there are.
        """
        blend = None if settings["blend"] is None else Blend(**settings["blend"])
        if blend is not None and blend.name not in methods:
            raise ValueError(f"there is no method {blend.name!r} to blend in")
        return cls(prior, settings["balance"], settings["temperature"], settings["strength"], blend)

"""What training leaves behind, its use, and its form on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32, Float64, Int64
from torch import nn

from sluicegate import bundle
from sluicegate.data.words import WordTokenizer
from sluicegate.runtime.texts.grams import Grams
from sluicegate.runtime.texts.letters import Letters
from sluicegate.tasks.classification.batches import logits_in_batches
from sluicegate.tasks.classification.decision import Decision
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.trained import TrainedClassifier
from sluicegate.tasks.restoring import restored
from sluicegate.tasks.trained import WEIGHTS
from sluicegate.training import Curve

from .baselines import NAMES, Linear
from .config import TextClassifierConfig
from .corpus import Corpus
from .model import Ensemble, Shape
from .schema import BASELINES, VOCABULARY, require_text_classifier
from .vocabulary import Covered

_TOKENS = 8192  # of a batch in prediction, at most

_ARRAYS = ("idf", "weights", "intercept")  # of a simple method

AT_ONCE = 20_000
"""Texts that are held as tokens together."""


@dataclass(frozen=True)
class Trained(TrainedClassifier):
    """The model and all that its use needs beside texts.

    Args:
        text: the column of texts.
        labels: the classes.
        tokenizer: cuts texts into tokens.
        grams: the words and pairs of words with a weight of their own.
        shape: the sizes of the networks.
        model: the networks.
        decision: what makes answers of logits.
        rows: how many rows training had.
        covered: how many words started from vectors of a file, if one was given.
        methods: the simple methods, trained on the same rows.
        curve: the learning curve.
    """

    config: ClassVar[type[TextClassifierConfig]] = TextClassifierConfig

    text: str
    labels: Labels
    tokenizer: WordTokenizer
    grams: Grams
    shape: Shape
    model: Ensemble
    decision: Decision
    rows: int
    covered: Covered | None
    methods: tuple[Linear, ...]
    curve: Curve

    def network(self, inputs: Sequence[str]) -> Float64[np.ndarray, "rows classes"]:
        """The networks' calibrated probability of each class, for each text."""
        predicted = [np.empty((0, len(self.labels.classes)))]
        for begin in range(0, len(inputs), AT_ONCE):
            some = inputs[begin : begin + AT_ONCE]
            corpus = Corpus.of(some, self.tokenizer, self.grams, capitals=self.shape.capitals)
            logits = logits_of(self.model, corpus, np.arange(len(corpus.text)))
            predicted.append(self.decision.calibrated(corpus.by_text(logits).astype(np.float64)))
        return np.concatenate(predicted)

    def new_words(self, texts: Sequence[str]) -> tuple[float, float]:
        """The shares of the words of texts that are unknown, and that are read in pieces."""
        found = [self.tokenizer.encode(texts[begin : begin + AT_ONCE]) for begin in range(0, len(texts), AT_ONCE)]
        return self.tokenizer.shares(np.concatenate([tokens for some in found for tokens in some]))

    def settings(self) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        return {
            "text": self.text,
            "label": self.labels.column,
            "classes": list(self.labels.classes),
            "shape": asdict(self.shape),
            **self.decision.settings(),
            "rows": self.rows,
            "letters": self.grams.letters is not None,
            "terms": self.methods[0].reading,
            "vectors": None if self.covered is None else asdict(self.covered),
            "curve": asdict(self.curve),
        }

    def further_files(self) -> dict[str, bytes]:
        """The tokenizer, and the words of the simple methods."""
        words = {method.name: list(method.vocabulary) for method in self.methods}
        return {VOCABULARY: self.tokenizer.to_json().encode(), BASELINES: json.dumps(words).encode()}

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays beside the weights."""
        arrays: dict[str, np.ndarray] = {"prior": self.decision.prior, "grams": self.grams.keys}
        for method in self.methods:
            arrays |= {f"{method.name}.{part}": getattr(method, part) for part in _ARRAYS}
        return arrays

    @classmethod
    def restored(cls, saved: bundle.Bundle, arrays: Mapping[str, Any]) -> Trained:
        """The value of a saved model."""
        vocabularies = require_text_classifier(saved, arrays, NAMES)
        settings = saved.json(bundle.CONFIG)
        shape = Shape(**{**settings["shape"], "windows": tuple(settings["shape"].get("windows", ()))})
        model = restored(saved, WEIGHTS, lambda: Ensemble(shape))
        reading = settings.get("terms", "earlier")
        methods = tuple(
            Linear(
                name, tuple(vocabularies[name]), **{part: arrays[f"{name}.{part}"] for part in _ARRAYS}, reading=reading
            )
            for name in NAMES
        )
        tokenizer = WordTokenizer.from_json(saved.text(VOCABULARY))
        return cls(
            text=settings["text"],
            labels=Labels(settings["label"], tuple(settings["classes"])),
            tokenizer=tokenizer,
            grams=Grams(arrays["grams"], Letters.of(tokenizer.tokens()) if settings.get("letters", False) else None),
            shape=shape,
            model=model,
            decision=Decision.from_settings(settings, arrays["prior"], NAMES),
            rows=settings["rows"],
            covered=None if settings["vectors"] is None else Covered(**settings["vectors"]),
            methods=methods,
            curve=Curve(**settings["curve"]),
        )


def logits_of(
    model: nn.Module, corpus: Corpus, parts: Int64[np.ndarray, " rows"]
) -> Float32[np.ndarray, "rows classes"]:
    """The logits of some parts of a corpus."""
    return logits_in_batches(model, corpus.batch, parts, corpus.tokens.lengths[parts], _TOKENS)

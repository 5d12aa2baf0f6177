"""What training leaves behind, its use, and its form on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64
from safetensors.numpy import save as save_arrays
from torch import nn

from sluicegate import bundle
from sluicegate.data.words import WordTokenizer
from sluicegate.tasks.classification.batches import logits_in_batches
from sluicegate.tasks.classification.decision import Decision
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.restoring import restored
from sluicegate.training import Curve

from .baselines import NAMES, Linear
from .config import TextClassifierConfig
from .corpus import Corpus
from .grams import Grams
from .letters import Letters
from .model import Ensemble, Shape
from .schema import VOCABULARY, require_text_classifier
from .vocabulary import Covered

_TOKENS = 8192  # of a batch in prediction, at most

AT_ONCE = 20_000
"""Texts that are held as tokens together."""


@dataclass(frozen=True)
class Trained:
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
        baselines: the simple methods, trained on the same rows.
        curve: the learning curve.
    """

    text: str
    labels: Labels
    tokenizer: WordTokenizer
    grams: Grams
    shape: Shape
    model: Ensemble
    decision: Decision
    rows: int
    covered: Covered | None
    baselines: tuple[Linear, ...]
    curve: Curve

    def probabilities(self, texts: Sequence[str]) -> Float64[np.ndarray, "rows classes"]:
        """The probability of each class, for each text."""
        said = []
        for begin in range(0, len(texts), AT_ONCE):
            some = texts[begin : begin + AT_ONCE]
            corpus = Corpus.of(some, self.tokenizer, self.grams, capitals=self.shape.capitals)
            logits = logits_of(self.model, corpus, np.arange(len(corpus.text)))
            said.append(self.decision.calibrated(corpus.by_text(logits).astype(np.float64)))
        if not said:
            return np.empty((0, len(self.labels.classes)))
        network = np.concatenate(said)
        if self.decision.blend is None:
            return network
        method = next(linear for linear in self.baselines if linear.name == self.decision.blend.name)
        return self.decision.mixed(network, method.probabilities(texts))

    def new_words(self, texts: Sequence[str]) -> tuple[float, float]:
        """The shares of the words of texts that are unknown, and that are read in pieces."""
        found = [self.tokenizer.encode(texts[begin : begin + AT_ONCE]) for begin in range(0, len(texts), AT_ONCE)]
        return self.tokenizer.shares(np.concatenate([tokens for some in found for tokens in some]))

    def files(self, config: TextClassifierConfig, version: str) -> dict[str, bytes]:
        """The files of the saved model, without those for people."""
        settings = {
            "schema": bundle.SCHEMA,
            "task": "classify-text",
            "sluicegate": version,
            "settings": config.model_dump(mode="json"),
            "text": self.text,
            "label": self.labels.column,
            "classes": list(self.labels.classes),
            "shape": asdict(self.shape),
            **self.decision.settings(),
            "rows": self.rows,
            "letters": self.grams.letters is not None,
            "terms": self.baselines[0].reading,
            "vectors": None if self.covered is None else asdict(self.covered),
            "curve": asdict(self.curve),
        }
        weights = {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}
        arrays: dict[str, Any] = {"prior": self.decision.prior, "grams": self.grams.keys}
        vocabularies = {}
        for linear in self.baselines:
            vocabularies[linear.name] = list(linear.vocabulary)
            for part in ("idf", "weights", "intercept"):
                arrays[f"{linear.name}.{part}"] = getattr(linear, part)
        return {
            bundle.CONFIG: json.dumps(settings, indent=1).encode(),
            VOCABULARY: self.tokenizer.to_json().encode(),
            "baselines.json": json.dumps(vocabularies).encode(),
            "weights.safetensors": save_arrays({n: np.ascontiguousarray(a) for n, a in weights.items()}),
            "arrays.safetensors": save_arrays({n: np.ascontiguousarray(a) for n, a in arrays.items()}),
        }

    @classmethod
    def from_bundle(cls, saved: bundle.Bundle) -> tuple[Trained, TextClassifierConfig]:
        """What `files` wrote."""
        arrays = saved.tensors("arrays.safetensors")
        vocabularies = require_text_classifier(saved, arrays, NAMES)
        settings = saved.json(bundle.CONFIG)
        shape = Shape(**{**settings["shape"], "windows": tuple(settings["shape"].get("windows", ()))})
        model = restored(saved, "weights.safetensors", lambda: Ensemble(shape))
        reading = settings.get("terms", "earlier")
        baselines = tuple(
            Linear(
                name,
                tuple(vocabularies[name]),
                arrays[f"{name}.idf"],
                arrays[f"{name}.weights"],
                arrays[f"{name}.intercept"],
                reading,
            )
            for name in NAMES
        )
        for method in baselines:
            _ = method.terms  # which are then known to be in their order
        tokenizer = WordTokenizer.from_json(saved.text(VOCABULARY))
        trained = cls(
            text=settings["text"],
            labels=Labels(settings["label"], tuple(settings["classes"])),
            tokenizer=tokenizer,
            grams=Grams(arrays["grams"], Letters.of(tokenizer.tokens()) if settings.get("letters", False) else None),
            shape=shape,
            model=model,
            decision=Decision.from_settings(settings, arrays["prior"], NAMES),
            rows=settings["rows"],
            covered=None if settings["vectors"] is None else Covered(**settings["vectors"]),
            baselines=baselines,
            curve=Curve(**settings["curve"]),
        )
        return trained, TextClassifierConfig(**settings["settings"])


def logits_of(
    model: nn.Module, corpus: Corpus, parts: Int64[np.ndarray, " rows"]
) -> Float32[np.ndarray, "rows classes"]:
    """The logits of some parts of a corpus."""
    return logits_in_batches(model, corpus.batch, parts, corpus.tokens.lengths[parts], _TOKENS)

"""A saved classifier of texts and its verbs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.errors import ConfigError, DataError
from sluicegate.runtime.classes import Classes
from sluicegate.runtime.model import WEIGHTS, Model

from .corpus import Corpus
from .grams import Grams
from .letters import Letters
from .linear import NAMES, probabilities
from .network import Networks
from .shape import Shape
from .terms import Terms
from .words import WordTokenizer

VOCABULARY, BASELINES, ARRAYS = "vocabulary.json", "baselines.json", "arrays.safetensors"
_AT_ONCE = 20_000  # texts that are held as tokens together
_TOKENS = 8192  # of a batch, at most


class TextClassifier(Model):
    """A saved classifier of texts.

    Its answers have the bits of `sluicegate.load(folder)`.
    """

    task = "classify-text"
    files = (WEIGHTS, ARRAYS, VOCABULARY, BASELINES)

    def __init__(self, saved: Bundle, *, threads: int = 1) -> None:
        super().__init__(saved)
        settings, self._arrays = saved.json(bundle.CONFIG), saved.tensors(ARRAYS)
        sizes = settings["shape"]
        self.shape = Shape(**{**sizes, "windows": tuple(sizes.get("windows", ()))})
        self.classes = Classes(settings, self._arrays["prior"])
        self._tokenizer = WordTokenizer.from_json(saved.text(VOCABULARY))
        letters = Letters.of(self._tokenizer.tokens()) if settings.get("letters", False) else None
        self._grams = Grams(self._arrays["grams"], letters)
        self._networks = Networks(self.shape, saved.tensors(WEIGHTS), threads=threads)
        self._terms: Terms | None = None
        if self.classes.blend is not None:
            if self.classes.blend["name"] not in NAMES:
                raise ValueError(f"there is no method {self.classes.blend['name']!r} to blend in")
            names = json.loads(saved.text(BASELINES))[self.classes.blend["name"]]
            self._terms = Terms.named(names, settings.get("terms", "earlier"))
        if len(self._tokenizer) != self.shape.tokens or len(self._grams.keys) != self.shape.grams:
            raise ValueError("the vocabulary is not that of the networks")

    def open_stream(self) -> Any:
        """Refuse: a text is read as a whole.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"a model of the task {self.task} has no stream, for it reads each text for itself: call `predict`"
        )

    def predict(self, data: Any) -> list[dict[str, Any]]:
        """Tell the class of texts.

        Args:
            data: a list of texts; None counts as a blank one.

        Returns:
            Of each, `label`, its `probability`, and for each class `probability_` and its name.

        Raises:
            DataError: there is something else.
        """
        if isinstance(data, str) or not isinstance(data, Iterable):
            raise DataError(f"`data` is {type(data).__name__}: expected a list of texts")
        texts = ["" if text is None else text for text in data]
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(f"text {number} of `data` is {type(text).__name__}: expected a text")
        answers: list[dict[str, Any]] = []
        for begin in range(0, len(texts), _AT_ONCE):
            answers += self.classes.answers(self._probabilities(texts[begin : begin + _AT_ONCE]))
        return answers

    def _probabilities(self, texts: list[str]) -> ndarray:
        corpus = Corpus.of(texts, self._tokenizer, self._grams, capitals=self.shape.capitals)
        predicted = self.classes.probabilities(corpus.by_text(self._logits(corpus)).astype(np.float64))
        if self._terms is None or self.classes.blend is None:
            return predicted
        name = self.classes.blend["name"]
        parts = (self._arrays[f"{name}.{part}"] for part in ("idf", "weights", "intercept"))
        return self.classes.mixed(predicted, probabilities(name, self._terms.within(texts), *parts))

    def _logits(self, corpus: Corpus) -> ndarray:
        """The logits of the parts of texts, those of about the same length together."""
        lengths = corpus.tokens.lengths
        order, begin = np.argsort(-lengths, kind="stable"), 0
        logits = np.empty((len(lengths), self.shape.classes), np.float32)
        while begin < len(order):
            some = order[begin : begin + max(1, _TOKENS // int(lengths[order[begin]]))]
            logits[some] = self._networks.logits(corpus.rows(some))
            begin += len(some)
        return logits

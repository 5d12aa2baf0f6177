"""What the files of a saved text classifier must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sluicegate import bundle
from sluicegate.data.words import SPECIAL, UNKNOWN
from sluicegate.runtime.texts.terms import Reading, Terms
from sluicegate.tasks.classification.schema import ClassifierSchema, ShapeSchema, require_classes
from sluicegate.tasks.restoring import Count, Saved, Share, Size, Text, damaged, read_json, require

from .config import TextClassifierConfig

VOCABULARY, BASELINES, ARRAYS = "vocabulary.json", "baselines.json", "arrays.safetensors"


class _Shape(ShapeSchema):
    tokens: Size
    grams: Annotated[int, Field(ge=0, le=2**26)]
    embedding: Size
    word_dropout: Share
    capitals: bool = False
    windows: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(max_length=16)] = Field(default_factory=list)


class _Covered(Saved):
    source: Text
    found: Count
    words: Count


class _Config(ClassifierSchema):
    settings: TextClassifierConfig
    text: Text
    label: Text
    shape: _Shape
    vectors: _Covered | None
    letters: bool = False
    terms: Reading = "earlier"


class _Model(Saved):
    type: Literal["WordPiece"]
    unk_token: Literal["[UNK]"]
    vocab: dict[str, Count]


class _Tokenizer(Saved):
    model: _Model
    added_tokens: Annotated[list[Any], Field(max_length=0)]
    truncation: None
    padding: None
    post_processor: None


def require_text_classifier(
    saved: bundle.Bundle, arrays: Mapping[str, np.ndarray], methods: Sequence[str]
) -> Mapping[str, list[str]]:
    """Hold the JSON files and the arrays of a text classifier to what they must be, and give the methods' terms.

    Raises:
        BundleError: they are not.
    """
    config = read_json(saved, bundle.CONFIG, _Config)
    shape = config.shape
    require_classes(saved, arrays, config, shape.classes, methods)
    tokens = read_json(saved, VOCABULARY, _Tokenizer).model.vocab
    if sorted(tokens.values()) != list(range(shape.tokens)):
        raise damaged(saved, VOCABULARY, f"its tokens are not numbered from 0 to {shape.tokens - 1}")
    if SPECIAL[UNKNOWN] not in tokens:
        raise damaged(saved, VOCABULARY, f"it has no {SPECIAL[UNKNOWN]}")
    require(saved, ARRAYS, arrays, "grams", (shape.grams,), np.int64)
    if (np.diff(arrays["grams"]) <= 0).any():
        raise damaged(saved, ARRAYS, "grams are not in their order")
    terms: dict[str, list[str]] = saved.json(BASELINES)
    outputs = 1 if shape.classes == 2 else shape.classes
    for method in methods:
        names = terms.get(method) if isinstance(terms, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise damaged(saved, BASELINES, f"{method} has no list of words")
        try:
            Terms.named(names, config.terms)
        except ValueError as error:
            raise damaged(saved, BASELINES, str(error)) from error
        for part, sizes in (("idf", (len(names),)), ("weights", (outputs, len(names))), ("intercept", (outputs,))):
            kinds = (np.float64, np.float32)
            require(saved, ARRAYS, arrays, f"{method}.{part}", sizes, kinds, least=-1e12, most=1e12)
    return terms

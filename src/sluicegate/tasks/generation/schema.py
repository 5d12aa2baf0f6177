"""What the files of a saved model that writes must hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.restoring import Count, CurveSchema, Few, Saved, Share, Size, Text, damaged, read_json, restored
from sluicegate.tasks.trained import WEIGHTS
from sluicegate.training import Curve
from sluicegate.types import Cell

from .ensemble import Ensemble
from .network import Network, Shape
from .subwords import SPECIAL, Subwords
from .trained import SUBWORDS


class _Shape(Saved):
    tokens: Size
    embedding: Size
    hidden: Size
    layers: Few
    cell: Cell
    dropout: Share
    copies: bool


class WriterSchema(Saved):
    """What `config.json` holds."""

    columns: Annotated[list[Text], Field(min_length=2, max_length=2)]
    shape: _Shape
    members: Few
    pairs: Count
    curve: CurveSchema


class _Model(Saved):
    type: Literal["BPE"]
    vocab: dict[str, Count]
    byte_fallback: Literal[True]


class _Tokenizer(Saved):
    model: _Model
    truncation: None
    padding: None
    post_processor: None


def restored_subwords(saved: bundle.Bundle, count: int) -> Subwords:
    """The sub-words of a saved model, held to their schema first.

    Args:
        saved: the saved model.
        count: how many there must be.

    Raises:
        BundleError: the file does not hold as many, or something else.
    """
    tokens = read_json(saved, SUBWORDS, _Tokenizer).model.vocab
    if sorted(tokens.values()) != list(range(count)):
        raise damaged(saved, SUBWORDS, f"its sub-words are not numbered from 0 to {count - 1}")
    if [tokens.get(name) for name in SPECIAL] != list(range(len(SPECIAL))):
        raise damaged(saved, SUBWORDS, f"it does not begin with {', '.join(SPECIAL)}")
    return Subwords.from_json(saved.text(SUBWORDS))


def restored_writer(saved: bundle.Bundle, config: WriterSchema) -> dict[str, Any]:
    """The fields of a `TrainedWriter`, all of which are held to their schema first.

    Args:
        saved: the saved model.
        config: what its `config.json` holds.

    Raises:
        BundleError: the files do not hold what they must.
    """
    shape = Shape(**config.shape.model_dump())
    return {
        "columns": (config.columns[0], config.columns[1]),
        "subwords": restored_subwords(saved, shape.tokens),
        "shape": shape,
        "model": restored(saved, WEIGHTS, lambda: Ensemble(Network(shape) for _ in range(config.members))),
        "pairs": config.pairs,
        "curve": Curve(**config.curve.model_dump()),
    }

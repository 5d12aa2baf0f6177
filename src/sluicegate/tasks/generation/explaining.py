"""What a network looked at while it wrote: the weights of its attention, word by word."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64

from sluicegate.runtime.texts.ragged import Ragged

from .network import Network
from .pairs import padded
from .slots import Held, fill, hold_as
from .subwords import BEGIN, END, SPECIAL, Subwords
from .trained import TrainedWriter


class Attention(NamedTuple):
    """The weights of the attention by words.

    Args:
        read: the words of the source, and its end.
        written: the words that were written.
        weights: how much each of these drew from each of those; every row sums to 1.
    """

    read: list[str]
    written: list[str]
    weights: Float64[np.ndarray, "written read"]


@torch.inference_mode()
def attention(trained: TrainedWriter, source: str, target: str) -> Attention:
    """How a text is drawn from its source.

    Sub-words are put together to words: by their sum over those of the source, and their mean over those of the target.

    Args:
        trained: the model.
        source: what is read; not blank.
        target: what is written, word for word; not blank.
    """
    subwords = trained.subwords
    held = Held(source, {}) if subwords.holding is None else subwords.holding.hold(source)
    read, written = subwords.encode([held.text, hold_as(target, held.slots)])
    tokens, lengths = padded(Ragged.of([np.array(read, dtype=np.int32)]), last=END)
    before, _ = padded(Ragged.of([np.array(written[:-1], dtype=np.int32)]), first=BEGIN)
    found = []
    for member in trained.model.members:
        assert isinstance(member, Network)
        memory, states = member.read(tokens, lengths)
        one, _ = member.write(before, memory, states)
        found.append(one.weights[0].numpy().astype(np.float64))
    weights = np.mean(found, axis=0)
    across, down = _begins(subwords, [*read, END]), _begins(subwords, written)
    summed = np.add.reduceat(weights, across, axis=1)
    mean = np.add.reduceat(summed, down, axis=0) / np.diff([*down, len(written)])[:, None]
    words = [_words(subwords, tokens, begins) for tokens, begins in ((read, across[:-1]), (written, down))]
    seen, told = ([fill(word, held.slots) for word in some] for some in words)
    return Attention([*seen, SPECIAL[END]], told, mean)


def _begins(subwords: Subwords, tokens: list[int]) -> list[int]:
    """Where words begin, and the end."""
    return [at for at, token in enumerate(tokens) if at == 0 or token == END or subwords.begins_word(token)]


def _words(subwords: Subwords, tokens: list[int], begins: list[int]) -> list[str]:
    return [subwords.decode(tokens[begin:end]) for begin, end in zip(begins, [*begins[1:], len(tokens)], strict=True)]

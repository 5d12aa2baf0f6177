"""What each token of a text contributed to the decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor, nn

from sluicegate.runtime.texts.grams import Keys, numbers_of, pairs_of
from sluicegate.runtime.texts.letters import LONGEST, ngrams_of
from sluicegate.runtime.texts.ragged import Ragged

from .corpus import Corpus
from .model import Member
from .trained import Trained

_AT_ONCE = 32  # parts of a text that are explained together


@dataclass(frozen=True)
class Explanation:
    """The tokens of a text and their shares.

    Args:
        label: the number of the class that is explained.
        spans: where each token is in the text, in characters; none for a text without words.
        shares: of each token: above 0 it spoke for the class, below 0 against it; their sizes sum to 1.
    """

    label: int
    spans: list[tuple[int, int]]
    shares: Float64[np.ndarray, " tokens"]


def explain(trained: Trained, text: str, label: int | None = None) -> Explanation:
    """Share out the lead of a class over the mean of the others.

    The linear path is a sum over words, pairs of words and character n-grams, whose parts are exact; that of a pair
    is halved between its words, and that of an n-gram shared by the words of its letters. The recurrent path is shared
    out by the gradient of the lead times the word's embedding (Simonyan et al. 2014).
    """
    if label is None:
        label = int(trained.decision.answers(trained.probabilities([text]))[0])
    spans = trained.tokenizer.spans(text)
    if not spans:
        return Explanation(label, [], np.empty(0))
    corpus = Corpus.of([text], trained.tokenizer, trained.grams, capitals=trained.shape.capitals)
    classes = len(trained.labels.classes)
    lead = torch.full((classes,), -1.0 / (classes - 1))
    lead[label] = 1.0
    parts = np.arange(len(corpus.text))
    shares = np.zeros(len(spans))
    for member in trained.model.members:
        shares += _shares(member, trained, corpus, parts, lead)
    size = float(np.abs(shares).sum())
    return Explanation(label, spans, shares / size if size > 0 else shares)


def _shares(
    member: nn.Module, trained: Trained, corpus: Corpus, parts: Int64[np.ndarray, " parts"], lead: Tensor
) -> Float64[np.ndarray, " tokens"]:
    """The contributions of the tokens of all parts to the lead of one network."""
    assert isinstance(member, Member)
    weights = (member.wide.detach() @ lead).double().numpy()
    weights[0] = 0.0
    found = []
    for begin in range(0, len(parts), _AT_ONCE):
        batch = corpus.batch(parts[begin : begin + _AT_ONCE])
        with torch.enable_grad():
            x = member.embed(batch).detach().requires_grad_()
            (gradient,) = torch.autograd.grad((member.read(batch, x) @ lead).sum(), x)
        read = (gradient * x.detach()).sum(2).double().numpy()
        for row, length in enumerate(batch.lengths.tolist()):
            tokens = batch.tokens[row, :length].numpy()
            found.append(read[row, :length] + _linear(trained, tokens, weights))
    return np.concatenate(found)


def _linear(
    trained: Trained, tokens: Int64[np.ndarray, " tokens"], weights: Float64[np.ndarray, " grams"]
) -> Float64[np.ndarray, " tokens"]:
    """What the linear path adds for each token of a part."""
    grams = trained.grams
    shares: Float64[np.ndarray, " tokens"] = weights[numbers_of(tokens, grams.keys)] / _occurrences(tokens)
    pairs = pairs_of(tokens[:-1], tokens[1:])
    halves = weights[numbers_of(pairs, grams.keys)] / _occurrences(pairs) / 2
    shares[:-1] += halves
    shares[1:] += halves
    if grams.letters is not None:
        letters, token = grams.letters.within(Ragged.of([tokens.astype(np.int32)]))
        keys, places, sizes = ngrams_of(letters)
        each = weights[numbers_of(-keys, grams.keys)] / _occurrences(keys) / sizes
        for letter in range(LONGEST):
            inside = letter < sizes
            shares += np.bincount(token[places[inside] + letter], each[inside], minlength=len(shares))
    return shares


def _occurrences(keys: Keys) -> Keys:
    """How often each key occurs: the linear path counts it once."""
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    occurrences: Keys = counts[place]
    return occurrences

"""What each token of a text contributed to the decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from .corpus import Corpus, pairs_of
from .fitted import Fitted
from .model import Member


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


def explain(fitted: Fitted, text: str, label: int | None = None) -> Explanation:
    """Share out the lead of a class over the mean of the others.

    The linear path is a sum over words and pairs of words, whose parts are exact; a pair's is halved between its two
    words. The recurrent path is shared out by the gradient of the lead times the word's numbers (Simonyan et al. 2014).
    """
    if label is None:
        label = int(fitted.decision.answers(fitted.probabilities([text]))[0])
    spans = fitted.tokenizer.spans(text)
    if not spans:
        return Explanation(label, [], np.empty(0))
    corpus = Corpus.of([text], fitted.tokenizer, fitted.grams)
    classes = len(fitted.labels.classes)
    lead = torch.full((classes,), -1.0 / (classes - 1))
    lead[label] = 1.0
    shares = np.concatenate([_shares(fitted, corpus, part, lead) for part in range(len(corpus.text))])
    size = float(np.abs(shares).sum())
    return Explanation(label, spans, shares / size if size > 0 else shares)


def _shares(fitted: Fitted, corpus: Corpus, part: int, lead: Tensor) -> Float64[np.ndarray, " tokens"]:
    """The contributions of the tokens of a part to the lead, summed over the networks."""
    batch = corpus.batch(np.array([part]))
    tokens = batch.tokens[0].numpy()
    singles, pairs = (_once(fitted.grams.numbers(keys), keys) for keys in (tokens, pairs_of(tokens[:-1], tokens[1:])))
    shares = np.zeros(len(tokens))
    for member in fitted.model.members:
        assert isinstance(member, Member)
        with torch.enable_grad():
            x = member.embed(batch.tokens).detach().requires_grad_()
            (gradient,) = torch.autograd.grad((member.read(batch, x)[0] * lead).sum(), x)
        shares += (gradient * x.detach())[0].sum(1).double().numpy()
        weights = (member.wide.detach() @ lead).double().numpy()
        weights[0] = 0.0
        shares += weights[singles[0]] / singles[1]
        halves = weights[pairs[0]] / pairs[1] / 2
        shares[:-1] += halves
        shares[1:] += halves
    return shares


def _once(
    numbers: Int64[np.ndarray, " keys"], keys: Int64[np.ndarray, " keys"]
) -> tuple[Int64[np.ndarray, " keys"], Int64[np.ndarray, " keys"]]:
    """The numbers, and how often each key occurs: the linear path counts it once."""
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return numbers, counts[place]

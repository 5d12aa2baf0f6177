"""A network laid out for search: what reads sources, and writes one word more of several hypotheses at a time.

It computes what `Network.read` and `Network.write` do, up to rounding, with the weights that the network has when it is
made. All of it is done by kernels that give a hypothesis the same bits in any company, whatever the lengths of the
sources beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sluicegate.ops.writing import Product, attend, log_sums, means, tanh
from sluicegate.streaming.models import Model
from sluicegate.streaming.opening import model_of

from .network import Memory, Network, State, States, Written
from .scores import Scores


class Copies(NamedTuple):
    """Where the sub-words of sources are, to be copied."""

    tokens: Int64[np.ndarray, "sources steps"]
    first: Int64[np.ndarray, "sources steps"]
    """At which step of its source each of them comes first."""

    @classmethod
    def of(cls, tokens: Int64[Tensor, "sources steps"]) -> Copies:
        """Those of some sources."""
        rows = tokens.numpy()
        return cls(rows, (rows[:, :, None] == rows[:, None]).argmax(2))

    def take(self, sources: Int64[Tensor, " rows"]) -> Copies:
        """Those of some of the sources."""
        return Copies(*(part[sources.numpy()] for part in self))


class Decoder:
    """A network as search takes it.

    Args:
        network: in evaluation.
    """

    def __init__(self, network: Network) -> None:
        self._network, attention = network, network.attention
        self._scale, self._embedding = network.scale, network.embedding.weight.detach()
        self._first, self._second = model_of(network.first), model_of(network.second)
        self._keys = Product(attention.of_memory.weight)
        self._begin = Product(network.begin.weight, network.begin.bias)
        self._query = Product(attention.of_query.weight, attention.of_query.bias)
        self._score = attention.score.weight.detach()[0]
        self._last = Product(network.last.weight, network.last.bias)
        self._logits = Product(network.embedding.weight, network.bias)
        self._copy = None if network.copy is None else Product(network.copy.weight, network.copy.bias)

    def read(self, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"]) -> tuple[Memory, States]:
        """Read sources, as `Network.read` does.

        Args:
            tokens: of each, padded.
            lengths: of each, from 1 up.
        """
        x = self._network.encoded(tokens, lengths)
        keys = self._keys(x.flatten(0, 1)).view(*tokens.shape, self._keys.outputs)
        begun = tanh(self._begin(means(x, lengths)))
        return Memory(tokens, x, keys, lengths), self._network.states(begun)

    def step(
        self,
        tokens: Int64[Tensor, "rows beam"],
        memory: Memory,
        states: States,
        sources: Int64[Tensor, " rows"],
    ) -> tuple[Written, States]:
        """Read one more word of each of several hypotheses side by side, and find what may come after.

        Args:
            tokens: the words.
            memory: what was read of the sources.
            states: those before the words, a row for each hypothesis.
            sources: of which of them the hypotheses of a row are.
        """
        rows, beam = tokens.shape
        x = self._embedding[tokens.flatten()] * self._scale
        seen, first = _run(self._first, x, states.first)
        query = self._query(seen).view(rows, beam, -1)
        found, weights = attend(query, memory.keys, memory.states, self._score, sources, memory.lengths)
        context = found.view(rows * beam, -1)
        thought, second = _run(self._second, torch.cat([seen, context], 1), states.second)
        features = torch.cat([thought, context, x], 1)
        logits = self._logits(tanh(self._last(features))).view(rows, beam, -1)
        copying = None if self._copy is None else self._copy(features).view(rows, beam)
        return Written(logits, weights, copying), States(first, second)


def scored(written: Written, copies: Copies) -> Scores:
    """How probable every sub-word is, copied ones included; the logits of these are written over.

    Args:
        written: what the decoder made of the words before.
        copies: where the sub-words of the sources are, a row for each of the rows.
    """
    less = log_sums(written.logits)
    if written.copying is None:
        return Scores(written.logits, less)
    # In NumPy, which takes a third of PyTorch's time for so few numbers. `logaddexp` goes number by number; PyTorch's,
    # and its `sigmoid`, give other bits to what fills no vector, so that a text would hang on its company.
    logits, weights, gate = (part.numpy() for part in (written.logits, written.weights, written.copying))
    rows, beam, steps = weights.shape
    less = less + torch.from_numpy(np.logaddexp(0.0, gate, dtype=np.float32))
    row = np.arange(rows * beam).reshape(rows, beam, 1)
    # What comes several times in a source is copied as probably as all of these are looked at.
    first = (row * steps + copies.first[:, None]).ravel()
    drawn = np.bincount(first, weights.ravel(), weights.size)[first].astype(np.float32).reshape(weights.shape)
    drawn *= np.exp(-np.logaddexp(0.0, -gate, dtype=np.float32))[..., None]
    places, flat, apart = row * logits.shape[2] + copies.tokens[:, None], logits.reshape(-1), less.numpy()[..., None]
    drawn += np.exp(flat[places] - apart)
    flat[places] = np.log(np.maximum(drawn, np.finfo(np.float32).tiny)) + apart
    return Scores(written.logits, less)


def _run(model: Model, x: Float[Tensor, "rows input"], state: State) -> tuple[Tensor, State]:
    """A step of a layer from the states `[rows units]` on, and the states after."""
    before = state if isinstance(state, tuple) else (state,)
    out, after = model.run(x.numpy()[None], tuple(part.contiguous().numpy()[None] for part in before))
    states = [torch.from_numpy(part[0]) for part in after]
    return torch.from_numpy(out[0]), (states[0], states[1]) if len(states) == 2 else states[0]

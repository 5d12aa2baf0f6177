"""Networks that read on and on: a state goes in, what may come next and the state after come out.

No bit hangs on how a text is cut: the recurrent layers are computed by the kernels, which promise that of every step,
and the output layer a place at a time where it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sluicegate.ops.writing import Product
from sluicegate.streaming import LayerStream
from sluicegate.streaming.models import State
from sluicegate.streaming.opening import model_of
from sluicegate.training.tbptt import detached

from .network import SCALE, Network
from .softmax import Output

Reading: TypeAlias = tuple[State, ...]
"""How far texts side by side were read: the state of each recurrent layer."""


class Reader:
    """A network, with the weights that it has now."""

    def __init__(self, network: Network) -> None:
        output = network.output()
        self.output = Output(output.bounds, detached(output.head), detached(output.groups))
        self._embeddings = network.embedding.weight.detach().numpy()
        self._last = Product(network.last.weight, network.last.bias)
        self._head = Product(*self.output.head)
        self._network = network
        self._layers = [model_of(layer) for layer in network.layers]

    def begin(self) -> Reading:
        """Nothing of a text was read yet."""
        return tuple(layer.sizes.zeros(1) for layer in self._layers)

    def read(
        self, tokens: Int64[Tensor, "steps rows"], reading: Reading
    ) -> tuple[Float[Tensor, "steps rows units"], Reading]:
        """Read tokens of each of several texts: what the last layer says after each, and how far they are read then."""
        x, after = self._embeddings[tokens.numpy()] * SCALE, []
        for layer, state in zip(self._layers, reading, strict=True):
            x, state = layer.run(x, state)
            after.append(state)
        return torch.from_numpy(x), tuple(after)

    def open(self) -> Callable[[Int64[Tensor, " steps"]], Float[Tensor, "1 units"]]:
        """A single text, to be called with its tokens as they come: what the last layer says after the last of them."""
        streams = [LayerStream(layer) for layer in self._network.layers]

        def push(tokens: Int64[Tensor, " steps"]) -> Float[Tensor, "1 units"]:
            # A step alone is a vector, which a stream takes in a third less time than a chunk of one.
            x = self._embeddings[tokens.numpy() if len(tokens) > 1 else int(tokens)] * SCALE
            for stream in streams:
                x = stream.push(x)
            return torch.from_numpy(x.reshape(-1, x.shape[-1])[-1:].copy())

        return push

    def features(self, said: Float[Tensor, "places units"]) -> Float[Tensor, "places width"]:
        """What the output layer is given, of what the last layer says."""
        return self._last(said)

    def most_probable(self, said: Float[Tensor, "1 units"], barred: Int64[Tensor, " barred"]) -> int:
        """The most probable token that may come, as `Output.most_probable` finds it."""
        features = self.features(said)
        return self.output.most_probable(features, barred, self._head(features)[0])

    def score(
        self, said: Float[Tensor, "places units"], targets: Int64[Tensor, " places"], *, singly: bool = False
    ) -> Float[Tensor, " places"]:
        """The logarithm of the probability of the token that came at each place.

        Args:
            said: by the last layer, of what came before each place.
            targets: what came.
            singly: whether each place is computed for itself, so that it has the same bits in any company.
        """
        if not singly:
            return self.output.log_likelihood(self.features(said), targets)
        return torch.cat(
            [
                self.output.log_likelihood(self.features(said[place : place + 1].clone()), targets[place : place + 1])
                for place in range(len(targets))
            ]
        )

    def next(self, said: Float[Tensor, "1 units"]) -> Float[Tensor, " tokens"]:
        """The logarithm of the probability of every token that may come, the same bits in any company."""
        return self.output.log_probabilities(self.features(said.clone()))[0]

"""Networks that read on and on: a state goes in, what may come next and the state after come out.

No bit hangs on how a text is cut: the recurrent layers are computed by the kernels, which promise that of every step,
and the output layer a place at a time where it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from sluicegate.ops.writing import Product
from sluicegate.streaming import LayerStream
from sluicegate.streaming.models import State
from sluicegate.streaming.opening import model_of
from sluicegate.tasks.generation.averaging import together
from sluicegate.training.tbptt import detached

from .network import SCALE, Network
from .softmax import Output

Reading: TypeAlias = tuple[State, ...]
"""How far texts side by side were read: the state of each recurrent layer, of one network after the other."""


class Reader:
    """Networks, with the weights that they have now.

    Args:
        networks: of one shape; what their last layers say is put side by side, and may come next what is probable by
            the mean of their probabilities.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._members = [_Member(network) for network in networks]

    def begin(self) -> Reading:
        """Nothing of a text was read yet."""
        return tuple(layer.sizes.zeros(1) for member in self._members for layer in member.layers)

    def read(
        self, tokens: Int64[Tensor, "steps rows"], reading: Reading
    ) -> tuple[Float[Tensor, "steps rows units"], Reading]:
        """Read tokens of each of several texts: what the last layers say after each, and how far they are read then."""
        said, after, states = [], [], iter(reading)
        for member in self._members:
            x = member.embedded(tokens)
            for layer in member.layers:
                x, state = layer.run(x, next(states))
                after.append(state)
            said.append(torch.from_numpy(x))
        return _beside(said), tuple(after)

    def open(self) -> Callable[[Int64[Tensor, " steps"]], Float[Tensor, "1 units"]]:
        """A single text, to be called with its tokens as they come: what the last layers say after the last of them."""
        members = [member.open() for member in self._members]

        def push(tokens: Int64[Tensor, " steps"]) -> Float[Tensor, "1 units"]:
            return _beside([push_one(tokens) for push_one in members])

        return push

    def score(
        self, said: Float[Tensor, "places units"], targets: Int64[Tensor, " places"], *, singly: bool = False
    ) -> Float[Tensor, " places"]:
        """The logarithm of the probability of the token that came at each place.

        Args:
            said: by the last layers, of what came before each place.
            targets: what came.
            singly: whether each place is computed for itself, so that it has the same bits in any company.
        """
        if singly:
            places = range(len(targets))
            return torch.cat([self.score(said[place : place + 1], targets[place : place + 1]) for place in places])
        return together(
            [
                member.output.log_likelihood(member.features(own), targets)
                for member, own in zip(self._members, self._apart(said), strict=True)
            ]
        )

    def next(self, said: Float[Tensor, "1 units"]) -> Float[Tensor, " tokens"]:
        """The logarithm of the probability of every token that may come, the same bits in any company."""
        return together(
            [
                member.output.log_probabilities(member.features(own))[0]
                for member, own in zip(self._members, self._apart(said), strict=True)
            ]
        )

    def most_probable(self, said: Float[Tensor, "1 units"], barred: Int64[Tensor, " barred"]) -> int:
        """The most probable token that may come, but for these.

        Args:
            said: by the last layers.
            barred: common tokens that are not asked for.
        """
        if len(self._members) == 1:  # for which few of the rarer tokens must be looked at
            (member,) = self._members
            return member.most_probable(said, barred)
        chances = self.next(said)
        chances[barred] = -torch.inf
        return int(chances.argmax())

    def _apart(self, said: Float[Tensor, "places units"]) -> list[Float[Tensor, "places own"]]:
        """What each network says, in memory of its own: other bits came of products with what begins elsewhere."""
        return [own.clone(memory_format=torch.contiguous_format) for own in said.chunk(len(self._members), 1)]


class _Member:
    """One network, laid out."""

    def __init__(self, network: Network) -> None:
        output = network.output()
        self.output = Output(output.bounds, detached(output.head), detached(output.groups))
        self.layers = [model_of(layer) for layer in network.layers]
        self._embeddings = network.embedding.weight.detach().numpy()
        self._last = Product(network.last.weight, network.last.bias)
        self._head = Product(*self.output.head)
        self._network = network

    def embedded(self, tokens: Int64[Tensor, "*places"] | int) -> Float32[np.ndarray, "*places width"]:
        """What the first layer reads."""
        found: Float32[np.ndarray, "*places width"] = (
            self._embeddings[tokens if isinstance(tokens, int) else tokens.numpy()] * SCALE
        )
        return found

    def features(self, said: Float[Tensor, "places units"]) -> Float[Tensor, "places width"]:
        """What the output layer is given, of what the last layer says."""
        return self._last(said)

    def most_probable(self, said: Float[Tensor, "1 units"], barred: Int64[Tensor, " barred"]) -> int:
        """The most probable token that may come, as `Output.most_probable` finds it."""
        features = self.features(said)
        return self.output.most_probable(features, barred, self._head(features)[0])

    def open(self) -> Callable[[Int64[Tensor, " steps"]], Float[Tensor, "1 units"]]:
        """A single text, to be called with its tokens as they come."""
        streams = [LayerStream(layer) for layer in self._network.layers]

        def push(tokens: Int64[Tensor, " steps"]) -> Float[Tensor, "1 units"]:
            # A step alone is a vector, which a stream takes in a third less time than a chunk of one.
            x = self.embedded(tokens if len(tokens) > 1 else int(tokens))
            for stream in streams:
                x = stream.push(x)
            return torch.from_numpy(x.reshape(-1, x.shape[-1])[-1:].copy())

        return push


def _beside(several: list[Tensor]) -> Tensor:
    return several[0] if len(several) == 1 else torch.cat(several, -1)

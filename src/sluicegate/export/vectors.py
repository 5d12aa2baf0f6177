"""Steps to try an exported model on, and what this package answers them."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from sluicegate import bundle
from sluicegate.runtime.layers import Product
from sluicegate.runtime.recordings.classifier import SeriesClassifier

from .layers import Front, Layers, is_whole
from .network import Network


def inputs_for(network: Network, steps: int, seed: int = 0) -> ndarray:
    """Steps drawn by chance on the scale of training, 32-bit floats `[steps inputs]`."""
    drawn = np.random.default_rng(seed).normal(size=(steps, len(network.inputs)))
    if network.mean is not None and network.unit is not None:
        count = len(network.inputs)
        drawn = drawn * network.unit[:count] + network.mean[:count]
    found: ndarray = drawn.astype(np.float32)
    return found


def expected_of(network: Network, inputs: ndarray) -> ndarray:
    """The answer to each step: by the runtime's stream, or by the layers as they are exported."""
    recurrent = [Layers(member.layers) for member in network.members]
    if network.folder is not None:
        trained = SeriesClassifier(bundle.read(network.folder))
        if any(is_whole(layer) for layer in network.members[0].layers):
            fronts = [Front(member.front) for member in network.members if member.front is not None]
            trained.reader = trained.reader.with_layers(list(zip(fronts, recurrent, strict=True)))
        answers = trained.open_stream().push(inputs)
        return np.array([[row[f"probability_{name}"] for name in network.outputs] for row in answers], np.float32)
    (member,) = network.members
    x = inputs
    if network.mean is not None and network.unit is not None:
        x = ((inputs.astype(np.float64) - network.mean) / network.unit).astype(np.float32)
    outputs = recurrent[0].run(x[:, None], recurrent[0].begin(1))[0][:, 0]
    return outputs if member.weight is None else Product(member.weight, member.bias)(outputs)

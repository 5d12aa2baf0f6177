"""A layer in int8 as its streams share it."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.nn.layerwise import Layerwise
from sluicegate.nn.quantized import Quantized

from .models import KINDS, Model, Sizes, State


class ByLayers(Model):
    """Computed by the layer itself, which gives a row the same bits in any company and in chunks of any length.

    Args:
        layer: In int8, or watched to become so.
        fingerprint: Of its settings and arrays.
    """

    def __init__(self, layer: Layerwise, fingerprint: str) -> None:
        widths = (layer.hidden_size,) * layer.states
        super().__init__(
            Sizes(layer.kind, layer.input_size, layer.num_layers, widths, np.dtype(np.float32)), fingerprint
        )
        self._isa, self._suffixes, self._compute = _core.isa(), layer.suffixes, layer.compute
        if isinstance(layer, Quantized):
            # It is kept as long as the layer lives, and so must not hold it.
            laid_out = layer.laid_out()
            self._compute = laid_out.compute
            kinds = [(kind, partial(make, layer.hidden_size)) for kind, make in KINDS]
            self.prepared = _core.Layers(list(laid_out.layers.values()), torch.get_num_threads, kinds)

    def run(self, x: Float[ndarray, "time rows input"], state: State) -> tuple[Float[ndarray, "time rows out"], State]:
        """Read a chunk, as `Model.run` says."""
        if _core.isa() != self._isa:
            raise ConfigError(
                f"the stream was opened with the kernels for {self._isa!r}, and those for {_core.isa()!r} are now in "
                "use: open it anew"
            )
        x, after = np.ascontiguousarray(x), []
        for depth, suffix in enumerate(self._suffixes):
            before = tuple(np.ascontiguousarray(part[depth]) for part in state)
            x, new = self._compute(suffix, x, before)
            after.append(new)
        return x, tuple(np.stack(parts) for parts in zip(*after, strict=True))

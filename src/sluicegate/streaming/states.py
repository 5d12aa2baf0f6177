"""The state of a layer's stream in a snapshot, the same for a stream alone and for one in a slot."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from torch import Tensor, from_numpy

from .models import Model, State
from .snapshots import damaged, read, require, write

Hidden: TypeAlias = Float[Tensor, "layers hidden"] | tuple[Float[Tensor, "layers _"], Float[Tensor, "layers hidden"]]
"""The state of one row as a layer takes and returns it: `h`, or `(h, c)` of an LSTM."""

KIND = "layer"
"""What its snapshots say that they are of."""

NAMES = ("h", "c")


def to_snapshot(model: Model, state: State, *, finished: bool) -> bytes:
    """Write down the state of one row."""
    arrays = {name: part[:, 0] for name, part in zip(NAMES, state, strict=False)}
    return write(KIND, model.fingerprint, {"finished": finished}, arrays)


def from_snapshot(model: Model, snapshot: bytes) -> tuple[State, bool]:
    """Read it again: the state of one row, and whether its stream was finished.

    Raises:
        SnapshotError: It is no snapshot of such a stream.
    """
    settings, arrays = read(snapshot, KIND, model.fingerprint)
    match settings:
        case {"finished": bool(finished)}:
            pass
        case _:
            raise damaged("it does not say whether the stream was finished")
    sizes, state = model.sizes, []
    for name, width in zip(NAMES, sizes.states, strict=False):
        state.append(require(arrays, name, (sizes.layers, width), sizes.dtype)[:, None])
    return tuple(state), finished


def in_torchs_form(state: State) -> Hidden:
    """Put the state of one row as a layer takes and returns it, in memory of its own."""
    tensors = [from_numpy(np.array(part[:, 0])) for part in state]
    return tensors[0] if len(tensors) == 1 else (tensors[0], tensors[1])

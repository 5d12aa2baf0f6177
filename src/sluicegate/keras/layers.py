"""Layers of Keras' that are computed by ours wherever they run.

Each is a subclass of Keras' layer of the same name with the same arguments, weights and config. In a file it goes by
Keras' name: whoever reads it gets Keras' layer, and need not have Sluicegate.
"""

from __future__ import annotations

from typing import Any, no_type_check

import keras
from keras.src import api_export  # Keras' register of the names by which it writes classes down

from .patch import CLASSES, handing_over


class RNN(keras.layers.RNN):  # type: ignore[misc]  # Keras is not typed
    """`keras.layers.RNN` over Keras' cells, `GRUCell`, `LSTMCell` and `SimpleRNNCell`, or several on top of each other.

    Takes the arguments of Keras' layer. Other cells are left to Keras.

    Example:
        >>> import keras, numpy as np, sluicegate.keras
        >>> layer = sluicegate.keras.RNN([keras.layers.GRUCell(4), keras.layers.LSTMCell(5)])
        >>> layer(np.zeros((2, 7, 3), "float32")).shape
        torch.Size([2, 5])
    """


class GRU(keras.layers.GRU):  # type: ignore[misc]
    """`keras.layers.GRU`, in both forms of the reset gate.

    Takes the arguments of Keras' layer. The order of gates in its weights is Keras': `z`, `r`, `h`.

    Example:
        >>> import numpy as np, sluicegate.keras
        >>> layer = sluicegate.keras.GRU(50, activation="relu", return_sequences=True)
        >>> layer(np.zeros((2, 7, 3), "float32")).shape
        torch.Size([2, 7, 50])
    """


class LSTM(keras.layers.LSTM):  # type: ignore[misc]
    """`keras.layers.LSTM`.

    Takes the arguments of Keras' layer.

    Example:
        >>> import numpy as np, sluicegate.keras
        >>> outputs, h, c = sluicegate.keras.LSTM(5, return_state=True)(np.zeros((2, 7, 3), "float32"))
        >>> outputs.shape, c.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))
    """


class SimpleRNN(keras.layers.SimpleRNN):  # type: ignore[misc]
    """`keras.layers.SimpleRNN`.

    Takes the arguments of Keras' layer.

    Example:
        >>> import numpy as np, sluicegate.keras
        >>> sluicegate.keras.SimpleRNN(5)(np.zeros((2, 7, 3), "float32")).shape
        torch.Size([2, 5])
    """


OURS: dict[type, Any] = {
    keras.layers.RNN: RNN,
    keras.layers.GRU: GRU,
    keras.layers.LSTM: LSTM,
    keras.layers.SimpleRNN: SimpleRNN,
}
"""Which class of ours takes the place of which of Keras'."""


class Bidirectional(keras.layers.Bidirectional):  # type: ignore[misc]
    """`keras.layers.Bidirectional`, whose two layers are ours.

    Takes the arguments of Keras' layer, which makes the two anew from the one that it is given, and so as Keras' own.

    Example:
        >>> import numpy as np, sluicegate.keras
        >>> layer = sluicegate.keras.Bidirectional(sluicegate.keras.GRU(5))
        >>> layer(np.zeros((2, 7, 3), "float32")).shape, type(layer.forward_layer).__module__
        (torch.Size([2, 10]), 'sluicegate.keras.layers')
    """

    @no_type_check  # Keras looks at how it is called, which whatever checks types would hide
    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs) -> None:
        super().__init__(layer, merge_mode=merge_mode, weights=weights, backward_layer=backward_layer, **kwargs)
        for way in (self.forward_layer, self.backward_layer):
            become(way, OURS.get(type(way), type(way)))


def become(layer: Any, cls: type) -> None:
    """Give a layer another class, which computes the same."""
    object.__setattr__(layer, "__class__", cls)


def _own(cls: Any, keras_class: Any) -> None:
    """Give a class of ours its loop, and Keras' name in files."""
    api_export.REGISTERED_OBJS_TO_NAMES[cls] = f"keras.layers.{keras_class.__name__}"
    cls.inner_loop = handing_over(next(vars(base)["inner_loop"] for base in cls.__mro__ if base in CLASSES))


for _keras_class, _cls in OURS.items():
    _own(_cls, _keras_class)
api_export.REGISTERED_OBJS_TO_NAMES[Bidirectional] = "keras.layers.Bidirectional"

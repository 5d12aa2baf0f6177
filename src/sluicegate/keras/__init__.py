"""Keras' recurrent layers, computed by Sluicegate: for models of Keras 3, on its torch backend.

Most programs need nothing from here: `python -m sluicegate program.py`, `sluicegate.accelerated` and
`sluicegate.accelerate` find the layers of Keras as they are.
"""

from sluicegate.errors import MissingExtra

try:
    import keras as keras
except ImportError as error:
    raise MissingExtra("keras", "keras", "sluicegate.keras") from error

from .convert import from_sluicegate as from_sluicegate
from .convert import to_sluicegate as to_sluicegate
from .files import load as load
from .layers import GRU as GRU
from .layers import LSTM as LSTM
from .layers import RNN as RNN
from .layers import Bidirectional as Bidirectional
from .layers import SimpleRNN as SimpleRNN
from .onnx import export_onnx as export_onnx
from .swap import accelerate as accelerate
from .swap import plan as plan
from .swap import restore as restore

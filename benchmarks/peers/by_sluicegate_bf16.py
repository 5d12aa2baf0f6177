"""Our layers under autocast to bfloat16."""

from __future__ import annotations

from typing import Any

import sluicegate.nn
from peers import by_torch_bf16


class Peer(by_torch_bf16.Peer):
    """`sluicegate.nn.GRU` and `sluicegate.nn.LSTM`, with float32 weights and input."""

    version = f"sluicegate {sluicegate.__version__}"
    layers: Any = sluicegate.nn

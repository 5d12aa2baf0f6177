"""Our layers, in PyTorch."""

from __future__ import annotations

from typing import Any

import sluicegate.nn
from peers import by_torch


class Peer(by_torch.Peer):
    """`sluicegate.nn.GRU` and `sluicegate.nn.LSTM`."""

    version = f"sluicegate {sluicegate.__version__}"
    layers: Any = sluicegate.nn

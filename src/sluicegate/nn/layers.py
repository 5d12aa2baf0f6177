"""The recurrent layers by the names of their cells, as every task and the study take them."""

from __future__ import annotations

from typing import TypeAlias

from sluicegate.nn import GRU, LSTM, RNN, LiGRU, MinGRU

Layer: TypeAlias = GRU | LSTM | RNN | MinGRU | LiGRU

LAYERS: dict[str, type[Layer]] = {"gru": GRU, "lstm": LSTM, "rnn": RNN, "mingru": MinGRU, "ligru": LiGRU}
"""By the name of the cell."""

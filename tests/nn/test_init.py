"""The names that `sluicegate.nn` exports."""

from types import ModuleType

from sluicegate import nn


def test_exports_exactly_these():
    public = {name for name, value in vars(nn).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public == {
        "GRU",
        "GRUCell",
        "LSTM",
        "LSTMCell",
        "LiGRU",
        "MinGRU",
        "MinGRUCell",
        "RNN",
        "RNNCell",
        "backend_of",
        "quantize",
    }

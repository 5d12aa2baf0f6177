"""Weights go to `sluicegate.nn` and back."""

import numpy as np
import pytest
import torch

import sluicegate
from sluicegate import nn

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
from sluicegate.keras import from_sluicegate, to_sluicegate  # noqa: E402 - where Keras is missing there is none

layers = keras.layers
X = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32"))

THEIRS = {
    "GRU": lambda: layers.GRU(5, return_sequences=True),
    "reset before": lambda: layers.GRU(5, reset_after=False, activation="relu", return_sequences=True),
    "no bias": lambda: layers.GRU(5, use_bias=False, return_sequences=True),
    "LSTM": lambda: layers.LSTM(5, return_sequences=True),
    "SimpleRNN": lambda: layers.SimpleRNN(5, activation="relu", return_sequences=True),
    "both directions": lambda: layers.Bidirectional(layers.GRU(5, return_sequences=True)),
}
OURS = {
    "GRU": lambda: nn.GRU(3, 5, batch_first=True),
    "reset before": lambda: nn.GRU(3, 5, batch_first=True, reset="before", activation="relu"),
    "no bias": lambda: nn.LSTM(3, 5, batch_first=True, bias=False),
    "LSTM": lambda: nn.LSTM(3, 5, batch_first=True, activation="relu"),
    "RNN": lambda: nn.RNN(3, 5, batch_first=True, nonlinearity="relu"),
    "PyTorch's": lambda: torch.nn.RNN(3, 5, batch_first=True),
    "both directions": lambda: nn.GRU(3, 5, batch_first=True, bidirectional=True),
}


@pytest.mark.parametrize("form", THEIRS)
def test_to_sluicegate(form):
    theirs = THEIRS[form]()
    theirs.build(X.shape)
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.normal(size=w.shape).astype("float32") for w in theirs.get_weights()])
    torch.testing.assert_close(to_sluicegate(theirs)(X)[0], theirs(X))


@pytest.mark.parametrize("form", OURS)
def test_from_sluicegate(form):
    ours = OURS[form]()
    torch.testing.assert_close(from_sluicegate(ours)(X), ours(X)[0])


def test_what_is_refused():
    with pytest.raises(sluicegate.ConfigError, match="has no weights yet"):
        to_sluicegate(layers.GRU(5, name="a"))
    with pytest.raises(sluicegate.ConfigError, match="a Dense"):
        to_sluicegate(layers.Dense(5))
    custom = layers.GRU(5, activation="gelu", name="a")
    custom.build(X.shape)
    with pytest.raises(sluicegate.ConfigError, match="activation=gelu"):
        to_sluicegate(custom)
    with pytest.raises(sluicegate.ConfigError, match="of one layer"):
        from_sluicegate(nn.GRU(3, 5, num_layers=2))
    two = layers.Bidirectional(layers.GRU(5), backward_layer=layers.GRU(4, go_backwards=True), merge_mode=None)
    two.build(X.shape)
    with pytest.raises(sluicegate.ConfigError, match="one kind and size"):
        to_sluicegate(two)

"""A model of Keras' whose layers are swapped is the same model, in memory and in files."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import sluicegate

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
import sluicegate.keras  # noqa: E402 - where Keras is missing there is none

layers = keras.layers
X = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32"))


def model():
    return keras.Sequential(
        [
            keras.Input((4, 3)),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
            layers.RNN(layers.GRUCell(4), return_sequences=True, name="rnn"),
            layers.GRU(4, activation="gelu", return_sequences=True, name="left"),
            layers.SimpleRNN(3, name="last"),
        ]
    )


def test_a_model_is_swapped_and_restored():
    net = model()
    expected, kernel = net(X), net.layers[0].forward_layer.cell.kernel
    assert sluicegate.accelerate(net) is net
    assert [type(layer).__module__.split(".")[0] for layer in net.layers] == [
        "keras",
        "sluicegate",
        "keras",
        "sluicegate",
    ]
    assert type(net.layers[0].backward_layer) is sluicegate.keras.LSTM
    assert net.layers[0].forward_layer.cell.kernel is kernel
    torch.testing.assert_close(net(X), expected)
    assert "left (GRU), activation=gelu" in map(str, sluicegate.keras.plan(net))
    sluicegate.accelerate(net)
    assert type(sluicegate.keras.restore(net).layers[3]) is layers.SimpleRNN


def test_what_is_no_model():
    with pytest.raises(sluicegate.ConfigError, match="a model or a layer of Keras'"):
        sluicegate.keras.plan(torch.nn.GRU(3, 4))


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # that .h5 is a legacy format
def test_a_file_is_read_without_sluicegate(tmp_path, ending):
    net = keras.Sequential(
        [
            keras.Input((4, 3)),
            sluicegate.keras.Bidirectional(sluicegate.keras.GRU(5, return_sequences=True)),
            sluicegate.keras.LSTM(4, return_sequences=True),
            sluicegate.keras.RNN(layers.GRUCell(4), return_sequences=True),
            sluicegate.keras.SimpleRNN(3),
        ]
    )
    expected = net(X)
    file = tmp_path / f"model.{ending}"
    net.save(file)
    read = sluicegate.keras.load(file)
    assert type(read.layers[1]) is sluicegate.keras.LSTM
    torch.testing.assert_close(read(X), expected)
    program = f"""
import sys
sys.modules["sluicegate"] = None
import keras, numpy, torch
net = keras.saving.load_model({str(file)!r})
assert type(net.layers[1]) is keras.layers.LSTM and type(net.layers[0].forward_layer) is keras.layers.GRU
x = torch.from_numpy(numpy.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32"))
print(repr(net(x).detach().numpy().tolist()))
"""
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(np.array(eval(found.stdout)), expected.detach().numpy(), atol=1e-6)


def test_layers_of_our_own():
    ours, theirs = sluicegate.keras.GRU(5, activation="relu"), layers.GRU(5, activation="relu")
    for layer in (ours, theirs):
        layer.build(X.shape)
    theirs.set_weights(ours.get_weights())
    torch.testing.assert_close(ours(X), theirs(X))
    assert isinstance(ours, layers.GRU)
    assert type(type(ours).from_config(ours.get_config())) is sluicegate.keras.GRU
    assert keras.saving.serialize_keras_object(ours)["module"] == "keras.layers"


def test_a_subclass_is_left():
    class Mine(layers.GRU):
        pass

    class Looping(layers.GRU):
        def inner_loop(self, *args, **kwargs):
            return super().inner_loop(*args, **kwargs)

    assert str(sluicegate.keras.plan(Mine(5, name="a"))[0]) == "a (GRU), a subclass (Mine)"
    assert str(sluicegate.keras.plan(Looping(5, name="a"))[0]) == "a (GRU), Looping has a loop of its own"

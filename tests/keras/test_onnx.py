"""A model of Keras' becomes an ONNX file with a node for each of its layers."""

import numpy as np
import pytest
import torch

import sluicegate

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from sluicegate.keras import export_onnx  # noqa: E402 - where Keras is missing there is none

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch's exporter warns of itself


def nodes_and_outputs(path, x):
    session = onnxruntime.InferenceSession(path)
    (name,) = (place.name for place in session.get_inputs())
    return [node.op_type for node in onnx.load(path).graph.node], session.run(None, {name: x})[0]


def test_a_mask_with_holes_and_both_directions(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None,), name="words"),
            layers.Embedding(9, 3, mask_zero=True),
            layers.GRU(5, reset_after=False, return_sequences=True),
            layers.Bidirectional(layers.LSTM(4)),
        ]
    )
    export_onnx(model, tmp_path / "model.onnx")
    assert type(model.layers[1]) is layers.GRU
    words = np.array([[1, 2, 0, 3, 0], [4, 5, 6, 7, 8]], "float32")
    nodes, found = nodes_and_outputs(tmp_path / "model.onnx", words)
    assert (nodes.count("GRU"), nodes.count("LSTM")) == (1, 2)
    np.testing.assert_allclose(found, model(torch.from_numpy(words)).detach().numpy(), atol=1e-6)


def test_what_is_refused(monkeypatch, tmp_path):
    with pytest.raises(sluicegate.ConfigError, match="no inputs of known shape"):
        export_onnx(keras.Sequential([layers.GRU(5)]), tmp_path / "model.onnx")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(sluicegate.ConfigError, match="on jax cannot be written"):
        export_onnx(keras.Sequential([keras.Input((4, 3)), layers.GRU(5)]), tmp_path / "model.onnx")

"""ONNX Runtime, fed in chunks, answers as this package does of the whole."""

import numpy as np
import pytest

from sluicegate.export import in_int8, write_onnx
from sluicegate.export.vectors import expected_of, inputs_for
from tests.export.conftest import CELLS, causal_network, layer_network, whole_network

ort = pytest.importorskip("onnxruntime")


def in_chunks(path, x, cuts):
    """What comes out, the states going from chunk to chunk."""
    session = ort.InferenceSession(path)
    states = {i.name: np.zeros([len(x), *i.shape[1:]], np.float32) for i in session.get_inputs() if i.name != "x"}
    names, found = [output.name for output in session.get_outputs()], []
    for begin, end in zip([0, *cuts], [*cuts, x.shape[1]], strict=True):
        after = dict(zip(names, session.run(None, {"x": x[:, begin:end], **states}), strict=True))
        found.append(after.pop("y"))
        states = {name.replace("_out", "_in"): state for name, state in after.items()}
    return np.concatenate(found, 1)


@pytest.mark.parametrize("name", CELLS)
def test_layers_with_scale_and_head(name, tmp_path):
    network = layer_network(name)
    x = np.stack([inputs_for(network, 20, seed) for seed in range(3)])
    expected = np.stack([expected_of(network, row) for row in x])
    path = write_onnx(network, tmp_path)
    np.testing.assert_allclose(in_chunks(path, x, [1, 4, 15]), expected, atol=1e-5)
    np.testing.assert_allclose(in_chunks(path, x[:1], []), expected[:1], atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru"])
def test_classifiers_of_recordings(cell, tmp_path):
    network = causal_network(tmp_path / "model", cell)
    x = np.stack([inputs_for(network, 48, seed) for seed in range(2)])
    expected = np.stack([expected_of(network, row) for row in x])
    path = write_onnx(network, tmp_path, name="watch")
    for cuts in ([], [3, 9, 30]):  # a multiple of the stride
        np.testing.assert_allclose(in_chunks(path, x, cuts), expected, atol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_layers_in_int8_have_the_bits_of_the_reference(name, tmp_path):
    network = whole_network(name)
    x = np.stack([inputs_for(network, 60, seed) for seed in range(3)])
    expected = np.stack([expected_of(network, row) for row in x])
    path = write_onnx(network, tmp_path)
    np.testing.assert_array_equal(in_chunks(path, x, [1, 4, 35]), expected)
    np.testing.assert_array_equal(in_chunks(path, x[:1], []), expected[:1])


def test_a_first_input_in_floats_has_the_bits_of_the_reference_too(tmp_path):
    network = in_int8(layer_network("lstm", headed=False))
    x = np.stack([inputs_for(network, 60, seed) for seed in range(2)])
    expected = np.stack([expected_of(network, row) for row in x])
    np.testing.assert_array_equal(in_chunks(write_onnx(network, tmp_path), x, [7]), expected)


@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru"])
def test_classifiers_of_recordings_in_int8(cell, tmp_path):
    network = in_int8(causal_network(tmp_path / "model", cell))
    x = np.stack([inputs_for(network, 48, seed) for seed in range(2)])
    expected = np.stack([expected_of(network, row) for row in x])
    path = write_onnx(network, tmp_path, name="watch")
    for cuts in ([], [3, 9, 30]):
        np.testing.assert_allclose(in_chunks(path, x, cuts), expected, atol=2e-6)

"""Forecasters in C and in ONNX answer as the runtime does, row by row and in chunks."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from sluicegate import bundle
from sluicegate.errors import ConfigError
from sluicegate.export import in_int8, of_folder, write_c, write_onnx
from sluicegate.export.vectors import expected_of, inputs_for
from tests.export.conftest import natively, needs, run_test
from tests.tasks.saved_models import FOLDER

SAVED = {"gru": "b", "mingru": "a", "lstm": None, "rnn": "a", "combined": "b"}


def altered(place, **scales):
    """The forecaster of two series by days with another scale."""
    saved = bundle.read(FOLDER / "forecast-combined")
    arrays = dict(saved.tensors("scaler.safetensors"))
    for name, value in scales.items():
        arrays[name] = np.full_like(arrays[name], value)
    bundle.write(place, {**saved.files, "scaler.safetensors": save(arrays)})
    return of_folder(place, series="b")


def logarithmic(place):
    """Its values are told by their inverse hyperbolic sine, and held to 0 from below."""
    return altered(place, knee=100.0, mean=2.0, deviation=1.5, least=0.0)


def whole(place):
    """Its values are small whole numbers."""
    return altered(place, grain=1.0, least=0.0, mean=300.0, deviation=200.0)


def still(place):
    """It never changed in training."""
    return altered(place, deviation=0.0, mean=300.0)


@pytest.fixture(params=[*SAVED, logarithmic, whole, still])
def network(request, tmp_path):
    if callable(request.param):
        return request.param(tmp_path / "model")
    return of_folder(FOLDER / f"forecast-{request.param}", series=SAVED[request.param])


def rows_of(network):
    """Rows such as training had; then such as stand still, and such as are in another unit."""
    rows = inputs_for(network, 60, seed=3)
    targets = len(network.forecast.trained.targets)
    rows[20:34, :targets] = rows[20, :targets]
    rows[45:, :targets] *= 1000
    return rows


def near(found, expected, of):
    """Within `of` of the largest of each forecast."""
    largest = np.maximum(np.abs(expected).max(1), 1.0)
    assert (np.abs(found - expected).max(1) / largest).max() < of


def test_the_c_answers_as_the_runtime_does(network, tmp_path):
    needs("gcc")
    written = write_c(network, tmp_path)
    assert "0 that differ in bits" in run_test(tmp_path, "model")
    rows = rows_of(network)
    found = natively(tmp_path, "model", rows, len(network.outputs), written.state_bytes)
    near(found, expected_of(network, rows), 5e-6)


@pytest.mark.parametrize("name", ["gru", "rnn"])
def test_the_c_in_int8_answers_as_the_reference_does(name, tmp_path):
    needs("gcc")
    network = in_int8(of_folder(FOLDER / f"forecast-{name}", series=SAVED[name]))
    written = write_c(network, tmp_path)
    rows = inputs_for(network, 40, seed=3)
    found = natively(tmp_path, "model", rows, len(network.outputs), written.state_bytes)
    near(found, expected_of(network, rows), 5e-6)


def fed(network, path, rows, cuts):
    """What comes out after chunks, the states going from one to the next."""
    ort = pytest.importorskip("onnxruntime")
    session, trained = ort.InferenceSession(path), network.forecast.trained
    states = {i.name: np.zeros([1, *i.shape[1:]], np.float32) for i in session.get_inputs() if "_in" in i.name}
    names, columns, found = [output.name for output in session.get_outputs()], len(trained.columns), []
    for begin, end in zip([0, *cuts[:-1]], cuts, strict=True):
        given = {"x": rows[None, begin:end, :columns], **states}
        if trained.known:
            given["ahead"] = rows[end - 1, columns:].reshape(1, len(trained.known), -1)
        after = dict(zip(names, session.run(None, given), strict=True))
        found.append(after.pop("y").reshape(-1))
        states = {name.replace("_out", "_in"): state for name, state in after.items()}
    return np.stack(found)


def test_onnx_answers_as_the_runtime_does_in_chunks_of_any_length(network, tmp_path):
    path, rows = write_onnx(network, tmp_path), rows_of(network)
    expected = expected_of(network, rows)
    near(fed(network, path, rows, list(range(1, 61))), expected, 1e-5)
    cuts = [3, 30, 33, 50, 60]
    near(fed(network, path, rows, cuts), expected[np.array(cuts) - 1], 1e-5)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_onnx_in_int8_answers_as_the_reference_does(name, tmp_path):
    network = in_int8(of_folder(FOLDER / f"forecast-{name}", series=SAVED[name]))
    path, rows = write_onnx(network, tmp_path), inputs_for(network, 40, seed=3)
    cuts = [1, 3, 20, 40]
    near(fed(network, path, rows, cuts), expected_of(network, rows)[np.array(cuts) - 1], 5e-6)


def test_one_series_of_several_is_named():
    folder = FOLDER / "forecast-gru"
    for named in (None, "c", 7):
        with pytest.raises(ConfigError, match=r"`series`.* must name one of the 2 series .*'a', 'b'"):
            of_folder(folder, series=named)
    one, other = of_folder(folder, series="a"), of_folder(folder, series=("b",))
    assert one.forecast.key == ("a",)
    assert one.outputs == other.outputs
    assert one.inputs[:3] == ("sales", "wind", "price")
    assert one.outputs[:2] == ("sales+1 mean", "sales+1 q10")
    assert len(one.inputs) == 3 + 6


def test_a_series_is_asked_of_forecasters_alone():
    with pytest.raises(ConfigError, match=r"`series`.*of forecasters"):
        of_folder(FOLDER / "series-causal", series="a")


def test_the_time_of_the_first_row_changes_the_answers(tmp_path):
    network = of_folder(FOLDER / "forecast-lstm")
    later = replace(network, forecast=replace(network.forecast, next=network.forecast.next + 3 * 86_400_000_000))
    rows = inputs_for(network, 5)
    expected = expected_of(later, rows)
    assert np.abs(expected - expected_of(network, rows)).max() > 1e-3
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(write_onnx(network, tmp_path))
    given = {i.name: np.zeros([1, *i.shape[1:]], np.float32) for i in session.get_inputs() if "_in" in i.name}
    given |= {"x": rows[None], "later_in": np.float32([[3]])}
    near(session.run(["y"], given)[0].reshape(1, -1), expected[-1:], 1e-5)

"""Models of Keras' as C and as WebAssembly's sources: what a step gives is what the model says of all until then."""

import json

import numpy as np
import pytest

from sluicegate.errors import ConfigError, DataError
from sluicegate.export import export, of_keras
from tests.export.conftest import natively, needs

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
layers = keras.layers


def model_of(*several, inputs=3):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((None, inputs)), *several])
    for weight in model.weights:  # Keras begins with biases of zero
        weight.assign_add(keras.random.normal(weight.shape, stddev=0.1))
    return model


MODELS = {
    "gru": lambda: model_of(layers.GRU(5), layers.Dense(2)),
    "relu": lambda: model_of(layers.GRU(5, activation="relu"), layers.Dense(1, use_bias=False), inputs=1),
    "deep": lambda: model_of(
        layers.GRU(5, return_sequences=True), layers.Dropout(0.3), layers.GRU(5), layers.Dropout(0.3), layers.Dense(2)
    ),
    "lstm": lambda: model_of(layers.LSTM(5, use_bias=False)),
    "rnn": lambda: model_of(layers.SimpleRNN(5, return_sequences=True), layers.Dense(2)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_c_of_a_saved_model_answers_as_keras_does(name, tmp_path):
    needs("gcc")
    model = MODELS[name]()
    model.save(tmp_path / "model.keras")
    written = export(tmp_path / "model.keras", "c", tmp_path)
    inputs = np.random.default_rng(0).normal(size=(6, model.input_shape[2])).astype(np.float32)
    expected = [np.atleast_2d(model.predict(inputs[None, :end], verbose=0)[0])[-1] for end in range(1, 7)]
    found = natively(tmp_path, "model", inputs, model.output_shape[-1], written["state_bytes"])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_command_takes_a_file_of_keras(tmp_path):
    from typer.testing import CliRunner

    from sluicegate.cli.app import app

    MODELS["gru"]().save(tmp_path / "model.keras")
    given = [
        "export",
        str(tmp_path / "model.keras"),
        "--to",
        "c",
        "--precision",
        "int8",
        "--out",
        str(tmp_path / "out"),
    ]
    said = CliRunner().invoke(app, [*given, "--json"])
    assert said.exit_code == 0, said.output
    assert len(json.loads(said.stdout)["files"]) == 3


@pytest.mark.parametrize(
    ("several", "why"),
    [
        ([layers.Dense(2)], "no recurrent layer"),
        ([layers.GRU(5), layers.Dense(2, activation="softmax")], "activation='softmax'"),
        ([layers.GRU(5, go_backwards=True)], "go_backwards"),
        ([layers.GRU(5, reset_after=False)], "reset='before'"),
        ([layers.Bidirectional(layers.GRU(5))], "a Bidirectional"),
        ([layers.GRU(5, return_sequences=True), layers.GRU(4)], r"\[5, 4\] units"),
        ([layers.GRU(5), layers.Reshape((5, 1)), layers.GRU(5)], "a Reshape"),
        ([layers.GRU(5), layers.RepeatVector(3), layers.GRU(5)], "a RepeatVector"),
        ([layers.GRU(5), layers.Dense(4), layers.Dense(2)], "a Dense"),
    ],
)
def test_what_cannot_be_exported_says_why(several, why):
    with pytest.raises(ConfigError, match=why):
        of_keras(model_of(*several))


def test_other_models_and_files_are_refused(tmp_path):
    x = keras.Input((None, 3))
    for wrong in (layers.GRU(5), keras.Model(x, layers.GRU(5)(x)), keras.Sequential([layers.GRU(5)])):
        with pytest.raises(ConfigError, match=r"`keras\.Sequential`"):
            of_keras(wrong)
    with pytest.raises(DataError, match="no file"):
        export(tmp_path / "none.keras", "c", tmp_path)

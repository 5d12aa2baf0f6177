"""One call, and one command, write a saved model down."""

import json

import pytest

from sluicegate.errors import ConfigError
from sluicegate.export import export, of_layers
from sluicegate.nn import GRU, LSTM
from tests.tasks.saved_models import FOLDER


def test_a_saved_model_becomes_c(tmp_path):
    written = export(FOLDER / "series-causal", "c", tmp_path, name="watch", precision="int8")
    assert [path.name for path in written["files"]] == ["watch.h", "watch.c", "watch_test.c"]
    assert all(path.exists() for path in written["files"])


@pytest.mark.parametrize("name", ["text-gru", "series-gru"])
def test_what_cannot_be_exported_says_why(name, tmp_path):
    with pytest.raises(ConfigError, match=r"causal=True"):
        export(FOLDER / name, "c", tmp_path)


@pytest.mark.parametrize("options", [{"to": "rust"}, {"to": "c", "precision": "bf16"}])
def test_other_arguments_are_refused(options, tmp_path):
    with pytest.raises(ConfigError, match=r"must be one of"):
        export(FOLDER / "series-causal", folder=tmp_path, **options)


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (GRU(2, 3, bidirectional=True), "bidirectional=True"),
        (GRU(2, 3, reset="before"), "reset='before'"),
        (LSTM(2, 3, proj_size=2), "proj_size=2"),
        (GRU(2, 3, layer_norm=True), "layer_norm=True"),
    ],
)
def test_layers_that_are_not_exported_say_why(layer, why):
    with pytest.raises(ConfigError, match=why):
        of_layers(layer)


def test_the_command_prints_what_it_wrote(tmp_path):
    from typer.testing import CliRunner

    from sluicegate.cli.app import app

    given = ["export", str(FOLDER / "series-causal"), "--to", "c", "--out", str(tmp_path), "--name", "watch", "--json"]
    said = CliRunner().invoke(app, given)
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["state_bytes"] == 188


def test_the_command_names_a_series(tmp_path):
    from typer.testing import CliRunner

    from sluicegate.cli.app import app

    given = ["export", str(FOLDER / "forecast-gru"), "--to", "c", "--out", str(tmp_path), "--series", "b"]
    said = CliRunner().invoke(app, given)
    assert said.exit_code == 0, said.output
    assert "multiply adds: 4,388" in said.stdout

"""`sluicegate serve`, up to where it would listen; `tests/serve` has the server."""

import pytest
from typer.testing import CliRunner

from sluicegate.cli.app import app


def refusal(*words):
    found = CliRunner().invoke(app, ["serve", *map(str, words)])
    assert found.exit_code in (1, 2)
    assert "Traceback" not in found.output
    return " ".join(found.output.split())


def test_a_model_that_is_not_there(tmp_path):
    assert "none" in refusal(tmp_path / "none")


def test_two_models_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder / "model").mkdir(parents=True)
    said = refusal(tmp_path / "a" / "model", tmp_path / "b" / "model")
    assert "are both called 'model': rename a folder" in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--policy", "ask"), "must be one of block, drop-oldest, close"),
        (("--idle", "0"), "`idle` (=0.0) must be above 0"),
        (("--token-file", "none"), "cannot be read"),
    ],
)
def test_options_that_are_wrong(tmp_path, options, sentence):
    (tmp_path / "model").mkdir()
    assert sentence in refusal(tmp_path / "model", *options)

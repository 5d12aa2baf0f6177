"""Saved models whose files were altered and whose manifests were made anew: an answer or one of our errors."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

import sluicegate
from sluicegate import bundle
from sluicegate.errors import BundleError

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "altered_models.py"
SPEC = importlib.util.spec_from_file_location("altered_models", SCRIPT)
altered_models = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(altered_models)
SAVED = altered_models.SAVED


@pytest.mark.parametrize("seed", [0, 1_000_000, 2_000_000])
def test_end_in_an_answer_or_an_error_of_the_tree(seed):
    assert altered_models.run(40, seed) == []


def refused(name, file, alter, tmp_path):
    """The sentence with which a model is refused whose file was altered."""
    files = {path.name: path.read_bytes() for path in (SAVED / name).iterdir() if path.name != bundle.MANIFEST}
    files[file] = alter(files[file])
    bundle.write(tmp_path / "model", files)
    with pytest.raises(BundleError) as caught:
        sluicegate.load(tmp_path / "model")
    return str(caught.value)


def setting(*path, value):
    def alter(content):
        config = json.loads(content)
        place = config
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return json.dumps(config).encode()

    return alter


def array(name, change):
    def alter(content):
        arrays = load_arrays(content)
        arrays[name] = np.ascontiguousarray(change(arrays[name]))
        return save_arrays(arrays)

    return alter


@pytest.mark.parametrize(
    ("name", "file", "alter", "expected"),
    [
        ("forecast-gru", "config.json", setting("season", value="24"), "season"),
        ("forecast-gru", "config.json", setting("shape", "layers", value=10**9), "shape.layers"),
        ("forecast-gru", "config.json", setting("shape", "hidden", value=2**20), "is of shape"),
        ("forecast-gru", "config.json", setting("axis", "zone", value="Nowhere/Land"), "time zone"),
        ("forecast-gru", "config.json", setting("axis", "step", value=0), "axis.step"),
        ("forecast-gru", "config.json", setting("quantiles", value=[0.9, 0.5, 0.25, 0.1]), "quantiles"),
        ("forecast-gru", "series.json", lambda _: b'["a", "a"]', "different series"),
        ("forecast-gru", "series.json", lambda _: b'["a", "\\ud800"]', "list of series"),
        ("forecast-gru", "scaler.safetensors", array("mean", lambda a: a * np.nan), "mean holds"),
        ("forecast-gru", "scaler.safetensors", array("tail", lambda a: a[:1]), "tail is of shape"),
        ("forecast-gru", "weights.safetensors", array("place", lambda a: a * np.inf), "place holds"),
        ("text-gru", "config.json", setting("classes", value=["bad", "bad"]), "classes"),
        ("text-gru", "config.json", setting("temperature", value=float("nan")), "temperature"),
        ("text-gru", "vocabulary.json", setting("model", "vocab", "film", value=10**9), "numbered"),
        ("text-gru", "arrays.safetensors", array("grams", lambda a: a[::-1]), "order"),
        ("series-gru", "config.json", setting("window", value=-1), "window"),
        ("series-gru", "arrays.safetensors", array("deviation", lambda a: a * 0), "deviation"),
        ("series-gru", "arrays.safetensors", array("prior", lambda a: a.astype(np.float32)), "type float32"),
    ],
)
def test_are_refused_with_the_file_and_the_place(name, file, alter, expected, tmp_path):
    sentence = refused(name, file, alter, tmp_path)
    assert sentence.startswith((file, "weights.safetensors"))
    assert expected in sentence


def test_a_config_that_is_no_object(tmp_path):
    with pytest.raises(BundleError):
        altered_models.restore(bundle.Bundle(tmp_path, {"config.json": b"[1]"}))

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


@pytest.fixture(scope="module")
def fresh():
    """The files of models of the present form."""
    trained = altered_models.fresh()
    return altered_models.models(trained)[-len(trained) :]


@pytest.mark.parametrize("seed", [0, 1_000_000, 2_000_000])
def test_end_in_an_answer_or_an_error_of_the_tree(seed, fresh):
    found = altered_models.run(40, altered_models.models([]) + fresh, seed)
    assert [altered_models.told(*one) for one in found] == []


def refused(model, file, alter, tmp_path):
    """The sentence with which a model is refused whose file was altered."""
    files = model
    if isinstance(model, str):
        files = {path.name: path.read_bytes() for path in (SAVED / model).iterdir() if path.name != bundle.MANIFEST}
    bundle.write(tmp_path / "model", {**files, file: alter(files[file])})
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
        ("actions-gru", "config.json", setting("shape", "whole", value=3), "shape.whole"),
        ("actions-gru", "config.json", setting("shape", "dimensions", value=4), "shape.dimensions"),
        ("actions-rnn", "arrays.safetensors", array("time_warping.truth", lambda a: a + 2), "time_warping.truth"),
        ("actions-causal", "arrays.safetensors", array("deviation", lambda a: a[:-1]), "deviation is of shape"),
    ],
)
def test_are_refused_with_the_file_and_the_place(name, file, alter, expected, tmp_path):
    sentence = refused(name, file, alter, tmp_path)
    assert sentence.startswith((file, "weights.safetensors"))
    assert expected in sentence


SHOPS, ZONED, RECORDINGS = 0, 1, 5  # among the models of the present form


@pytest.mark.parametrize(
    ("number", "file", "alter", "expected"),
    [
        (SHOPS, "config.json", setting("frame", value="cudf"), "frame"),
        (SHOPS, "config.json", setting("axis", "hours", "opens", value=[5, 3]), "open hours"),
        (SHOPS, "config.json", setting("axis", "hours", "closed", value=[[1, 2**39]]), "open hours"),
        (SHOPS, "config.json", setting("settings", "holidays", value=["2024-02-30"]), "settings.holidays"),
        (SHOPS, "config.json", setting("columns", "series", value=["shop"]), "tell series apart"),
        (SHOPS, "config.json", setting("columns", "series", value=None), "without a name"),
        (SHOPS, "series.json", lambda _: b'[["a", 1], ["a", "1"], ["b", 1], ["b", 2]]', "different series"),
        (SHOPS, "scaler.safetensors", array("gain", lambda a: a - 2), "gain holds"),
        (SHOPS, "scaler.safetensors", array("least", lambda a: a + 1), "least holds"),
        (SHOPS, "scaler.safetensors", array("grain", lambda a: a[:1]), "grain is of shape"),
        (SHOPS, "scaler.safetensors", array("future", lambda a: a[:, :-1]), "the future"),
        (SHOPS, "scaler.safetensors", array("future_starts", lambda a: a * 10**14), "future_starts holds"),
        (SHOPS, "scaler.safetensors", array("future_bounds", lambda a: a[::-1]), "the future"),
        (ZONED, "scaler.safetensors", array("linear", lambda a: a.T), "linear is of shape"),
        (ZONED, "scaler.safetensors", array("tail_lengths", lambda a: a + 1), "the last rows"),
        (ZONED, "metrics.json", setting("validation", "metrics", "mae", value="small"), "validation.metrics.mae"),
        (ZONED, "metrics.json", setting("validation", "notes", value="a note"), "validation.notes"),
        (ZONED, "metrics.json", lambda _: b"[]", "should be an object"),
    ],
)
def test_of_the_present_form_are_refused_too(number, file, alter, expected, fresh, tmp_path):
    sentence = refused(fresh[number], file, alter, tmp_path)
    assert sentence.startswith((file, "series.json"))
    assert expected in sentence


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("channels", lambda a: a + 100),
        ("channels_of", lambda a: a + 1),
        ("dilations", lambda a: a * 0),
        ("features_of", lambda a: a + 1),
        ("biases", lambda a: a[:-1]),
        ("biases", lambda a: a.astype(np.float64)),
    ],
)
def test_compiled_code_reads_only_what_fits(part, change, fresh, tmp_path):
    pytest.importorskip("sktime")
    alter = array(f"minirocket.{part}", change)
    assert "minirocket." in refused(fresh[RECORDINGS], "arrays.safetensors", alter, tmp_path)


def test_words_of_a_simple_method_are_in_their_order(tmp_path):
    def alter(content):
        return json.dumps({name: words[::-1] for name, words in json.loads(content).items()}).encode()

    assert "in their order" in refused("text-gru", "baselines.json", alter, tmp_path)


def test_a_config_that_is_no_object(tmp_path):
    with pytest.raises(BundleError):
        altered_models.restore(bundle.Bundle(tmp_path, {"config.json": b"[1]"}))

"""Every bit of the runtime's answers to texts is that of the whole library."""

import json

import pytest

from sluicegate import bundle, runtime
from sluicegate.errors import BundleError, ConfigError, DataError
from tests.tasks.saved_models import FOLDER

TEXTS = ["A LOVELY film, number 3", "dull", "", "unheard-of w\u00f6rds", "poor " * 600, "its cast is Great"]


def test_texts_are_told_apart_with_the_same_bits(text_classifiers):
    full, light = text_classifiers
    assert light.predict(TEXTS) == full.predict(TEXTS).rows(named=True)
    assert light.fingerprint == full.fingerprint


def test_no_bit_hangs_on_the_texts_beside_one_nor_on_threads(text_classifiers):
    _, light = text_classifiers
    expected = light.predict(TEXTS)
    assert [light.predict([text])[0] for text in TEXTS] == expected
    assert runtime.load(light.folder, threads=2).predict(TEXTS[::-1]) == expected[::-1]


def test_weights_of_other_sizes_are_refused(tmp_path):
    saved = bundle.read(FOLDER / "text-lstm")
    config = saved.json("config.json")
    config["shape"]["windows"] = [2, 4]
    bundle.write(tmp_path / "model", {**saved.files, "config.json": json.dumps(config).encode()})
    with pytest.raises(BundleError, match="does not hold together"):
        runtime.load(tmp_path / "model")


def test_what_is_no_text_is_refused(text_classifiers):
    _, light = text_classifiers
    assert light.predict([]) == []
    assert light.predict([None]) == light.predict([""])
    for wrong, why in (("dull", "a list of texts"), (7, "a list of texts"), (["dull", 7], "text 1 .* is int")):
        with pytest.raises(DataError, match=why):
            light.predict(wrong)
    with pytest.raises(ConfigError, match=r"has no stream.*call `predict`"):
        light.open_stream()

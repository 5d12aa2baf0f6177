"""Simple methods that were saved are held to what they must be."""

import json
from pathlib import Path

import numpy as np
import pytest

from sluicegate.bundle import Bundle
from sluicegate.errors import BundleError
from sluicegate.tasks.transcribe.baselines import hidden_markov
from sluicegate.tasks.transcribe.baselines.hidden_markov import HiddenMarkov
from sluicegate.tasks.transcribe.baselines.methods import Baselines
from sluicegate.tasks.transcribe.baselines.saved import BaselinesSchema, require_baselines
from sluicegate.tasks.transcribe.baselines.templates import Templates

SAVED = Bundle(Path("model"), {})


@pytest.fixture(scope="module")
def saved():
    """The arrays and the settings of methods that are trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hidden_markov, "_GAUSSIANS", (1, 1))
        rng = np.random.default_rng(0)
        heard = [rng.normal(size=(60, 39)).astype(np.float32) for _ in range(8)]
        texts = ["yes", "no"] * 4
        methods = Baselines(8000, (Templates.fit(heard, texts), HiddenMarkov.fit(heard, texts, ["yes no"])))
        return methods.arrays(), methods.settings()


def held(arrays, settings, prefix=""):
    config = BaselinesSchema.model_validate_json(json.dumps(settings))
    require_baselines(SAVED, "arrays", {prefix + name: array for name, array in arrays.items()}, config, prefix)
    return config


def test_what_was_saved_is_whole(saved):
    arrays, settings = saved
    config = held(arrays, settings, "method.")
    assert config.settings() == settings
    restored = Baselines.restored(arrays, config.settings())
    assert [method.name for method in restored.methods] == ["time_warping", "hidden_markov"]
    held({}, {"rate": 16000, "methods": {}})


def test_a_method_that_knows_no_word_is_whole_too():
    silent = HiddenMarkov.fit([np.zeros((9, 39), np.float32)], [""])
    methods = Baselines(8000, (silent,))
    held(methods.arrays(), methods.settings())


def changed(array, at, value):
    found = array.copy()
    found[at] = value
    return found


ALTERED = {
    "time_warping.known": lambda a: a[:, :-1],
    "time_warping.lengths": lambda a: a[::-1] + np.arange(len(a))[::-1],
    "time_warping.truth": lambda a: changed(a, 0, 2),
    "hidden_markov.means": lambda a: changed(a, 0, np.nan),
    "hidden_markov.variances": lambda a: changed(a, 0, 0.0),
    "hidden_markov.weights": lambda a: np.full_like(a, -1e30),
    "hidden_markov.stay": lambda a: changed(a, 0, 0.0),
    "hidden_markov.pairs": lambda a: changed(a, (0, 1), 3),
    "hidden_markov.spelled": lambda a: changed(a, 0, 5),
    "hidden_markov.lengths": lambda a: a + 1,
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_was_altered_is_refused(saved, name):
    arrays, settings = saved
    with pytest.raises(BundleError, match=name):
        held({**arrays, name: ALTERED[name](arrays[name])}, settings)
    with pytest.raises(BundleError, match=f"{name} is missing"):
        held({other: array for other, array in arrays.items() if other != name}, settings)
    with pytest.raises(BundleError, match="of type"):
        held({**arrays, name: arrays[name].astype(np.float64)}, settings)


def test_more_words_than_arrays_are_refused(saved):
    arrays, settings = saved
    facts = settings["methods"]["hidden_markov"]
    for change in ({"words": [*facts["words"], "x"]}, {"letters": ["a"]}, {"size": 4}, {"words": ["yes", "n o"]}):
        methods = {**settings["methods"], "hidden_markov": {**facts, **change}}
        with pytest.raises(BundleError):
            held(arrays, {**settings, "methods": methods})

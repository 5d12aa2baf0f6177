"""Models that were saved in int8 answer with the bits of the whole library, and are exported as they are."""

import json

import numpy as np
import pytest

import sluicegate
from sluicegate import bundle, runtime
from sluicegate.errors import BundleError
from sluicegate.export import of_folder, write_c
from sluicegate.export.layers import is_whole
from sluicegate.nn import quantize
from tests.export.conftest import needs, run_test
from tests.runtime.conftest import rows_for
from tests.tasks.saved_models import FOLDER

NAMES = ("forecast-gru", "forecast-lstm", "series-causal", "series-rnn", "text-gru", "text-lstm", "text-mingru")


def in_int8(name, place):
    """A saved model with its layers in int8; without data, the input of the first layers stays in floats."""
    task = sluicegate.load(FOLDER / name)
    object.__setattr__(task.trained, "model", quantize(task.trained.model))
    task.save(place / name)
    return sluicegate.load(place / name), runtime.load(place / name)


@pytest.fixture(params=NAMES)
def both(request, tmp_path):
    full, light = in_int8(request.param, tmp_path)
    assert light.fingerprint == full.fingerprint
    return request.param, full, light


def test_answers_have_the_same_bits(both):
    name, full, light = both
    if name.startswith("text"):
        texts = ["A LOVELY film, number 3", "dull", "", "poor " * 600]
        assert light.predict(texts) == full.predict(texts).rows(named=True)
    elif name.startswith("series"):
        steps = np.random.default_rng(0).normal(size=(30, 2)).round(4)
        assert light.open_stream().push(steps) == full.open_stream().push(steps).rows(named=True)
        assert light.predict([steps]) == full.predict([steps]).drop("recording").rows(named=True)
    else:
        rows, future = rows_for(full, 12)
        known = {"future": future} if full.trained.columns.known else {}
        for frame, found in zip(
            full.open_stream().push(rows, **known), light.open_stream().push(rows, **known), strict=True
        ):
            assert all(list(found[column]) == frame[column].to_list() for column in frame.columns)


@pytest.mark.parametrize("name", ["forecast-lstm", "series-causal"])
def test_they_are_exported_as_they_are(name, tmp_path):
    needs("gcc")
    in_int8(name, tmp_path)
    network = of_folder(tmp_path / name)
    assert is_whole(network.members[0].layers[0])
    write_c(network, tmp_path)
    run_test(tmp_path, "model")


def test_another_version_of_int8_is_refused(tmp_path):
    in_int8("series-causal", tmp_path)
    saved = bundle.read(tmp_path / "series-causal")
    config = saved.json("config.json")
    config["int8"]["version"] = 9
    bundle.write(tmp_path / "model", {**saved.files, "config.json": json.dumps(config).encode()})
    with pytest.raises(BundleError, match="save it in int8 again"):
        runtime.load(tmp_path / "model")

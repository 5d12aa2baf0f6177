"""Trained models in another precision: measured, saved, loaded, and refused in a sentence."""

import json
import sys
from pathlib import Path

import jaxtyping
import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate import bundle
from sluicegate.errors import BundleError, ConfigError, SnapshotError
from sluicegate.tasks import registry
from sluicegate.tasks.precision import Cost

sys.path.insert(0, str(Path(__file__).parent))

from next_value import NextValue

TABLE = pl.DataFrame({"y": np.sin(np.arange(60) / 3)})
LATER = pl.DataFrame({"y": np.sin(np.arange(60, 100) / 3)})
ROWS = LATER["y"].to_list()


@pytest.fixture(autouse=True)
def _known_here_alone():
    registry.register(NextValue.name, NextValue)
    yield
    registry.forget(NextValue.name)


@pytest.fixture
def unchecked(monkeypatch):
    """Turn off the run-time check of annotations, which a user does not have, to see our own refusals."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="module")
def task():
    return NextValue(hidden=12).fit(TABLE, value="y", progress=False)


@pytest.fixture
def small(task):
    return task.quantized(LATER, allow_loss=True)


def altered(task, folder, alter):
    files = task.files()
    config = json.loads(files[bundle.CONFIG])
    alter(config)
    bundle.write(folder, {**files, bundle.CONFIG: json.dumps(config).encode()})


def test_is_near_and_leaves_the_model_as_it_was(task, small):
    exact, found = (one.predict(LATER)["next"].to_numpy() for one in (task, small))
    assert 0 < np.abs(exact - found).max() < 0.05
    assert task.predict(LATER)["next"].to_numpy().tobytes() == exact.tobytes()


def test_is_saved_and_loaded_to_the_bit(task, small, tmp_path):
    task.save(tmp_path / "model", precision="int8", validation=LATER, allow_loss=True)
    again = sluicegate.load(tmp_path / "model")
    assert again.predict(LATER).equals(small.predict(LATER))
    assert again.fingerprint == small.fingerprint
    again.save(tmp_path / "copy")
    assert sluicegate.load(tmp_path / "copy", precision="int8").predict(LATER).equals(small.predict(LATER))
    arrays = bundle.read(tmp_path / "model").tensors("weights.safetensors")
    assert arrays["weight_hh_l0"].dtype == np.int8
    assert arrays["weight_ih_l0"].dtype == np.float32  # of one feature


def test_streams_have_the_bits_of_the_prediction(small):
    stream, expected = small.open_stream(), small.predict(LATER)["next"].to_list()
    assert [answer["next"] for answer in stream.push(ROWS)] == expected
    assert small.open_stream().fingerprint != NextValue(hidden=12).fit(TABLE, value="y").open_stream().fingerprint


def test_snapshots_of_the_floats_are_of_another_model(task, small):
    for other in (small, task.to_precision("bf16")):
        with pytest.raises(SnapshotError, match="another model"):
            other.open_stream().restore(task.open_stream().snapshot())


def test_the_card_says_what_it_cost(task, tmp_path):
    other = NextValue(hidden=12, seed=1).fit(TABLE, value="y", progress=False)
    task.quantized(LATER, allow_loss=True, seeds=[other]).save(tmp_path / "model")
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert "## Precision" in card
    assert "In int8 mae is" in card
    assert "models of other seeds are" in card
    again = sluicegate.load(tmp_path / "model")
    again.save(tmp_path / "again")
    assert (tmp_path / "again" / "MODEL_CARD.md").read_text() == card


def test_a_loss_beyond_the_limit_is_refused(task, monkeypatch):
    figures = iter([{"mae": 1.0}, {"mae": 1.006}])
    compared = NextValue._compared

    def worse(self, trained, examples):
        return {**compared(self, trained, examples), "model": next(figures)}

    monkeypatch.setattr(NextValue, "_compared", worse)
    with pytest.raises(ConfigError, match=r"a loss of 0.60 %; .* more than the 0.5 % that are taken: keep 32-bit"):
        task.quantized(LATER)


@pytest.mark.parametrize(
    ("ideal", "fp32", "int8", "taken"),
    [
        (0.0, 1.0, 1.004, True), (0.0, 1.0, 1.006, False), (0.0, 1.0, 0.5, True), (0.0, 0.0, 0.0, True),
        (0.0, 0.0, 0.1, False), (1.0, 0.9, 0.8992, True), (1.0, 0.9, 0.898, False), (1.0, 0.9, 0.95, True),
        (100.0, 30.0, 29.95, True), (100.0, 30.0, 29.8, False), (1.0, 0.9, float("nan"), False),
    ],
)  # fmt: skip
def test_what_loss_is_taken(ideal, fp32, int8, taken):
    cost = Cost.model_construct(metric="m", ideal=ideal, fp32=fp32, int8=int8, spread=None)
    if taken:
        cost.require_small()
        return
    with pytest.raises(ConfigError, match="are taken"):
        cost.require_small()


@pytest.mark.usefixtures("unchecked")
def test_other_precisions_of_a_model(task, small, tmp_path):
    task.save(tmp_path / "floats")
    small.save(tmp_path / "small")
    load = sluicegate.load
    assert load(tmp_path / "floats", precision="fp32").predict(LATER).equals(task.predict(LATER))
    for precision in ("bf16", "int8"):
        found = load(tmp_path / "floats", precision=precision).predict(LATER)["next"].to_numpy()
        assert 0 < np.abs(found - task.predict(LATER)["next"].to_numpy()).max() < 0.1
    for precision in ("fp32", "bf16"):
        with pytest.raises(ConfigError, match="whose floats are gone"):
            load(tmp_path / "small", precision=precision)
    with pytest.raises(ConfigError, match='must be "fp32", "bf16" or "int8"'):
        load(tmp_path / "floats", precision="int4")
    with pytest.raises(ConfigError, match="in int8 already"):
        small.quantized(LATER)
    with pytest.raises(ConfigError, match="its floats are gone"):
        small.save(tmp_path / "other", precision="fp32")


@pytest.mark.usefixtures("unchecked")
def test_saving_asks_for_rows_and_a_precision(task, tmp_path):
    with pytest.raises(ConfigError, match="`validation` is missing"):
        task.save(tmp_path / "model", precision="int8")
    with pytest.raises(ConfigError, match="`precision` \\(='int4'\\)"):
        task.save(tmp_path / "model", precision="int4")
    assert not (tmp_path / "model").exists()


def test_a_model_of_another_version_of_int8_is_refused(small, tmp_path):
    altered(small, tmp_path / "model", lambda config: config["int8"].update(version=2))
    with pytest.raises(BundleError, match="quantized for version 2 of int8, and this release computes version 1"):
        sluicegate.load(tmp_path / "model")


def test_whole_numbers_that_the_settings_do_not_tell_of_are_refused(small, tmp_path):
    altered(small, tmp_path / "model", lambda config: config.pop("int8"))
    with pytest.raises(BundleError, match="'bias_ih_l0' is missing"):
        sluicegate.load(tmp_path / "model")


def test_arrays_that_are_altered_are_refused(small, tmp_path):
    from safetensors.numpy import load, save

    files = small.files()
    for name, value in (("weight_hh_l0", np.zeros((36, 11), np.int8)), ("scale_hh_l0", np.full(36, np.nan, "f4"))):
        arrays = {**load(files["weights.safetensors"]), name: value}
        bundle.write(tmp_path / "model", {**files, "weights.safetensors": save(arrays)})
        with pytest.raises(BundleError, match=name):
            sluicegate.load(tmp_path / "model")


def test_tasks_that_write_are_computed_in_floats(monkeypatch):
    task = sluicegate.Translator()
    monkeypatch.setattr(type(task), "trained", None)
    with pytest.raises(ConfigError, match="task translate is computed in floats alone: int8 is for forecast and"):
        task.quantized([])

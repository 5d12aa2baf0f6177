"""What computes the streams of each kind of model."""

import json
import urllib.request

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import SnapshotError, StreamError
from sluicegate.serve import Limits
from sluicegate.serve.engines import LayerEngine, SeriesEngine, StreamEngine, engine_of, require_engine
from sluicegate.serve.measures import Measures
from sluicegate.serve.version import Version


@pytest.fixture(scope="module")
def loads():
    return [{"hour": hour, "load": 10 + hour % 12 + hour % 5 / 5} for hour in range(120)]


@pytest.fixture(scope="module")
def forecaster(loads):
    task = sluicegate.Forecaster(horizon=3, context=12, season=12, hidden=4, steps=5)
    return task.fit(pl.DataFrame(loads[:100]), time="hour", target="load", progress=False)


@pytest.fixture(scope="module")
def classifier():
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=(20, 2)) + number % 2 for number in range(12)]
    task = sluicegate.SeriesClassifier(causal=True, folds=1, hidden=4, steps=5)
    return task.fit(waves, ["low", "high"] * 6, progress=False)


def test_each_model_has_the_engine_that_suits_it(layer, forecaster, classifier):
    assert isinstance(engine_of(layer, 2), LayerEngine)
    assert isinstance(engine_of(forecaster, 2), StreamEngine)
    assert isinstance(engine_of(classifier, 2), SeriesEngine)


def test_a_model_without_streams_says_which_have_some():
    task = sluicegate.TextClassifier()
    assert engine_of(task, 2) is None
    with pytest.raises(StreamError, match=r"classify-text has no stream.*forecast"):
        require_engine(None, task)
    version = Version("texts", task, Limits(), Measures())
    assert version.about() == {"name": "texts", "task": "classify-text", "version": "", "streams": False}
    with pytest.raises(StreamError, match="classify-text has no stream"), version.lent():
        pass


def test_a_task_is_answered_as_its_own_stream_answers(forecaster, loads):
    engine, stream = engine_of(forecaster, 2), forecaster.open_stream()
    for slot in (0, 1):
        engine.open(slot)
    for row in loads[:5]:
        first, second = engine.push(np.array([0, 1]), [row, row])
        whole = stream.push(row)
        assert first == second == {"forecast": whole.to_dicts()}
    (refused,) = engine.push(np.array([0]), [{"hour": 2, "load": "?"}])
    assert isinstance(refused, sluicegate.DataError)
    (refused,) = engine.push(np.array([0]), [[1, 2]])
    assert "the row is a list" in str(refused)
    assert engine.snapshot(0) == engine.snapshot(1) == stream.snapshot()
    engine.close(0)
    engine.restore(0, stream.snapshot())
    assert engine.push(np.array([0]), [loads[5]]) == engine.push(np.array([1]), [loads[5]])
    with pytest.raises(SnapshotError):
        engine.restore(2, b"?")
    assert engine.finish(0) is None


def test_a_fault_of_one_row_costs_no_other_its_answer(forecaster, loads, monkeypatch):
    engine = engine_of(forecaster, 2)
    for slot in (0, 1):
        engine.open(slot)

    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(engine._streams[0], "push", fail)
    broken, fine = engine.push(np.array([0, 1]), [loads[0], loads[0]])
    assert isinstance(broken, StreamError)
    assert "forecast" in fine


def test_a_classifier_is_answered_as_its_own_stream_answers(classifier):
    engine, stream = engine_of(classifier, 3), classifier.open_stream()
    assert engine.outputs == ("probability_high", "probability_low")
    engine.open(2)
    for row in np.random.default_rng(1).normal(size=(4, 2)):
        (shown,) = engine.shown(engine.push(np.array([2]), row[None]))
        assert shown == stream.push(row)
    assert engine.snapshot(2) == stream.snapshot()


def test_tasks_over_http(forecaster, classifier, loads, run_server):
    with run_server({"load": forecaster, "waves": classifier}) as (address, _):

        def post(path, body):
            with urllib.request.urlopen(f"{address}/v1/models/{path}", json.dumps(body).encode(), 10) as answer:
                return json.load(answer)

        whole = forecaster.predict(pl.DataFrame(loads[:50])).to_dicts()
        assert post("load/predict", {"rows": loads[:50]}) == {"rows": whole}
        state, stream = None, classifier.open_stream()
        for row in ([0.5, 1.0], [1.5, 0.0]):
            body = {"rows": [dict(zip(("channel 0", "channel 1"), row, strict=True))]}
            said = post("waves/step", body if state is None else {**body, "snapshot": state})
            state = said["snapshot"]
            assert said["answers"] == [stream.push(np.array(row))]


def test_drift_is_told_from_what_training_had(forecaster, classifier):
    columns, mean, deviation = classifier.input_scale
    assert columns == ("channel 0", "channel 1")
    assert mean == pytest.approx([0.5, 0.5], abs=0.3)
    assert deviation == pytest.approx([1.1, 1.1], abs=0.3)
    assert forecaster.input_scale.columns == ("load",)
    assert sluicegate.TextClassifier().input_scale is None

"""A forked process uses a model that its parent has loaded and used: nothing waits for threads that it lacks."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PRELUDE = """
import os
import signal
from multiprocessing import get_context

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch

import sluicegate


def use_all_threads():
    torch.set_num_threads(2)
    x = torch.ones(1000, 1000)
    (x @ x).exp().sum()
    frame = pl.DataFrame({"a": range(1000), "b": range(1000)})
    frame.select(pl.col("a").sum(), pl.col("b").max()).to_pandas()
    frame.sort("a").with_columns(pl.col("a").cast(pl.String)).to_arrow()


def forked(*jobs):
    for job in jobs:
        child = os.fork()
        if child == 0:
            signal.alarm(150)
            job()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def kinds(table):
    return table, pl.from_pandas(table), pa.Table.from_pandas(table)


saved = {saved!r}
"""


def run(program, **environment):
    saved = str(Path(__file__).parent / "tasks" / "saved")
    code = PRELUDE.replace("{saved!r}", repr(saved)) + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "fork" not in done.stderr


def test_forecaster():
    run(
        """
        import functools

        def table(zone, text=False):
            days = pd.date_range("2024-01-01", periods=60, tz=zone)
            y = np.arange(60) % 7 + 10.0
            whole = pd.concat([pd.DataFrame({"id": name, "time": days, "sales": y}) for name in "ab"])
            return whole.assign(time=whole["time"].astype(str).str[:10]) if text else whole

        def fit(frame):
            task = sluicegate.Forecaster(5, context=14, hidden=4, steps=4)
            return task.fit(frame, time="time", target="sales", series="id", progress=False)

        first = fit(table("Europe/Berlin"))
        expected = first.predict(table("Europe/Berlin"))["mean"].tolist()
        use_all_threads()
        jobs = [functools.partial(first.evaluate, table("Europe/Berlin"), start="2024-02-20", baselines=[])]
        for frame in kinds(table("Europe/Berlin")):
            jobs.append(lambda frame=frame: np.testing.assert_array_equal(first.predict(frame)["mean"], expected))
        jobs += [lambda: fit(table(None)), lambda: fit(table(None, text=True).sort_values("time"))]
        forked(*jobs)
        with get_context("fork").Pool(1) as pool:
            assert pool.apply_async(first.predict, (table("Europe/Berlin"),)).get(60)["mean"].tolist() == expected
        assert first.predict(table("Europe/Berlin"))["mean"].tolist() == expected
        """
    )


@pytest.mark.parametrize("parallel", ["true", None])
def test_text_classifier(parallel):
    run(
        """
        model = sluicegate.load(saved + "/text-gru")
        texts, labels = ["a fine film", "a dull one", None], ["good", "bad", "bad"]
        table = pd.DataFrame({"text": texts * 40, "label": labels * 40, "by": 1})
        expected = model.predict(table)["probability"].tolist()
        use_all_threads()

        def fit():
            sluicegate.TextClassifier(epochs=1, folds=1, hidden=4, embedding=4).fit(table, progress=False)

        def predict(frame):
            np.testing.assert_array_equal(model.predict(frame)["probability"], expected)

        forked(
            *[lambda frame=frame: predict(frame) for frame in kinds(table)],
            lambda: model.predict(["a fine film"] * 9),
            lambda: model.explain("a fine film"),
            lambda: model.evaluate(table, groups="by"),
            fit,
        )
        """,
        **({} if parallel is None else {"TOKENIZERS_PARALLELISM": parallel}),
    )


def test_series_classifier():
    run(
        """
        from sluicegate.tasks.classify_series import baselines, trained

        model = sluicegate.load(saved + "/series-gru")
        recordings = [np.outer(np.sin(np.arange(20) * speed), [1, 2]) for speed in (0.3, 0.9) * 10]
        labels = ["slow", "fast"] * 10
        steps = np.tile(np.arange(20), 20)
        rows = pd.DataFrame({"n": np.repeat(np.arange(20), 20), "step": steps, "label": np.repeat(labels, 20)})
        rows["x"] = np.concatenate([recording[:, 0] for recording in recordings])
        expected = model.predict(recordings)["probability"].to_list()
        model.evaluate(recordings, labels)
        use_all_threads()
        for module in (baselines, trained):
            module.has_minirocket = lambda: False

        def fit():
            task = sluicegate.SeriesClassifier(steps=4, folds=1, hidden=4)
            return task.fit(rows, series="n", time="step", progress=False)

        trained = fit()
        forked(
            lambda: np.testing.assert_array_equal(model.predict(recordings)["probability"], expected),
            lambda: model.evaluate(recordings, labels),
            lambda: model.explain(recordings[0]),
            *[lambda frame=frame: trained.predict(frame) for frame in kinds(rows)],
            fit,
        )
        """
    )

"""A forecast's report shows what the table holds and what was measured, and it outlives the model's saving."""

import re
import tempfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import BundleError
from sluicegate.metrics import METRICS
from sluicegate.tasks.forecast.card import forecast_card
from sluicegate.tasks.forecast.pictures import draw
from sluicegate.tasks.forecast.report import MEASURES
from sluicegate.tasks.report.figures import figure
from sluicegate.tasks.results import Results

SVG = "{http://www.w3.org/2000/svg}"


def table(names=("a", "b", "c"), rows=120, targets=("y",), gaps=False):
    rng = np.random.default_rng(0)
    parts = []
    for i, name in enumerate(names):
        days = np.arange(rows + i)
        values = {
            target: 10.0
            * (i + 1)
            * (1 + j + 0.3 * np.sin(2 * np.pi * days / 7) + 0.02 * (i + 1) * rng.normal(size=len(days)))
            for j, target in enumerate(targets)
        }
        if gaps:
            values["y"][[90, rows - 2]] = np.nan
        time = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 1) + pl.duration(days=len(days) - 1), eager=True)
        parts.append(pl.DataFrame({"id": [name] * len(days), "day": time, **values}))
    return pl.concat(parts)


def fit(data, target="y", series="id", time="day", horizon=5, steps=2, **settings):
    task = sluicegate.Forecaster(horizon, context=14, steps=steps, hidden=8, batch=8, **settings)
    return task.fit(data, time=time, target=target, series=series, progress=False)


def texts(picture):
    return [element.text for element in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def data():
    return table()


@pytest.fixture(scope="module")
def trained(data):
    return fit(data.filter(pl.col("day") < pl.date(2024, 4, 20)))


@pytest.fixture(scope="module")
def report(trained):
    return trained.report


@pytest.fixture(scope="module")
def pictures(report):
    return report.draw()


@pytest.fixture(scope="module")
def evaluated(trained, data):
    """A forecaster that was loaded and evaluated, its last report, and the report's page."""
    with tempfile.TemporaryDirectory() as folder:
        trained.save(f"{folder}/model")
        loaded = sluicegate.load(f"{folder}/model")
    report = loaded.evaluate(data, start="2024-04-21", stride=2, baselines=())
    return loaded, report, report.to_html()


def titles(pictures):
    return [picture.title for picture in pictures]


def test_the_measures_are_those_of_the_metrics():
    assert tuple(measure.name for measure in MEASURES) == METRICS
    assert {measure.name: measure.ideal for measure in MEASURES if measure.ideal} == {"coverage_80": 0.8}


# The examples


def test_an_examples_truth_is_the_tables(data, report):
    assert len(report.details["examples"]) == 4
    for example in report.details["examples"]:
        rows = data.filter(pl.col("id") == example["series"], pl.col("day").cast(str).is_in(example["time"]))
        assert rows["y"].to_list() == example["truth"]
        assert rows["day"].cast(str).to_list() == example["time"]
        assert example["before"] == 14
        assert len(example["time"]) == 14 + 5
        assert len(example["simple"]) == 5
        assert np.all(np.diff([example["low"], example["median"], example["high"]], axis=0) >= 0)


def test_an_example_is_what_predict_gives(data, trained, report):
    for example in report.details["examples"]:
        origin = example["time"][example["before"]]
        history = data.filter(pl.col("id") == example["series"], pl.col("day").cast(str) < origin)
        frame = trained.predict(history)
        for column, name in {"mean": "mean", "q10": "low", "q50": "median", "q90": "high"}.items():
            np.testing.assert_allclose(example[name], frame[column], rtol=1e-5)


def test_examples_go_from_the_best_series_to_the_worst_and_over_all_of_the_time(trained, data):
    report = trained.evaluate(data, start="2024-04-01", baselines=())
    errors, scale = report.details["mae_by_series"]["model"], report.details["scale_by_series"]
    order = sorted(errors, key=lambda name: errors[name] / scale[name])
    examples = report.details["examples"]
    assert order[0] == f"{examples[0]['series']} y"
    assert order[-1] == f"{examples[-1]['series']} y"
    assert [example["rank"] for example in examples][0::3] == [1, 3]
    origins = [example["time"][example["before"]] for example in examples]
    assert origins == sorted(origins)
    assert len(set(origins)) == 4


def test_an_examples_caption_has_its_errors(report, pictures):
    for example, picture in zip(report.details["examples"], pictures, strict=False):
        truth = np.array(example["truth"][example["before"] :])
        for name in ("median", "simple"):
            assert figure(np.abs(truth - example[name]).mean()) in picture.caption


def test_values_that_were_filled_in_are_not_drawn_as_truth():
    report = fit(table(gaps=True), fill="linear").report
    for example in report.details["examples"]:
        gone = [t for t, value in zip(example["time"], example["truth"], strict=True) if np.isnan(value)]
        assert set(gone) <= {"2024-03-31", "2024-04-28"}
    assert any(np.isnan(example["truth"]).any() for example in report.details["examples"])
    assert figure(report.metrics["mase"]) in report.verdict


# The pictures


def test_every_picture_is_small_xml_with_words_on_its_axes(report, pictures):
    assert titles(pictures)[-3:] == ["Error by step ahead", "Error by series", "Learning curve"]
    for picture in pictures:
        assert len(picture.svg) < 30_000
        assert texts(picture)
        assert picture.caption
    best = report.details["best"].replace("_", " ")
    assert {"truth", "80 % interval", "median forecast", best, "y"} <= set(texts(pictures[0]))
    assert {"steps ahead, 1 day each", "mean absolute error", "model"} <= set(texts(pictures[4]))
    assert {"MASE", "a", "b", "c"} <= set(texts(pictures[5]))
    assert {"optimiser steps", "training", "validation"} <= set(texts(pictures[6]))


def test_the_same_details_give_the_same_bytes(report, pictures):
    assert draw(report.details) == pictures


def test_nothing_is_drawn_until_it_is_asked_for(trained, data, monkeypatch):
    drawn = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *_, **__: drawn.append(1))
    report = trained.evaluate(data, start="2024-04-22", baselines=())
    str(report)
    report.to_json()
    assert not drawn


def test_the_chosen_step_is_the_best_one(report, pictures):
    curve = report.details["curve"]
    best = curve["steps"][int(np.argmin(curve["validation"]))]
    assert f"chosen, step {best}" in texts(pictures[-1])


def test_many_series_are_a_curve_and_the_ten_worst():
    report = fit(table(tuple(f"s{i}" for i in range(24)), rows=60)).report
    pictures = report.draw()
    assert titles(pictures)[-3:] == ["Error over the series", "The 10 worst of 24 series", "Learning curve"]
    errors, scale = report.details["mae_by_series"]["model"], report.details["scale_by_series"]
    worst = sorted(errors, key=lambda name: -errors[name] / scale[name])[:10]
    named = [text for text in texts(pictures[-2]) if re.fullmatch(r"s\d+", text)]
    assert named == [name.removesuffix(" y") for name in worst]


def test_one_series_has_no_comparison_of_series(data):
    report = fit(data.filter(id="a"), series=None).report
    pictures = report.draw()
    assert "Error by series" not in titles(pictures)
    assert titles(pictures)[0].startswith("y from 2024-")


def test_several_targets_are_named():
    data = table(targets=("y", "z"))
    report = fit(data, target=["y", "z"]).report
    assert {"a y", "c z"} <= set(texts(report.draw()[-2]))


def test_a_series_that_never_changes():
    data = table().with_columns(y=pl.when(pl.col("id") == "b").then(7.0).otherwise("y"))
    report = fit(data).report
    assert "b" not in {example["series"] for example in report.details["examples"]}
    assert "1 series that never changed have none." in report.draw()[-2].caption
    alone = fit(data.filter(id="b"), series=None).report
    assert len(alone.draw()) >= 3
    assert alone.metrics["mae"] == 0


def test_whole_numbers_one_step_and_names_that_are_markup():
    data = table().with_columns(day=pl.int_range(pl.len()).over("id") + 1000).rename({"y": "<i>$y$</i>", "day": "d_1"})
    report = fit(data, target="<i>$y$</i>", time="d_1", horizon=1).report
    pictures = report.draw()
    assert {"<i>$y$</i>", "d_1"} <= set(texts(pictures[0]))
    assert "Error by step ahead" not in [picture.title for picture in pictures]
    assert any(re.fullmatch(r"1,\d{3}", text) for text in texts(pictures[0]))


def test_names_in_any_script_draw_without_a_warning():
    report = fit(table(("東京", "a" * 200, "ل\u200f\x07"))).report
    for picture in report.draw():
        ElementTree.fromstring(picture.svg)


def test_a_long_horizon_is_thinned(report):
    example = dict(report.details["examples"][0])
    rng = np.random.default_rng(0)
    rows = 20_000
    values = rng.normal(size=rows)
    example |= {"time": list(range(2 * rows)), "before": rows, "truth": rng.normal(size=2 * rows).tolist()}
    example |= {
        "low": (values - 1).tolist(),
        "median": values.tolist(),
        "high": (values + 1).tolist(),
        "simple": values.tolist(),
    }
    axis = report.details["axis"] | {"whole_numbers": True}
    (picture, *_) = draw(report.details | {"examples": [example], "axis": axis})
    assert len(picture.svg) < 300_000


# Words


def test_the_facts(data, evaluated):
    facts = evaluated[1].facts
    assert facts["evaluated"] == "2024-04-21 to 2024-05-01"
    assert facts["table"] == f"{len(data)} rows, 2024-01-01 to 2024-05-01"
    assert facts["origins"] == "one every 2 steps"
    assert facts["horizon"] == "5 steps of 1 day"
    assert facts["seasonal naive"] == "repeats the value 7 steps ago, a season"


def test_rows_that_chose_the_model_are_said_to_flatter_it(trained, data):
    flattered = "chose when training stopped"
    assert flattered in " ".join(trained.report.notes)
    assert flattered not in " ".join(trained.evaluate(data, baselines=()).notes)


def test_the_verdict_has_the_figures_of_the_model_and_of_the_best_simple_method(report):
    best = min(report.baselines, key=lambda name: report.baselines[name]["mase"])
    assert best.replace("_", " ") in report.verdict
    for metrics in (report.metrics, report.baselines[best]):
        assert figure(metrics["mase"]) in report.verdict


# The saved model


def test_saving_writes_the_reports(trained, evaluated, tmp_path):
    task, report, page = evaluated
    task.save(tmp_path / "one")
    assert (tmp_path / "one" / "report.html").read_text() == page
    loaded = sluicegate.load(tmp_path / "one")
    assert loaded.report.as_dict() == trained.report.as_dict()
    assert str(loaded.report) == str(trained.report)
    card = (tmp_path / "one" / "MODEL_CARD.md").read_text()
    for text in (report.verdict, trained.report.verdict, "3 series, told apart by id", "sluicegate.load"):
        assert text in card
    for metrics in (*report.rows.values(), *trained.report.rows.values()):
        assert all(figure(value) in card for value in metrics.values())
    loaded.save(tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_figures_that_do_not_hold_together_are_refused(trained, tmp_path):
    files = trained._trained.files("forecast", trained.config)
    for content in (b"[]", b"{}", b'{"validation": 1, "evaluation": null}', b'{"validation": {"title": "x"}}'):
        sluicegate.bundle.write(tmp_path / "model", {**files, "metrics.json": content})
        with pytest.raises(BundleError, match=r"metrics\.json"):
            sluicegate.load(tmp_path / "model")


def test_a_card_shows_markup_in_names_as_text(tmp_path):
    data = table().rename({"y": "a|b <i>*"})
    task = fit(data, target="a|b <i>*")
    results = Results(replace(task.report, draw=list))
    files = results.files(forecast_card(task.config, task._trained, results))
    card = files["MODEL_CARD.md"].decode()
    assert "a\\|b \\<i\\>\\*" in card
    assert "<i>" not in card + files["report.html"].decode()

"""The translator learns, says the same however it is asked, and is honest beside a dictionary."""

import json
import re

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError, NotFittedError
from sluicegate.metrics.translation import scored
from sluicegate.tasks.checks import Case, checks
from sluicegate.training.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def case(table, quick):
    few = table.head(60)
    return Case(
        make=lambda seed, **knobs: sluicegate.Translator(**quick | {"seed": seed, "epochs": 1, **knobs}),
        fit=lambda task: task.fit(few, progress=False),
        data=few,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_learns_to_translate(trained, pairs):
    other = pairs(60, seed=1)
    report = trained.evaluate(other)
    assert report.metrics["bleu"] > 60
    questions = trained.evaluate(other.filter(pl.col("source").str.ends_with("?")))  # whose words come in another order
    assert questions.metrics["bleu"] > questions.baselines["word_by_word"]["bleu"] + 20
    written = trained.predict(other)["text"].to_list()
    assert report.metrics == scored(written, other["target"].to_list())._asdict()
    assert questions.verdict.startswith("Use the model: its bleu")


@pytest.mark.parametrize("cell", ["lstm", "rnn", "mingru", "ligru"])
def test_cells(cell, table, quick, pairs, tmp_path):
    task = sluicegate.Translator(cell=cell, **quick | {"epochs": 5}).fit(table, progress=False)
    curve = task.trained.curve
    assert curve.validation[-1] < 0.7 * curve.validation[0]
    task.save(tmp_path / "m")
    texts = pairs(5, seed=2)["source"].to_list()
    assert sluicegate.load(tmp_path / "m").translate(texts).equals(task.translate(texts))


def test_a_frame_of_the_callers_kind(trained, table):
    found = trained.predict(table.head(7))
    assert isinstance(found, pl.DataFrame)
    assert found.columns == ["row", "alternative", "text", "score", "confidence"]
    assert found["row"].to_list() == list(range(7))
    assert type(trained.predict(table.head(2).to_pandas())).__module__.startswith("pandas")
    assert type(trained.predict(table.head(2).to_arrow())).__module__.startswith("pyarrow")
    assert trained.predict(table["source"].head(7).to_list()).equals(found)
    assert trained.predict([]).is_empty()


def test_confidence_has_a_probability_for_each_word(trained, table):
    for one in trained.translate(table.head(20), alternatives=3).iter_rows(named=True):
        assert len(one["confidence"]) == len(one["text"].split())
        assert all(0 < chance <= 1 for chance in one["confidence"])


def test_alternatives_are_different_and_in_order(trained, table):
    found = trained.translate(table.head(9), alternatives=3)
    assert found.group_by("row").len()["len"].to_list() == [3] * 9
    for row in range(9):
        mine = found.filter(row=row)
        assert mine["alternative"].to_list() == [0, 1, 2]
        assert mine["score"].is_sorted(descending=True)
    assert found.filter(alternative=0).drop("alternative").equals(trained.predict(table.head(9)).drop("alternative"))
    for number in (0, 4):
        with pytest.raises(ConfigError, match=re.escape(f"`alternatives` (={number}) must be from 1 to the width")):
            trained.translate(["a"], alternatives=number)


def test_a_text_does_not_depend_on_its_company(trained, table):
    """To the bit, in any order."""
    texts = [*table["source"].head(20).to_list(), "", "völlig anders geschrieben: 12", "Hund " * 40]
    together = trained.translate(texts, alternatives=2)
    backwards = trained.translate(texts[::-1], alternatives=2)
    for row, text in enumerate(texts):
        mine = together.filter(row=row).drop("row")
        assert trained.translate([text], alternatives=2).drop("row").equals(mine)
        assert backwards.filter(row=len(texts) - 1 - row).drop("row").equals(mine)


def test_explain_is_the_attention_word_by_word(trained):
    found = trained.explain("ein Hund rennt.")
    assert found.columns == ["written", "read", "written_place", "read_place", "weight"]
    assert found["read"].unique(maintain_order=True).to_list() == ["ein", "Hund", "rennt.", "<end>"]
    written = trained.translate(["ein Hund rennt."])["text"][0]
    assert " ".join(found.filter(read_place=0)["written"]) == written
    sums = found.group_by("written_place").agg(pl.col("weight").sum())["weight"]
    np.testing.assert_allclose(sums, 1.0, atol=1e-5)
    assert found["weight"].min() >= 0
    for text in ("", " \n"):
        with pytest.raises(DataError, match="`text` is blank: give one with words in it"):
            trained.explain(text)


def test_several_networks_write_together(table, quick):
    few = table.head(60)
    task = sluicegate.Translator(members=2, **quick | {"epochs": 2}).fit(few, progress=False)
    assert len(task.trained.model.members) == 2
    assert task.report.facts["model"].startswith("2 networks: ")
    alone = sluicegate.Translator(**quick | {"epochs": 2}).fit(few, progress=False)
    weights, first = task.trained.model.state_dict(), alone.trained.model.state_dict()
    assert any(not (weights[name] == weights[name.replace(".0.", ".1.", 1)]).all() for name in first)
    assert not task.translate(few).equals(alone.translate(few))
    np.testing.assert_allclose(
        task.explain("ein Hund").group_by("written_place").agg(pl.col("weight").sum())["weight"], 1.0, atol=1e-5
    )


def test_groups_validate_together(table, quick):
    grouped = table.with_columns(by=(pl.int_range(len(table)) // 40).cast(pl.String))
    task = sluicegate.Translator(**quick | {"epochs": 1}).fit(grouped, groups="by", progress=False)
    assert task.report.facts["texts"] == "40"
    with pytest.raises(DataError, match="all pairs are of one group: expected two different ones at least"):
        sluicegate.Translator(**quick).fit(grouped.with_columns(by=pl.lit("a")), groups="by", progress=False)


def test_a_table_may_validate(table, quick, pairs):
    task = sluicegate.Translator(**quick | {"epochs": 1}).fit(table, validation=pairs(9, seed=3), progress=False)
    assert task.report.facts["texts"] == "9"
    assert task.trained.pairs == len(table)


def test_no_source_trains_and_validates(quick):
    """Though it differs in capitals and spaces."""
    rows = [(text, f"t{number}") for number in range(30) for text in ("Ein Hund", " ein hund")] + [("zwei", "two")] * 40
    table = pl.DataFrame(rows, schema=["source", "target"], orient="row")
    task = sluicegate.Translator(**quick | {"epochs": 1}).fit(table, progress=False)
    assert task.report.facts["texts"] in ("40", "60")


def test_the_report_shows_what_it_must(trained, table, tmp_path):
    report = trained.evaluate(table.head(40))
    assert [measure.name for measure in report.measures] == ["bleu", "chrf"]
    assert report.facts["signature of bleu"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert "case:lc" in report.facts["bleu, lowercased"]
    low, high = map(float, report.facts["bleu, 95 % of draws"].split(" to "))
    assert low <= report.metrics["bleu"] <= high + 0.1
    assert len(report.details["attention"]) <= 2
    for shown in report.details["attention"]:
        np.testing.assert_allclose(np.sum(shown["weights"], axis=1), 1.0, atol=0.01)
    assert [len(report.details[name]["bins"]) for name in ("by_length", "by_rarity")] == [4, 4]
    page = report.to_html()
    for words in ("By length", "By how rare the words are", "Learning curve", "worst, chrF", "its reference"):
        assert words in page, words
    assert "<h2>The worst texts and typical ones</h2>" in page
    assert "A blue line under a word: the reference has it too" in page
    assert "which is the smallest" not in page  # of all figures the highest is best
    assert "<script" not in page
    trained.save(tmp_path / "m")
    card = (tmp_path / "m" / "MODEL_CARD.md").read_text()
    assert card.startswith("# From source to target\n")
    assert "Names and numbers should be checked." in card
    assert "## Last evaluation" in card


def test_a_saved_model_is_made_of_plain_files(trained, tmp_path):
    trained.save(tmp_path / "m")
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert {"config.json", "weights.safetensors", "subwords.json", "dictionary.json", "manifest.json"} <= names
    again = sluicegate.load(tmp_path / "m")
    assert again.config == trained.config
    assert again.files()["dictionary.json"] == trained.files()["dictionary.json"]
    assert json.loads(trained.files()["dictionary.json"])["words"]["\u2581Hund"] == "\u2581dog"


@pytest.mark.parametrize("cell", ["gru", "ligru"])
def test_a_run_that_was_stopped_ends_with_the_same_bits(cell, table, quick, tmp_path, monkeypatch):
    few, knobs = table.head(80), quick | {"epochs": 3, "cell": cell}
    whole = sluicegate.Translator(**knobs).fit(few, progress=False)
    looks, write = iter(range(1)), Checkpoint.write

    def written(*arguments):
        write(*arguments)
        if next(looks, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", written)
        with pytest.raises(KeyboardInterrupt):
            sluicegate.Translator(**knobs).fit(few, checkpoint=tmp_path / "c", progress=False)
    again = sluicegate.Translator(**knobs).fit(few, checkpoint=tmp_path / "c", resume=True, progress=False)
    assert again.files()["weights.safetensors"] == whole.files()["weights.safetensors"]
    assert again.trained.curve == whole.trained.curve
    with pytest.raises(ConfigError, match="was written for other data or settings"):
        sluicegate.Translator(**knobs | {"seed": 3}).fit(few, checkpoint=tmp_path / "c", resume=True, progress=False)


def test_untrained():
    with pytest.raises(NotFittedError, match="the Translator has not been trained"):
        sluicegate.Translator().explain("a")

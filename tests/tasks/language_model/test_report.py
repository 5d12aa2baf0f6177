"""The report: figures beside the 5-gram's, where they come from, and what the model writes."""

import math

import numpy as np
import pytest

from sluicegate.tasks.language_model.corpus import Corpus
from sluicegate.tasks.language_model.pictures import draw
from sluicegate.tasks.language_model.report import _p_value


@pytest.fixture(scope="module")
def report(trained, texts):
    return trained.evaluate([*texts(30, seed=8), "the zebra sat on the mat ."])


def test_figures_are_those_of_the_words_of_the_text(report, trained, texts):
    some = [*texts(30, seed=8), "the zebra sat on the mat ."]
    assert report.metrics["perplexity"] == pytest.approx(trained.perplexity(some), rel=1e-5)
    corpus = Corpus.of(some)
    nats = trained.score(some)["log_probability"].sum()
    size = len("\n".join(some).encode()) + 1
    assert report.metrics["bits_per_byte"] == pytest.approx(-nats / math.log(2) / size, rel=1e-5)
    counted, _ = trained.trained.five_gram.by_word(corpus.lines)
    assert len(counted) == corpus.words.sum()
    expected = math.exp(-counted.mean())
    assert report.baselines["five_gram"]["perplexity"] == pytest.approx(expected, rel=1e-9)
    assert report.facts["words"].startswith(f"{corpus.words.sum():,} in 91 lines")


def test_the_verdict_is_that_of_the_figures(report):
    model, counted = report.metrics["perplexity"], report.baselines["five_gram"]["perplexity"]
    assert report.verdict.startswith(f"Use {'the model' if model < counted else 'five gram'}")
    assert "is below" in report.verdict or "within noise" in report.verdict
    assert "words" in report.verdict


def test_a_difference_is_drawn_text_by_text_or_of_blocks_of_lines():
    rng = np.random.default_rng(0)
    for corpus in (Corpus.of(["a b"] * 200), Corpus.of(["a b\n" * 200])):
        first, noise = rng.normal(-5, 1, 200), rng.normal(0, 1, 200)
        noise -= noise.mean()
        assert _p_value(corpus, first, first + noise) > 0.5
        assert _p_value(corpus, first, first + noise + 0.5) < 0.001
    assert _p_value(Corpus.of(["a b"]), np.array([-5.0]), np.array([-9.0])) == 1.0


def test_words_are_put_together_by_how_often_training_had_them(report, trained):
    found = report.details["by_frequency"]
    counts = [int(name.split("(")[1].rstrip(")").replace(",", "")) for name in found["bins"]]
    assert sum(counts) == int(report.facts["words"].split()[0].replace(",", ""))
    assert found["bins"][0] == "0\n(1)"
    for name, own in {"model": report.metrics, **report.baselines}.items():
        total = sum(count * math.log(value) for count, value in zip(counts, found["figures"][name], strict=True))
        assert math.exp(total / sum(counts)) == pytest.approx(own["perplexity"], rel=1e-4)


def test_lines_of_odd_spaces_are_left_out_of_that_and_nothing_else(spelling):
    """Python and the tokens do not agree on all of what stands between words."""
    report = spelling.evaluate(["the cat\x1csat", "the cat sat on the mat ."])
    assert math.isfinite(report.metrics["perplexity"])
    counts = [int(name.split("(")[1].rstrip(")")) for name in report.details["by_frequency"]["bins"]]
    assert sum(counts) in (8, 12)


def test_it_shows_lines_and_what_the_model_writes(report, trained):
    assert "<h2>The worst lines, typical ones, and what the model writes</h2>" in report.to_html()
    assert "A blue line" not in report.to_html()
    headings = [passage.heading for passage in report.passages]
    assert sum(heading.startswith("worst, perplexity ") for heading in headings) == 3
    assert sum(heading.startswith("typical, perplexity ") for heading in headings) == 3
    assert "zebra" in report.passages[0].parts[0][0]
    assert headings[-1] == "written with seed 2, temperature 0.8, top_p 0.9"
    assert report.passages[-1].parts[0][0] == trained.generate("", seed=2, max_words=60)


def test_the_page_has_all_of_it(report):
    pictures = draw(report.details)
    assert [picture.title for picture in pictures] == ["By how often training had a word", "Learning curve"]
    page = report.to_html()
    for said in ("perplexity", "five gram", "Kneser-Ney", "written with seed 0", "number of words"):
        assert said in page

"""How probable texts are: as they are read, with a memory, and with going on learning."""

import copy

import numpy as np
import pytest
import torch

from sluicegate.tasks.language_model.corpus import Corpus
from sluicegate.tasks.language_model.measuring import Cache, fitted_cache, log_likelihood
from sluicegate.tasks.language_model.reading import Reader


@pytest.fixture(scope="module")
def tokens(trained, texts):
    return Corpus.of([*texts(3, lines=40, seed=5), "the cat"]).tokens(trained.trained.subwords)


def alone(network, stream):
    """What the last layer says, and what the network alone tells, of a single text."""
    reader = Reader([network])
    said, _ = reader.read(stream[:-1, None], reader.begin())
    return said[:, 0].double().numpy(), reader.score(said[:, 0], stream[1:]).double().numpy()


def streams(tokens):
    parts = np.split(tokens.streams.values, tokens.streams.bounds[1:-1])
    return [torch.from_numpy(part.astype(np.int64)) for part in parts]


def test_texts_are_told_each_for_itself(trained, tokens):
    network = trained.trained.model.networks[0]
    told = log_likelihood([network], tokens)
    expected = np.concatenate([alone(network, stream)[1] for stream in streams(tokens)])
    np.testing.assert_allclose(told, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(log_likelihood([network], tokens, singly=True), told, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [7, 2000])
def test_the_memory_is_the_equation_of_the_paper(size, trained, tokens):
    """Place by place, in doubles; texts of 320 words, so that what is read at once is no border."""
    network, cache = trained.trained.model.networks[0], Cache(size, sharpness=0.4, share=0.3)
    told = log_likelihood([network], tokens, cache=cache)
    expected = []
    for stream in streams(tokens):
        said, chances = alone(network, stream)
        came = stream[1:].numpy()
        for place in range(len(came)):
            first = max(0, place - size)
            if place == 0:
                expected.append(chances[0])
                continue
            likeness = np.exp(0.4 * (said[first:place] @ said[place]))
            remembered = likeness[came[first:place] == came[place]].sum() / likeness.sum()
            expected.append(np.log(0.7 * np.exp(chances[place]) + 0.3 * remembered))
    np.testing.assert_allclose(told, expected, rtol=2e-3, atol=2e-4)


def test_a_memory_that_goes_over_what_is_read_at_once(trained, texts):
    network = trained.trained.model.networks[0]
    (text,) = texts(1, lines=150, seed=6)
    tokens = Corpus.of([text]).tokens(trained.trained.subwords)
    assert len(tokens.lines.values) > 1024
    cache = Cache(700, 0.4, 0.3)
    told = log_likelihood([network], tokens, cache=cache)
    said, chances = alone(network, streams(tokens)[0])
    came, place = tokens.lines.values, 1100
    likeness = np.exp(0.4 * (said[place - 700 : place] @ said[place]))
    remembered = likeness[came[place - 700 : place] == came[place]].sum() / likeness.sum()
    assert told[place] == pytest.approx(np.log(0.7 * np.exp(chances[place]) + 0.3 * remembered), rel=1e-3)


def test_the_memory_that_is_found_helps_where_a_text_repeats_itself(trained):
    """A text of one sentence over and over; the network takes all sentences for as probable."""
    tokens = Corpus.of(["\n".join(["my bird jumped over a tree ."] * 60)]).tokens(trained.trained.subwords)
    network = trained.trained.model.networks[0]
    cache = fitted_cache([network], tokens, 200, 20_000)
    assert cache.size == 200
    assert cache.share > 0
    assert log_likelihood([network], tokens, cache=cache).mean() > log_likelihood([network], tokens).mean() + 0.05


def test_a_memory_that_does_not_help_has_no_share(trained, texts):
    tokens = Corpus.of(texts(1, lines=3, seed=7)).tokens(trained.trained.subwords)
    cache = fitted_cache(trained.trained.model.networks, tokens, 200, 1)  # of a single token nothing can be remembered
    assert cache.share == 0.0


def test_to_go_on_learning_helps_and_leaves_the_model_alone(trained):
    tokens = Corpus.of(["\n".join(["my bird jumped over a tree ."] * 60)]).tokens(trained.trained.subwords)
    network = trained.trained.model.networks[0]
    before = copy.deepcopy(network.state_dict())
    plain, learnt = log_likelihood([network], tokens), log_likelihood([network], tokens, rate=0.1)
    np.testing.assert_allclose(learnt[:64], plain[:64], rtol=1e-4, atol=1e-5)  # what is told before anything is learnt
    assert learnt[64:].mean() > plain[64:].mean() + 0.05
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, before[name]), name


def test_what_one_text_taught_is_forgotten_in_the_next(trained, tokens):
    network = trained.trained.model.networks[0]
    for more in ({"rate": 0.1}, {"cache": Cache(100, 0.4, 0.3)}, {"rate": 0.1, "cache": Cache(100, 0.4, 0.3)}):
        told = log_likelihood([network], tokens, **more)
        last = Corpus.of(["the cat"]).tokens(trained.trained.subwords)
        np.testing.assert_array_equal(told[-3:], log_likelihood([network], last, **more))


def test_evaluate_has_them_as_knobs(trained):
    text = ["\n".join(["my bird jumped over a tree ."] * 60)]
    plain = trained.evaluate(text).metrics["perplexity"]
    report = trained.evaluate(text, dynamic=0.1)
    assert report.metrics["perplexity"] < plain
    assert report.facts["dynamic"] == "dynamic evaluation (Krause et al. 2018), rate 0.1"
    report = trained.evaluate(text, cache=200)
    assert report.facts["cache"].startswith("200 tokens (Grave et al. 2017), share ")
    assert "dynamic" not in report.facts
    trained.evaluate(text)

"""Several networks tell what may come next by the mean of their probabilities, wherever they are asked."""

import math

import numpy as np
import polars as pl
import pytest
import torch

import sluicegate
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.language_model.measuring import Cache, log_likelihood
from sluicegate.tasks.language_model.objective import Objective
from sluicegate.tasks.language_model.reading import Reader
from sluicegate.training import loop

SOME = ["the cat sat on the mat .\na dog", "", "zebra"]


@pytest.fixture(scope="module")
def several(texts, quick):
    return sluicegate.LanguageModel(members=3, cell="lstm", layers=2, **quick).fit(texts(), progress=False)


def tokens_of(model, texts=SOME):
    return sluicegate.tasks.language_model.corpus.Corpus.of(texts).tokens(model.trained.subwords)


def test_what_is_scored_is_the_mean_of_the_networks_probabilities(several):
    networks, tokens = several.trained.model.networks, tokens_of(several)
    alone = [log_likelihood([network], tokens) for network in networks]
    expected = np.log(np.mean(np.exp(alone), 0))
    assert len(alone) == 3
    assert np.abs(alone[0] - alone[1]).max() > 0.01
    np.testing.assert_allclose(log_likelihood(networks, tokens), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(several.score(SOME)["log_probability"], expected, rtol=1e-4, atol=1e-5)
    words = sum(len(line.split()) + 1 for text in SOME for line in text.split("\n"))
    assert several.perplexity(SOME) == pytest.approx(math.exp(-expected.sum() / words), rel=1e-4)


def test_together_they_foretell_no_worse_than_the_mean_of_them(several, texts):
    networks, tokens = several.trained.model.networks, tokens_of(several, texts(30, seed=5))
    alone = [log_likelihood([network], tokens).mean() for network in networks]
    assert log_likelihood(networks, tokens).mean() >= np.mean(alone)


def test_a_stream_and_a_text_have_the_same_bits(several):
    words = SOME[0].replace("\n", " ").split()
    score = several.score([" ".join(words)])["log_probability"]
    stream, other = several.open_stream(), several.open_stream()
    for place, word in enumerate(words):
        assert stream.push(word)["log_probability"] == score[place]
        other.restore(stream.snapshot())
        assert np.array_equal(other.log_probabilities, stream.log_probabilities)
    assert np.exp(stream.log_probabilities.astype(np.float64)).sum() == pytest.approx(1.0, rel=1e-5)


def test_greedy_takes_what_is_most_probable_by_the_mean(several):
    trained = several.trained
    reader, prompt = trained.reader, trained.prompt("the cat")
    said = reader.open()(prompt)
    chances = reader.next(said)
    assert torch.equal(said, reader.read(prompt[:, None], reader.begin())[0][-1])
    alone = [Reader([network]) for network in trained.model.networks]
    each = [one.next(one.read(prompt[:, None], one.begin())[0][-1]).exp() for one in alone]
    torch.testing.assert_close(chances.exp(), torch.stack(each).mean(0))
    best = int(chances[2:].argmax()) + 2
    assert reader.most_probable(said, torch.tensor([0, 1])) == best
    assert reader.most_probable(said, torch.tensor([0, 1, best])) != best


def test_what_is_written_is_the_same_after_loading(several, tmp_path):
    several.save(tmp_path / "model")
    again = sluicegate.load(tmp_path / "model")
    assert len(again.trained.model.networks) == 3
    assert again.score(SOME).equals(several.score(SOME))
    assert again.generate("the", seed=4) == several.generate("the", seed=4)
    assert again.complete("the", beam=2) == several.complete("the", beam=2)
    assert again.report.facts["model"].startswith("3 networks: 2 LSTM layers of 16 units")


def test_a_memory_and_learning_on_are_of_all_networks(several):
    networks = several.trained.model.networks
    tokens = tokens_of(several, ["\n".join(["my bird jumped over a tree ."] * 40)])
    plain = log_likelihood(networks, tokens)
    learnt = log_likelihood(networks, tokens, rate=0.1)
    alone = [log_likelihood([network], tokens, rate=0.1) for network in networks]
    np.testing.assert_allclose(learnt, np.log(np.mean(np.exp(alone), 0)), rtol=1e-4, atol=1e-5)
    assert learnt[64:].mean() > plain[64:].mean() + 0.05
    assert log_likelihood(networks, tokens, cache=Cache(100, 0.3, 0.3)).mean() > plain.mean()
    assert several.evaluate(SOME, cache=50, dynamic=0.1).metrics["perplexity"] > 1


def test_the_first_of_several_is_the_one_that_is_trained_alone(texts, quick):
    """Each has an order, a beginning and masks of its own, and no part of it hangs on the others."""
    few, settings = texts(20), {**quick, "epochs": 1, "patience": 100}
    two = sluicegate.LanguageModel(members=2, **settings).fit(few, progress=False)
    one = sluicegate.LanguageModel(**settings).fit(few, progress=False)
    first, second = two.trained.model.networks
    torch.testing.assert_close(first.embedding.weight, one.trained.model.networks[0].embedding.weight, rtol=0, atol=0)
    assert not torch.equal(first.embedding.weight, second.embedding.weight)


def test_each_network_has_an_order_of_its_own(several, texts):
    network = several.trained.model.networks[0]
    streams = tokens_of(several, texts(20)).streams
    knobs = {"words": 9, "seed": 0, "batch": 4, "piece": 8}
    orders = [Objective(network, streams, streams, member=member, **knobs)._streams(0) for member in (0, 1)]
    assert not torch.equal(*orders)


def test_a_killed_run_goes_on_to_the_same_bits(texts, quick, tmp_path, monkeypatch):
    few, settings = texts(20), {**quick, "members": 2, "epochs": 3}
    whole = sluicegate.LanguageModel(**settings).fit(few, progress=False)
    checked, real = [], loop._check

    def killed(*arguments):
        if len(checked) == 2:
            raise KeyboardInterrupt
        checked.append(real(*arguments))

    path = tmp_path / "run.checkpoint"
    monkeypatch.setattr(loop, "_check", killed)
    with pytest.raises(KeyboardInterrupt):
        sluicegate.LanguageModel(**settings).fit(few, checkpoint=path, progress=False)
    monkeypatch.setattr(loop, "_check", real)
    resumed = sluicegate.LanguageModel(**settings).fit(few, checkpoint=path, resume=True, progress=False)
    for name, weight in whole.trained.model.state_dict().items():
        assert torch.equal(weight, resumed.trained.model.state_dict()[name]), name


def test_members_are_from_1_to_16(texts):
    with pytest.raises(ConfigError, match="`members` \\(=0\\) must be greater than or equal to 1"):
        sluicegate.LanguageModel(members=0)
    with pytest.raises(DataError):
        sluicegate.LanguageModel(members=2).fit(pl.DataFrame({"text": ["one line"]}), progress=False)

"""What a language model is trained on: every token once an epoch, and the same from wherever training goes on."""

import math
from itertools import chain

import numpy as np
import pytest
import torch

import sluicegate
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.generation.subwords import BEGIN
from sluicegate.tasks.language_model.network import Network, Shape
from sluicegate.tasks.language_model.objective import Objective
from sluicegate.training import checkpoint

TOKENS = 40


def objective(texts, validation=None, *, batch=4, piece=5):
    torch.manual_seed(0)
    network = Network(Shape(TOKENS, (), 6, 8, 1, "gru", 0.0)).eval()
    held = texts if validation is None else validation
    made = Objective(
        network, ragged(texts), ragged(held), words=held_words(held), seed=3, member=0, batch=batch, piece=piece
    )
    return made, network


def ragged(texts):
    return Ragged.of([np.array([BEGIN, *text], dtype=np.int32) for text in texts])


def held_words(texts):
    return sum(map(len, texts))


def some_texts(count=6, length=50, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(2, TOKENS, length).tolist() for _ in range(count)]


def test_validation_is_the_mean_of_all_tokens():
    texts = some_texts(1, 100)
    made, network = objective(texts)
    features, _ = network.read(torch.tensor([[BEGIN, *texts[0][:-1]]]))
    told = network.output().log_likelihood(features[0], torch.tensor(texts[0])).detach()
    assert made.part().validate() == pytest.approx(-float(told.mean()), rel=1e-5)


def test_validation_of_a_long_text_goes_in_lanes_that_miss_no_token():
    """A network whose state says nothing tells the same of a text whole or cut."""
    texts = some_texts(3, 1500)
    made, network = objective(texts)
    with torch.no_grad():
        network.last.weight.zero_()
    told = (
        network.output()
        .log_likelihood(network.last.bias[None].expand(4500, -1), torch.tensor([*chain(*texts)]))
        .detach()
    )
    assert made.part().validate() == pytest.approx(-float(told.mean()), rel=1e-5)


def test_an_epoch_goes_through_the_texts_once():
    texts = some_texts(8, 50)
    made, _ = objective(texts)
    counts = np.zeros(TOKENS, dtype=int)
    each = made.steps * 5
    streams = made._streams(0)
    assert streams.shape[0] == 4
    assert each <= streams.shape[1] - 1 < each + 5
    for row in streams:
        counts += np.bincount(row.numpy(), minlength=TOKENS)
    expected = np.bincount([*chain(*([BEGIN, *text] for text in texts))], minlength=TOKENS)
    assert (expected - counts >= 0).all()
    assert (expected - counts).sum() < 4  # what does not fill a row
    assert not torch.equal(made._streams(1), streams)


def test_a_loss_is_the_mean_over_a_piece_with_the_state_carried_on():
    made, network = objective(some_texts(8, 50))
    loss, chance = made.part().loss, torch.Generator()
    found = [float(loss(step, chance).detach()) for step in range(3)]
    tokens = made._streams(0)[:, :16]
    features, _ = network.read(tokens[:, :-1])
    for number, value in enumerate(found):
        part = slice(5 * number, 5 * number + 5)
        targets = tokens[:, 1:][:, part].flatten()
        told = network.output().log_likelihood(features[:, part].flatten(0, 1), targets)
        assert value == pytest.approx(-float(told[targets != BEGIN].mean().detach()), rel=1e-5)


def test_the_state_begins_anew_at_a_validation_check():
    made, network = objective(some_texts(8, 50))
    made.every = 2
    loss, chance = made.part().loss, torch.Generator()
    for step in range(2):
        loss(step, chance)
    third = float(loss(2, chance).detach())
    again, _ = objective(some_texts(8, 50))
    again.every = 2
    again._network = network
    assert float(again.part().loss(2, chance).detach()) == third


def test_texts_of_a_few_words_are_enough(texts, quick):
    task = sluicegate.LanguageModel(**{**quick, "epochs": 1, "batch": 64, "piece": 100})
    task.fit(["a b", "c"], progress=False)
    assert math.isfinite(task.perplexity(["a c"]))


class KilledError(Exception):
    """The process came to its end."""


def test_a_run_that_was_killed_ends_with_the_same_bits(texts, quick, tmp_path, monkeypatch):
    knobs = {**quick, "epochs": 4, "dropout": 0.3}
    whole = sluicegate.LanguageModel(**knobs).fit(texts(20), progress=False)
    path, write, written = tmp_path / "training.checkpoint", checkpoint.Checkpoint.write, []

    def kill_after_the_second(self, *arguments):
        write(self, *arguments)
        written.append(self.step)
        if len(written) == 2:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoint, "write", kill_after_the_second)
        with pytest.raises(KilledError):
            sluicegate.LanguageModel(**knobs).fit(texts(20), checkpoint=path, progress=False)
    resumed = sluicegate.LanguageModel(**knobs).fit(texts(20), checkpoint=path, resume=True, progress=False)
    assert len(resumed.trained.curve.steps) == 4
    for name, content in whole.files().items():
        assert resumed.files()[name] == content, name

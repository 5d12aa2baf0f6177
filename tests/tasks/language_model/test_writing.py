"""How texts go on: the most probable, by search, and by chance."""

import itertools

import numpy as np
import pytest
import torch

from sluicegate.tasks.generation.subwords import END
from sluicegate.tasks.language_model.reading import Reader
from sluicegate.tasks.language_model.writing import Chance, drawn, searched


def chances(task, text):
    """The logarithm of the probability of each token that may follow a text."""
    reader = Reader(task.trained.model.networks)
    said, _ = reader.read(task.trained.prompt(text)[:, None], reader.begin())
    return reader.next(said[-1])


def test_greedy_takes_the_most_probable_token_each_time(trained):
    text = "the cat"
    for _ in range(6):
        longer = trained.complete(text, max_words=1)
        token = int(chances(trained, text)[END:].argmax()) + END
        if token == END:
            break
        assert longer == f"{text} {trained.trained.subwords.decode([token])}"
        text = longer
    assert trained.complete("the cat").startswith(text)


def test_the_same_seed_writes_the_same_and_others_write_others(trained):
    written = [trained.generate("the", seed=seed, temperature=1.0, top_p=1.0) for seed in range(8)]
    assert written[3] == trained.generate("the", seed=3, temperature=1.0, top_p=1.0)
    assert len(set(written)) > 3
    assert all(text.startswith("the ") for text in written)


def test_tokens_are_drawn_as_probable_as_they_are(trained):
    """After "the cat" four tokens are as probable; drawn 200 times, none is further from its share than chance is."""
    text, count = "the cat", 200
    for temperature in (1.0, 0.5):
        told = (chances(trained, text) / temperature).softmax(0).numpy()
        found = np.zeros(len(told))
        for seed in range(count):
            (token,) = drawn(trained.trained, text, Chance(temperature, None, 1.0, seed), 1)
            found[token] += 1
        error = np.sqrt(told * (1 - told) / count)
        common = told > 0.02
        assert common.sum() >= 3
        assert (np.abs(found / count - told)[common] < 4 * error[common]).all()


def test_top_k_and_top_p_leave_the_rest_out(trained):
    text = "the cat"
    told = chances(trained, text).exp()
    told[: END + 1] = 0
    order = told.argsort(descending=True).tolist()
    for k in (1, 2):
        drew = {drawn(trained.trained, text, Chance(1.0, k, 1.0, seed), 1)[0] for seed in range(30)}
        assert drew == set(order[:k])
    summed = np.cumsum(told.numpy()[order] / told.sum().item())
    for p in (0.3, 0.6):
        kept = int((summed < p).sum()) + 1
        drew = {drawn(trained.trained, text, Chance(1.0, None, p, seed), 1)[0] for seed in range(40)}
        assert drew == set(order[:kept])


def test_a_wide_search_finds_the_most_probable_of_all(trained):
    """Against all ways to go on by a word or two to the end of the line, of a score as the search has it."""
    text, words = "the cat sat on the", 2
    few = chances(trained, text)[END + 1 :].topk(30).indices.tolist()
    best = {}
    for first in (few[i] + END + 1 for i in range(30)):
        after = chances(trained, trained.trained.continued(text, [first]))
        base = float(chances(trained, text)[first])
        best[(first,)] = (base + float(after[END])) / 2
        for second in after[END + 1 :].topk(10).indices.add(END + 1).tolist():
            longer = chances(trained, trained.trained.continued(text, [first, second]))
            best[first, second] = (base + float(after[second]) + float(longer[END])) / 3
    assert tuple(searched(trained.trained, text, 20, words)) == max(best, key=best.get)


@pytest.mark.parametrize("beam", [1, 3])
def test_words_are_counted(beam, trained, spelling):
    for task, most in itertools.product((trained, spelling), (1, 2, 5)):
        written = task.complete("the cat", beam=beam, max_words=most)
        assert 1 <= len(written.removeprefix("the cat").split()) <= most
    assert len(spelling.generate("", seed=1, max_words=3).split()) <= 3


def test_a_word_that_was_begun_is_gone_on_with(spelling):
    """Of sub-words, what follows may belong to the last word."""
    found = {spelling.generate("the hou", seed=seed, max_words=1) for seed in range(20)}
    assert any(text.startswith("the hou") and text[7:8].isalpha() for text in found)


def test_a_prompt_of_several_lines_is_kept(trained):
    prompt = "the cat sat on the mat .\na dog"
    assert trained.complete(prompt).startswith(f"{prompt} ")
    ended = trained.complete("the cat sat on the mat .\n")
    assert ended.startswith("the cat sat on the mat .\n")
    assert ended.removeprefix("the cat sat on the mat .\n").split()[0] in {"the", "a", "my"}


def test_nothing_is_drawn_from_pytorchs_own_chance(trained):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    trained.generate("the", seed=5)
    assert torch.equal(torch.get_rng_state(), state)


def test_following_tells_the_most_probable_first(trained):
    found = trained.following("the cat sat on the", most=4)
    assert len(found["next"]) == len(found["probabilities"]) == 4
    assert found["probabilities"] == sorted(found["probabilities"], reverse=True)
    assert {found["next"][0], found["next"][1]} == {" mat", " house"}
    told = chances(trained, "the cat sat on the").exp()
    assert found["probabilities"][0] == pytest.approx(float(told.max()), rel=1e-6)

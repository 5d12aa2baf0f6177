"""The parts of the hidden Markov model equal what enumeration gives, and the whole learns words it can hear."""

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sluicegate.tasks.transcribe.baselines import hidden_markov
from sluicegate.tasks.transcribe.baselines.bigram import bigram, pairs_of
from sluicegate.tasks.transcribe.baselines.hidden_markov import HiddenMarkov
from sluicegate.tasks.transcribe.baselines.mixtures import Mixtures
from sluicegate.tasks.transcribe.baselines.state_paths import Row, paths
from sluicegate.tasks.transcribe.baselines.units import Units
from sluicegate.tasks.transcribe.baselines.word_loop import Loop


def mixtures(rng, states=3, gaussians=2, values=4):
    shape = (states, gaussians, values)
    weights = rng.dirichlet(np.ones(gaussians), states)
    return Mixtures(
        rng.normal(size=shape).astype(np.float32),
        rng.uniform(0.3, 2, shape).astype(np.float32),
        np.log(weights).astype(np.float32),
    )


def test_likelihoods_are_those_of_scipy():
    rng = np.random.default_rng(0)
    model, frames = mixtures(rng), rng.normal(size=(7, 4)).astype(np.float32)
    expected = np.zeros((7, 3))
    for state, gaussian in itertools.product(range(3), range(2)):
        normal = multivariate_normal(model.means[state, gaussian], np.diag(model.variances[state, gaussian]))
        expected[:, state] += np.exp(model.weights[state, gaussian]) * normal.pdf(frames)
    np.testing.assert_allclose(model.log_likelihood(frames), np.log(expected), rtol=1e-4)
    chosen = model.chosen(np.array([2, 0])).log_likelihood(frames)
    np.testing.assert_allclose(chosen, np.log(expected)[:, [2, 0]], rtol=1e-4)


def test_mixtures_find_the_two_places_that_frames_come_from():
    rng = np.random.default_rng(0)
    side = rng.random(400) < 0.3
    frames = (rng.normal(0, 0.5, (400, 4)) + np.where(side, 2, -2)[:, None]).astype(np.float32)
    states = np.full(400, 1)
    model = Mixtures.plain(3, 4).learnt(frames, states, 1)
    np.testing.assert_allclose(model.means[1, 0], frames.mean(0), atol=1e-4)
    np.testing.assert_allclose(model.variances[1, 0], frames.var(0), rtol=1e-3)
    both = model.learnt(frames, states, 2)
    assert sorted(np.exp(both.weights[1])) == pytest.approx([side.mean(), 1 - side.mean()], abs=0.01)
    assert both.log_likelihood(frames)[:, 1].mean() > model.log_likelihood(frames)[:, 1].mean() + 0.5
    np.testing.assert_array_equal(both.means[0, 0], 0)  # a state without frames stays as it was
    assert np.isfinite(both.log_likelihood(frames)).all()


def row_of(states):
    return Row(np.array(states), np.array(states) == 0)


def all_paths(frames, row):
    """Every path through a row."""
    size = len(row.states)
    begins = [0] + ([1] if row.optional[0] and size > 1 else [])
    ends = [size - 1] + ([size - 2] if row.optional[-1] and size > 1 else [])
    for path in itertools.product(range(size), repeat=frames):
        steps = np.diff(path)
        skips = all(row.optional[place + 1] for place, step in zip(path, steps, strict=False) if step == 2)
        if path[0] in begins and path[-1] in ends and set(steps.tolist()) <= {0, 1, 2} and skips:
            yield np.array(path)


def test_paths_are_the_best_of_all():
    rng = np.random.default_rng(0)
    stay = np.log(rng.uniform(0.2, 0.8, 4)).astype(np.float32)
    rows = [row_of(states) for states in ([0, 1, 2, 0], [0, 3, 0, 1, 0], [1, 1], [0, 2, 3, 2])]
    heard = [
        rng.normal(0, 2, (frames, len(row.states))).astype(np.float32)
        for frames, row in zip((6, 5, 3, 4), rows, strict=True)
    ]

    def total(path, likelihood, row):
        of = np.array(row.states)[path]
        moves = np.where(np.diff(path) == 0, stay[of[:-1]], np.log(-np.expm1(stay[of[:-1]])))
        return likelihood[np.arange(len(path)), path].sum() + moves.sum()

    for found, likelihood, row in zip(paths(heard, rows, stay), heard, rows, strict=True):
        best = max(all_paths(len(likelihood), row), key=lambda path, a=likelihood, b=row: total(path, a, b))
        np.testing.assert_array_equal(found, best)


def test_a_row_that_does_not_fit_in_has_no_path():
    stay = np.log(np.full(4, 0.5)).astype(np.float32)
    heard = [np.zeros((2, 3), np.float32), np.zeros((2, 2), np.float32)]
    found = paths(heard, [row_of([1, 2, 3]), row_of([1, 2])], stay)
    assert found[0] is None
    np.testing.assert_array_equal(found[1], [0, 1])


def test_bigrams_sum_to_one_and_prefer_what_came():
    lines = [[0, 1], [0, 1, 2], [2], []]
    following = bigram(pairs_of(lines, 3), 3)
    np.testing.assert_allclose(np.exp(following).sum(1), 1, rtol=1e-5)
    assert following[0].argmax() == 1
    assert following[1].argmax() in (2, 3)
    assert following[3, 0] > following[3, 1]  # two lines begin with 0, none with 1
    np.testing.assert_allclose(np.exp(bigram(pairs_of([], 2), 2)).sum(1), 1, rtol=1e-5)


def score_of(words, spelled, likelihood, stay, following):
    """The best sum of a row of words, by the paths through their states."""
    row = row_of([0, *itertools.chain.from_iterable([*spelled[word], 0] for word in words)])
    if len(words) == 0:
        row = Row(np.array([0]), np.array([False]))
    heard = likelihood[:, row.states]
    (path,) = paths([heard], [row], stay)
    if path is None:
        return -np.inf
    of = row.states[path]
    moves = np.where(np.diff(path) == 0, stay[of[:-1]], np.log(-np.expm1(stay[of[:-1]]))).sum()
    kinds = len(spelled)
    grammar = sum(following[pair] for pair in itertools.pairwise([kinds, *words, kinds]))
    return heard[np.arange(len(path)), path].sum() + moves + grammar


def test_the_loop_finds_the_best_words_of_all():
    """All rows of up to four words of three; one that begins in silence pays for leaving it, so both ways are tried."""
    spelled = [[1, 2], [3], [2, 1]]
    stay = np.log(np.full(4, 0.5)).astype(np.float32)
    lines = [list(words) for count in range(5) for words in itertools.product(range(3), repeat=count)]
    for seed in range(8):
        rng = np.random.default_rng(seed)
        likelihood = rng.normal(0, 2, (7, 4)).astype(np.float32)
        following = bigram(pairs_of([[0, 1], [1, 2, 2], [2, 0]], 3), 3)
        best = max(lines, key=lambda words, a=likelihood, b=following: score_of(words, spelled, a, stay, b))
        found = Loop(spelled, 0, stay, following).words(likelihood)
        assert len(found) > 4 or found == best


def test_letters_take_the_context_that_training_has():
    times = {"ab": 5, "cab": 3, "b": 1}
    units = Units.of_letters(["ab", "cab", "b"], times, often=4)
    names = [[units.letters[unit] for unit in word] for word in units.spelled]
    assert names == [["a", "b"], ["c", "a", "b"], ["b"]]
    (first, second), (_, third, fourth), (alone,) = units.spelled
    assert second == fourth != alone  # "b" behind "a" at an end came eight times, at a begin once
    assert first != third  # "a" at a begin came five times; behind "c" it is the "a" before "b"
    plain = Units.of_letters(["ab", "cab"], times, often=None)
    assert plain.letters == ("a", "b", "c")
    assert units.only(["b"]).spelled == ((alone,),)


def spoken(rng, text, letters):
    """A recording of a text, whose letters are each a few frames about a place of their own."""
    parts = [rng.normal(0, 0.3, (5, 39)) - 2]
    for word in text.split():
        parts += [rng.normal(0, 0.3, (rng.integers(6, 10), 39)) + letters[letter] for letter in word]
        if rng.random() < 0.5:
            parts.append(rng.normal(0, 0.3, (8, 39)) - 2)
    parts.append(rng.normal(0, 0.3, (5, 39)) - 2)
    return np.concatenate(parts).astype(np.float32)


@pytest.fixture
def sentences():
    rng = np.random.default_rng(0)
    letters = dict(zip("abcde", rng.normal(0, 1.5, (5, 39)), strict=True))
    words = ["ab", "cad", "bee", "deb", "ace"]
    texts = [" ".join(rng.choice(words, rng.integers(1, 5))) for _ in range(40)]
    return [spoken(rng, text, letters) for text in texts], texts


@pytest.mark.parametrize("whole", [True, False])
def test_it_learns_words_it_can_hear(sentences, monkeypatch, whole):
    monkeypatch.setattr(hidden_markov, "_WHOLE", 200 if whole else 0)
    monkeypatch.setattr(hidden_markov, "_OF_WORD", 4)
    monkeypatch.setattr(hidden_markov, "_GAUSSIANS", (1, 1, 2))
    heard, texts = sentences
    model = HiddenMarkov.fit(heard[:30], texts[:30])
    assert len(model.units.letters) == 5
    right = np.mean([a == b for a, b in zip(model.transcribe(heard[30:]), texts[30:], strict=True)])
    assert right >= 0.9
    restored = HiddenMarkov.restored(model.arrays(), model.facts())
    assert restored.transcribe(heard[30:]) == model.transcribe(heard[30:])


def test_words_without_recordings_are_known_by_their_letters(sentences, monkeypatch):
    monkeypatch.setattr(hidden_markov, "_WHOLE", 0)
    monkeypatch.setattr(hidden_markov, "_GAUSSIANS", (1, 1))
    heard, texts = sentences
    seen = [row for row, text in enumerate(texts) if "ace" not in text.split()]
    model = HiddenMarkov.fit([heard[row] for row in seen], [texts[row] for row in seen], ["ace bee", "ace ace", "xyz"])
    assert "ace" in model.units.words
    assert "xyz" not in model.units.words  # nobody said these letters
    hidden = [row for row in range(len(texts)) if row not in seen]
    written = " ".join(model.transcribe([heard[row] for row in hidden])).split()
    assert written.count("ace") >= 0.8 * " ".join(texts[row] for row in hidden).split().count("ace")


def test_silence_is_no_word(sentences, monkeypatch):
    monkeypatch.setattr(hidden_markov, "_GAUSSIANS", (1, 1))
    heard, texts = sentences
    rng = np.random.default_rng(5)
    silent = [(rng.normal(0, 0.3, (30, 39)) - 2).astype(np.float32) for _ in range(5)]
    model = HiddenMarkov.fit([*heard, *silent[:3]], [*texts, "", "", ""])
    assert model.transcribe(silent[3:]) == ["", ""]
    nothing = HiddenMarkov.fit(silent, [""] * 5)
    assert nothing.transcribe(heard[:2]) == ["", ""]


def test_a_recording_that_is_too_short_for_its_text_is_left_out(sentences, monkeypatch):
    monkeypatch.setattr(hidden_markov, "_GAUSSIANS", (1, 1))
    heard, texts = sentences
    model = HiddenMarkov.fit([*heard, heard[0][:3]], [*texts, "ab cad bee deb ace ab cad bee"])
    assert model.transcribe(heard[:3]) == texts[:3]

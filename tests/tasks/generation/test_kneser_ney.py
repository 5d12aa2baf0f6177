"""Runs of tokens: against a case computed by hand, and their own equations."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from sluicegate.tasks.generation.kneser_ney import BEGINNING, END, KneserNey

A, B, C = 1, 2, 3


def test_a_case_that_was_computed_by_hand():
    """Of "a b" and "a c"; so little text takes the discounts 0.5, 1 and 1.5.

    Single words: a, b and c each come after one word, an end after two, so 1, 1, 1 and 2 of 5. Taken are 0.5 three
    times and 1 once, 2.5 of 5, which the four share: p(a) = 0.5/5 + 0.5/4 = 0.225, p(end) = 1/5 + 0.5/4 = 0.325.
    Pairs: a begins both lines: p(a | beginning) = (2 - 1)/2 + 1/2 p(a) = 0.6125. After a came b and c, once each:
    p(b | a) = 0.5/2 + (0.5 + 0.5)/2 p(b) = 0.3625. After b only an end: p(end | b) = 0.5 + 0.5 p(end) = 0.6625.
    """
    model = KneserNey.of(np.array([A, B, END, A, C, END]), 4, order=2)
    chances = np.exp(model.log_likelihood(np.array([A, B, END])))
    np.testing.assert_allclose(chances, [0.6125, 0.3625, 0.6625], rtol=1e-12)
    # After c, b never came: all that c has left is p(b).
    np.testing.assert_allclose(np.exp(model.log_likelihood(np.array([C, B, END])))[1], 0.5 * 0.225, rtol=1e-12)


def plain(tokens, kinds, order):
    """The equations of the paper, word by word: a function of a context and a word."""
    lines, line = [], [END]
    for token in tokens:
        line.append(token)
        if token == END:
            lines.append(line)
            line = [END]
    runs = {
        n: Counter(tuple(line[i - n + 1 : i + 1]) for line in lines for i in range(max(n - 1, 1), len(line)))
        for n in range(1, order + 1)
    }
    counts = {order: runs[order]}
    for n in range(1, order):
        counts[n] = Counter(longer[1:] for longer in runs[n + 1])
        if n > 1:  # a run that begins a line has nothing before it
            counts[n].update({run: count for run, count in runs[n].items() if run[0] == END})
    discounts = {}
    for n, count in counts.items():
        once, twice, thrice, more = (sum(value == k for value in count.values()) for k in (1, 2, 3, 4))
        if not once * twice * thrice:
            discounts[n] = [0, 0.5, 1, 1.5]
            continue
        share = once / (once + 2 * twice)
        found = [0, 1 - 2 * share * twice / once, 2 - 3 * share * thrice / twice, 3 - 4 * share * more / thrice]
        discounts[n] = found if min(found) >= 0 else [0, 0.5, 1, 1.5]

    def chance(context, word):
        n = len(context) + 1
        below = chance(context[1:], word) if context else 1 / kinds
        after = {run: count for run, count in counts[n].items() if run[:-1] == context}
        total = sum(after.values())
        if not total:
            return below
        left = sum(discounts[n][min(3, count)] for count in after.values()) / total
        own = after.get((*context, word), 0)
        return (own - discounts[n][min(3, own)]) / total + left * below

    return chance


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_it_is_the_equations_of_the_paper(order):
    rng = np.random.default_rng(order)
    common = np.minimum(rng.zipf(1.4, 900), 200) % 120  # some words are rare, and some are ends of lines
    tokens, kinds = np.append(common, END), 130
    model, chance = KneserNey.of(tokens, kinds, order), plain(tokens.tolist(), kinds, order)
    asked = np.append(np.minimum(rng.zipf(1.4, 100), 300) % 130, END)
    told = np.exp(model.log_likelihood(asked))
    context = (END,)
    for word, found in zip(asked.tolist(), told.tolist(), strict=True):
        assert found == pytest.approx(chance(context[-(order - 1) :] if order > 1 else (), word), rel=1e-9)
        context = (END,) if word == END else (*context, word)


def test_the_probabilities_of_all_words_sum_to_one():
    rng = np.random.default_rng(0)
    kinds = 9
    model = KneserNey.of(np.append(rng.integers(0, 8, 400), END), kinds)
    for context in itertools.product(range(1, 4), repeat=3):
        told = [model.log_likelihood(np.array([*context, word]))[-1] for word in range(kinds)]
        assert sum(map(math.exp, told)) == pytest.approx(1.0)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_one_token_after_another_is_told_as_all_at_once(order):
    rng = np.random.default_rng(order)
    tokens = np.append(np.minimum(rng.zipf(1.4, 900), 200) % 60, END)
    model = KneserNey.of(tokens, 70, order)
    asked = np.append(np.minimum(rng.zipf(1.4, 300), 300) % 70, END)
    told, state = [], BEGINNING
    for token in asked.tolist():
        assert model.leads(state)
        chance, state = model.follow(state, token)
        told.append(chance)
    np.testing.assert_allclose(told, model.log_likelihood(asked), rtol=1e-12)
    assert not model.leads((70,))


def test_states_are_equal_where_nothing_is_left_to_tell_them_apart():
    model = KneserNey.of(np.array([A, B, END, A, C, END, C, C, END]), 5, order=3)

    def led(*tokens):
        state = BEGINNING
        for token in tokens:
            _, state = model.follow(state, token)
        return state

    assert led(A, C) == led(A, C) != led(C, C)
    assert led(A, A, B) == led(C, A, B)  # "a a b" and "c a b" never came
    assert led(B, 4) == led(C, 4) == (4,)

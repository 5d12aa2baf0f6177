"""Tokens: the texts' own words where none is rare, else sub-words; the commonest first; and their groups."""

import itertools
import json

import numpy as np

from sluicegate.tasks.generation.subwords import END, SPECIAL, Subwords
from sluicegate.tasks.language_model.corpus import Corpus
from sluicegate.tasks.language_model.vocabulary import cuts, vocabulary_of

COMMON = ["the <unk> sat , 1999", "the cat @-@ sat , <unk>"] * 3


def named(subwords, tokens):
    return [subwords.tokenizer.id_to_token(token) for token in tokens]


def test_where_no_word_is_rare_the_words_are_the_tokens():
    subwords, counts = vocabulary_of(COMMON, None)
    (found,) = subwords.encode(["the <unk> 1999 , @-@"])
    assert named(subwords, found) == ["\u2581the", "\u2581<unk>", "\u25811999", "\u2581,", "\u2581@-@"]
    assert subwords.decode(found) == "the <unk> 1999 , @-@"
    assert counts[END] == 6
    assert counts[found].tolist() == [6, 6, 3, 6, 3]


def test_what_they_do_not_have_is_spelled():
    subwords, _ = vocabulary_of(COMMON, None)
    for text in ("zebra", "\u732b \U0001f408", "a<b", "<end> <0x41>", "cat's"):
        (found,) = subwords.encode([text])
        assert subwords.decode(found) == text
        assert min(found) >= len(SPECIAL)


def test_a_rare_word_makes_them_sub_words():
    subwords, _ = vocabulary_of([*COMMON, "once"], None)
    (found,) = subwords.encode(["1999"])
    assert named(subwords, found) == ["\u2581", "1", "9", "9", "9"]
    subwords, _ = vocabulary_of(COMMON, 40)
    assert "\u2581<unk>" not in named(subwords, range(len(subwords)))


def test_the_commonest_come_first_and_the_file_holds_them():
    for size in (None, 60):
        subwords, counts = vocabulary_of(COMMON, size)
        assert (np.diff(counts[len(SPECIAL) :]) <= 0).all()
        assert named(subwords, range(3)) == list(SPECIAL)
        told = np.bincount(Corpus.of(["\n".join(COMMON)]).tokens(subwords).lines.values, minlength=len(subwords))
        assert told.tolist() == counts.tolist()
        again = Subwords.from_json(subwords.to_json())
        assert again.encode(COMMON) == subwords.encode(COMMON)
        assert json.loads(subwords.to_json())["added_tokens"] == []


def products(counts, cut):
    """Of a place, on average, place by place."""
    total = 0.0
    for token, count in enumerate(counts):
        rows = cut[0] + len(cut)
        for begin, end in itertools.pairwise((*cut, len(counts))):
            rows += (end - begin) * (begin <= token < end)
        total += count * rows
    return total / counts.sum()


def test_groups_take_few_products():
    counts = np.sort(np.random.default_rng(0).zipf(1.3, 20_000).clip(0, 100_000))[::-1]
    best = cuts(counts)
    assert len(best) == 5
    assert best[0] >= 800
    least = products(counts, best)
    assert least < 0.2 * len(counts)
    for other in ((1000, 2000, 4000, 8000, 16_000), tuple(int(1.2 * at) for at in best), (best[0], *best[2:])):
        assert least <= products(counts, other)


def test_few_tokens_are_not_grouped():
    assert cuts(np.arange(3000)[::-1]) == ()

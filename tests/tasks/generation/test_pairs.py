"""Pairs of texts as padded batches."""

import hashlib

import numpy as np
import torch

from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.generation.objective import batches
from sluicegate.tasks.generation.pairs import Pairs, padded
from sluicegate.tasks.generation.subwords import BEGIN, END, PAD


def ragged(*rows):
    return Ragged.of([np.array(row, dtype=np.int32) for row in rows])


def test_padded_rows():
    tokens, lengths = padded(ragged([7, 8], [], [9]), first=BEGIN, last=END)
    assert tokens.tolist() == [[BEGIN, 7, 8, END], [BEGIN, END, PAD, PAD], [BEGIN, 9, END, PAD]]
    assert lengths.tolist() == [4, 2, 3]
    tokens, lengths = padded(ragged([7, 8], [9]))
    assert tokens.tolist() == [[7, 8], [9, PAD]]
    assert lengths.tolist() == [2, 1]


def test_a_batch_is_what_came_before_and_what_comes(subwords):
    pairs = Pairs.of(subwords, ["A dog", "The cat sleeps"], ["Ein Hund", "Die"])
    batch = pairs.batch(np.array([1, 0]))
    assert batch.before[:, 0].tolist() == [BEGIN, BEGIN]
    assert torch.equal(batch.before[0, 1:2], batch.targets[0, :1])
    for row, text in enumerate(["Die", "Ein Hund"]):
        assert subwords.decode(batch.targets[row].tolist()) == text
        assert subwords.decode(batch.before[row].tolist()) == text
        assert (batch.targets[row] == END).sum() == 1
    assert batch.lengths.tolist() == [4, 3]
    assert pairs.lengths[0].tolist() == [3, 4]
    assert subwords.decode(batch.sources[0].tolist()) == "The cat sleeps"


def test_sources_are_cut_where_the_task_reads_no_more(subwords):
    pairs = Pairs.of(subwords, ["The cat sleeps on the grass", "A"], ["x", "y"], reads=3)
    assert [subwords.decode(row.tolist()) for row in np.split(pairs.sources.values, pairs.sources.bounds[1:-1])] == [
        "The cat sleeps",
        "A",
    ]


def test_many_texts_and_an_iterator_of_them_are_the_same(subwords, texts, monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.generation.pairs._AT_ONCE", 7)
    first = Pairs.of(subwords, texts, texts)
    second = Pairs.of(subwords, iter(texts), (text for text in texts))
    sums = []
    for pairs in (first, second):
        digest = hashlib.sha256()
        pairs.digest(digest)
        sums.append(digest.hexdigest())
    assert len(first) == len(texts)
    assert sums[0] == sums[1]
    assert len(Pairs.of(subwords, [], [])) == 0


def test_batches_hold_every_pair_once_within_their_limits():
    rng = np.random.default_rng(0)
    pairs = Pairs(*(ragged(*(np.full(length, 9) for length in rng.integers(1, 40, size=200))) for _ in range(2)))
    chosen = rng.permutation(200)[:150]
    found = list(batches(pairs, chosen, 16, 400))
    assert sorted(np.concatenate(found).tolist()) == sorted(chosen.tolist())
    sources, targets = pairs.lengths
    for rows in found:
        assert len(rows) <= 16
        assert len(rows) == 1 or len(rows) * (sources[rows].max() + targets[rows].max()) <= 400
    assert len(found) < 30  # pairs of about one length are together


def test_a_pair_beyond_the_limit_is_a_batch_of_its_own():
    pairs = Pairs(ragged([9] * 50, [9], [9]), ragged([9], [9], [9]))
    assert [rows.tolist() for rows in batches(pairs, np.arange(3), 8, 10)] == [[1, 2], [0]]

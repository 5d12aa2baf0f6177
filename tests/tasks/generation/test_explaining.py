"""Attention by words is that of sub-words, put together."""

import numpy as np
import torch

from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.generation.explaining import attention
from sluicegate.tasks.generation.pairs import padded
from sluicegate.tasks.generation.subwords import BEGIN, END
from sluicegate.tasks.translate.dictionary import Dictionary
from sluicegate.tasks.translate.trained import Trained
from sluicegate.training import Curve


def made(subwords, model):
    columns, curve = ("source", "target"), Curve([], [], [])
    return Trained(columns, subwords, model.members[0].shape, model, 1, curve, reads=50, dictionary=Dictionary({}))


def ragged(tokens):
    return Ragged.of([np.array(tokens, dtype=np.int32)])


@torch.no_grad()
def test_sums_over_what_is_read_and_means_over_what_is_written(networks, subwords):
    trained = made(subwords, networks(len(subwords), members=2))
    source, target = "A xyz dog.", "Ein qq Hund"
    found = attention(trained, source, target)
    assert found.read == ["A", "xyz", "dog.", "<end>"]
    assert found.written == ["Ein", "qq", "Hund"]
    read, written = subwords.encode([source, target])
    tokens, lengths = padded(ragged(read), last=END)
    before, _ = padded(ragged(written[:-1]), first=BEGIN)
    weights = np.mean(
        [member.write(before, *member.read(tokens, lengths))[0].weights[0].numpy() for member in trained.model.members],
        axis=0,
    )
    across = np.cumsum([subwords.begins_word(token) for token in read] + [True]) - 1
    down = np.cumsum([subwords.begins_word(token) for token in written]) - 1
    for i in range(3):
        for j in range(4):
            expected = weights[down == i][:, across == j].sum(1).mean()
            np.testing.assert_allclose(found.weights[i, j], expected, rtol=1e-5)
    np.testing.assert_allclose(found.weights.sum(1), 1, rtol=1e-5)

"""The losses of the text classifier, against values worked out by hand, and what its networks make of a batch."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.classify_text.corpus import Corpus, Grams
from sluicegate.tasks.classify_text.model import Ensemble, Shape, loss_of

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.0, 0.0]])
TRUTH = torch.tensor([0, 2])
NONE = torch.zeros(3)


def chances(logits):
    weights = np.exp(np.asarray(logits, dtype=np.float64))
    return weights / weights.sum(1, keepdims=True)


def test_the_plain_loss_is_the_cross_entropy():
    chosen = chances(LOGITS)[[0, 1], [0, 2]]
    assert float(loss_of(LOGITS, TRUTH, NONE, 0.0, 0.0)) == pytest.approx(-np.log(chosen).mean(), rel=1e-5)


@pytest.mark.parametrize("q", [0.3, 0.7, 1.0])
def test_the_robust_loss_is_the_generalised_cross_entropy(q):
    chosen = chances(LOGITS)[[0, 1], [0, 2]]
    assert float(loss_of(LOGITS, TRUTH, NONE, 0.0, q)) == pytest.approx(((1 - chosen**q) / q).mean(), rel=1e-5)


def test_a_wrong_label_weighs_less_in_the_robust_loss():
    """The gradient of a row that the network is sure about, and whose label says otherwise."""
    sizes = []
    for robust in (0.0, 0.7):
        logits = torch.tensor([[6.0, 0.0]], requires_grad=True)
        loss_of(logits, torch.tensor([1]), torch.zeros(2), 0.0, robust).backward()
        sizes.append(float(logits.grad.abs().sum()))
    assert sizes[1] < 0.05 * sizes[0]


def test_the_adjustment_is_added_to_the_logits():
    adjustment = torch.tensor([0.0, -1.0, 2.0])
    found = loss_of(LOGITS, TRUTH, adjustment, 0.0, 0.0)
    assert float(found) == pytest.approx(float(loss_of(LOGITS + adjustment, TRUTH, NONE, 0.0, 0.0)))


def test_what_fills_a_batch_up_changes_nothing(texts):
    """A text's logits are those that it has alone."""
    from sluicegate.data.words import WordTokenizer

    told = [*texts(rows=4)["text"].to_list(), "fine", "a long text " * 20]
    tokenizer = WordTokenizer.train(told, words=100, least=1)
    plain = Corpus.of(told, tokenizer)
    grams = Grams.of(plain.tokens, 1, 1000)
    corpus = Corpus.of(told, tokenizer, grams)
    torch.manual_seed(0)
    model = Ensemble(Shape(len(tokenizer), len(grams.keys), 3, 5, 4, 1, "gru", 0.5, 0.1, 2)).eval()
    with torch.no_grad():
        for member in model.members:
            member.wide.normal_()
        together = model(corpus.batch(np.arange(len(told))))
        for row in range(len(told)):
            torch.testing.assert_close(model(corpus.batch(np.array([row])))[0], together[row], rtol=1e-5, atol=1e-5)

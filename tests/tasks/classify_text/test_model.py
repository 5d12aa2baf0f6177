"""What the networks of the text classifier make of a batch."""

import numpy as np
import torch

from sluicegate.data.words import WordTokenizer
from sluicegate.tasks.classify_text.corpus import Corpus, Grams
from sluicegate.tasks.classify_text.model import Ensemble, Shape


def test_what_fills_a_batch_up_changes_nothing(texts):
    """A text's logits are those that it has alone."""
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

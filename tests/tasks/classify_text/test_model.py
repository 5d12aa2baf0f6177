"""What the networks of the text classifier make of a batch."""

import numpy as np
import torch

import sluicegate
from sluicegate.data.words import WordTokenizer
from sluicegate.runtime.texts.grams import Grams
from sluicegate.tasks.classification.loss import disagreement
from sluicegate.tasks.classify_text.corpus import Corpus
from sluicegate.tasks.classify_text.model import Ensemble, Shape
from sluicegate.tasks.classify_text.spelling import Spelling


def test_what_fills_a_batch_up_changes_nothing(texts):
    """A text's logits are those that it has alone."""
    told = [*texts(rows=4)["text"].to_list(), "fine", "A long TEXT " * 20]
    tokenizer = WordTokenizer.train(told, words=100, least=1)
    plain = Corpus.of(told, tokenizer, capitals=True)
    grams = Grams.of(plain.tokens, 1, 1000)
    corpus = Corpus.of(told, tokenizer, grams, capitals=True)
    torch.manual_seed(0)
    shape = Shape(len(tokenizer), len(grams.keys), 3, 5, 4, 1, "gru", 0.5, 0.1, 2, capitals=True, windows=(2, 3))
    model = Ensemble(shape).eval()
    with torch.no_grad():
        for member in model.members:
            member.wide.normal_()
        together = model(corpus.batch(np.arange(len(told))))
        for row in range(len(told)):
            torch.testing.assert_close(model(corpus.batch(np.array([row])))[0], together[row], rtol=1e-5, atol=1e-5)


def test_a_convolution_sees_the_words_around_each(texts):
    told = texts(rows=4)["text"].to_list()
    tokenizer = WordTokenizer.train(told, words=100, least=1)
    model = Ensemble(Shape(len(tokenizer), 0, 3, 5, 4, 1, "gru", 0.5, 0.1, 1, windows=(1, 2, 3, 4))).eval()
    (member,) = model.members
    x = torch.randn(2, 7, 5)
    with torch.no_grad():
        for size, layer, said in zip(range(1, 5), member.convolutions, member.convolved(x), strict=True):
            around = torch.nn.functional.pad(x.mT, ((size - 1) // 2, size // 2))
            weight = layer.weight.unflatten(1, (size, 5)).mT
            torch.testing.assert_close(said, torch.nn.functional.conv1d(around, weight, layer.bias).mT)


def test_spelling_goes_into_the_words_when_training_ends(texts):
    told = texts(rows=4)["text"].to_list()
    tokenizer = WordTokenizer.train(told, words=100, least=1)
    corpus = Corpus.of(told, tokenizer)
    torch.manual_seed(0)
    model = Ensemble(Shape(len(tokenizer), 0, 3, 5, 4, 1, "gru", 0.5, 0.1, 2, capitals=False)).eval()
    model.begin(torch.randn(len(tokenizer), 5), Spelling.of(tokenizer.tokens()))
    batch = corpus.batch(np.arange(len(told)))
    names = set(model.state_dict())
    with torch.no_grad():
        before = model(batch)
        model.finish()
        torch.testing.assert_close(model(batch), before)
    assert any("spelling" in name for name in names)
    assert not any("spelling" in name for name in model.state_dict())
    assert not any(member.embedding.weight[0].any() for member in model.members)


def test_readings_agree_where_consistency_is_asked_for(table, quick):
    """What leaving units out changes in the answers of the trained network."""

    def apart(consistency):
        told = table["text"].to_list()
        classifier = sluicegate.TextClassifier(**quick | {"consistency": consistency}).fit(table, progress=False)
        trained = classifier._trained
        corpus = Corpus.of(told, trained.tokenizer, trained.grams, capitals=trained.shape.capitals)
        member = trained.model.members[0].train()
        with torch.no_grad():
            said = member(corpus.batch(np.tile(np.arange(len(told)), 2)), torch.Generator().manual_seed(0))
        return float(disagreement(said.unflatten(0, (2, -1))))

    none, some, more = (apart(consistency) for consistency in (0.0, 1.0, 10.0))
    assert more < some < none

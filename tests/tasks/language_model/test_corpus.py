"""Texts line by line, as words and as tokens."""

import numpy as np

from sluicegate.tasks.generation.subwords import BEGIN, END
from sluicegate.tasks.language_model.corpus import Corpus, by_line
from sluicegate.tasks.language_model.vocabulary import vocabulary_of

TEXTS = ["a b\nc", "", "d\r\n\ne f\n", "\ud800 g"]


def test_texts_are_cut_into_lines():
    corpus = Corpus.of(TEXTS)
    assert list(corpus.lines) == ["a b", "c", "", "d", "", "e f", "? g"]
    assert corpus.begins.tolist() == [True, False, True, True, False, False, True]
    assert len(corpus) == 4
    assert corpus.words.tolist() == [3, 2, 1, 2, 1, 3, 3]
    assert corpus.bytes == sum(len(line) + 1 for line in corpus.lines)


def test_some_texts_and_some_lines():
    corpus = Corpus.of(TEXTS)
    some = corpus.texts(np.array([2, 0]))
    assert list(some.lines) == ["d", "", "e f", "a b", "c"]
    assert some.begins.tolist() == [True, False, False, True, False]
    before, after = corpus.cut(4)
    assert list(before.lines) + list(after.lines) == list(corpus.lines)
    assert after.begins.tolist() == [True, False, True]
    assert list(corpus.first(4).lines) == ["a b", "c"]


def test_tokens_have_ends_of_lines_and_streams_the_beginnings_of_texts():
    corpus = Corpus.of(TEXTS)
    subwords, _ = vocabulary_of(corpus.lines, 30)
    tokens = corpus.tokens(subwords)
    assert len(tokens.lines) == 7
    assert (tokens.lines.values[tokens.lines.bounds[1:] - 1] == END).all()
    encoded = subwords.encode(list(corpus.lines))
    assert tokens.lines.values.tolist() == [token for line in encoded for token in (*line, END)]
    assert tokens.texts.lengths.tolist() == [
        len(encoded[0]) + len(encoded[1]) + 2,
        1,
        *(sum(len(encoded[i]) + 1 for i in rows) for rows in ((3, 4, 5), (6,))),
    ]
    begins = tokens.streams.bounds[:-1]
    assert (tokens.streams.values[begins] == BEGIN).all()
    assert np.delete(tokens.streams.values, begins).tolist() == tokens.lines.values.tolist()


def test_sums_by_line():
    corpus = Corpus.of(["a b\n\nc"])
    subwords, _ = vocabulary_of(["a b c"] * 3, None)
    assert by_line(np.array([1.0, 2, 4, 8, 16, 32]), corpus.tokens(subwords).lines).tolist() == [7, 8, 48]

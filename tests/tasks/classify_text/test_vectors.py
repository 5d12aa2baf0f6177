"""Words start from vectors of a file, and the rest from their neighbours in the training texts."""

import numpy as np
import pytest
import torch

import sluicegate
from sluicegate.data.vectors import VectorFile
from sluicegate.data.words import words_of
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classify_text.config import TextClassifierConfig
from sluicegate.tasks.classify_text.corpus import Corpus
from sluicegate.tasks.classify_text.vocabulary import Vocabulary

TOLD = ["a fine film", "a fine cast", "rare words are few", "the film"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.vec"
    path.write_text("4 3\nfine 3 0 4\nFilm 0 0.5 0\nrare 1 1 1\nelsewhere 9 9 9\n")
    return path


def test_words_start_from_their_vectors(file):
    config = TextClassifierConfig()
    vocabulary = Vocabulary.of(TOLD, words_of(TOLD), 2, config, VectorFile(file))
    tokens = vocabulary.tokenizer.tokens()
    assert "rare" in tokens  # which occurs once
    assert "few" not in tokens
    assert "elsewhere" not in tokens
    assert (vocabulary.covered.found, vocabulary.covered.words) == (3, 4)  # "a" has none
    start = vocabulary.start(Corpus.of(TOLD, vocabulary.tokenizer).tokens)
    for word, numbers in {"fine": [3, 0, 4], "film": [0, 0.5, 0], "rare": [1, 1, 1]}.items():
        expected = np.array(numbers) / np.linalg.norm(numbers) * np.sqrt(3)
        np.testing.assert_allclose(start[tokens.index(word)], expected, rtol=1e-6)
    assert np.linalg.norm(start[tokens.index("a")]) == pytest.approx(np.sqrt(3), rel=1e-5)


def test_the_rest_starts_as_without_a_file(file):
    plain = Vocabulary.of(TOLD, words_of(TOLD), 1, TextClassifierConfig(embedding=3), None)
    given = Vocabulary.of(TOLD, words_of(TOLD), 1, TextClassifierConfig(), VectorFile(file))
    assert plain.tokenizer.tokens() == given.tokenizer.tokens()
    corpus = Corpus.of(TOLD, plain.tokenizer).tokens
    same = (plain.start(corpus) == given.start(corpus)).all(1)
    different = {token for token, alike in zip(plain.tokenizer.tokens(), same, strict=True) if not alike}
    assert different == {"fine", "film", "rare"}


def test_fit_follows_the_file_and_tells_how_many_words_it_has(file, table, quick, tmp_path):
    file.write_text("lovely 1 0 0\nawful 0 1 0\nfilm 0 0 1\nnowhere 5 5 5\n")
    knobs = {**quick, "embedding": None, "epochs": 1}
    task = sluicegate.TextClassifier(**knobs).fit(table, vectors=file, progress=False)
    assert task._trained.shape.embedding == 3
    assert task.report.facts["vectors"].startswith("3 of ")
    assert task.report.facts["vectors"].endswith(" words from tiny.vec")
    task.save(tmp_path / "m")
    assert "3 of " in (tmp_path / "m" / "MODEL_CARD.md").read_text()
    again = sluicegate.load(tmp_path / "m")
    assert again._trained.covered == task._trained.covered
    assert again.predict(table).equals(task.predict(table))


def test_another_embedding_is_refused(file, table, quick):
    with pytest.raises(ConfigError, match=r"`embedding` \(=8\) must be 3, the embedding dimension of .*tiny.vec"):
        sluicegate.TextClassifier(**quick).fit(table, vectors=file, progress=False)
    with pytest.raises(DataError, match="not there"):
        sluicegate.TextClassifier(**quick).fit(table, vectors="nowhere.vec", progress=False)


def test_a_run_with_other_vectors_is_not_resumed(file, table, quick, tmp_path):
    file.write_text("lovely 1 0 0\n")
    knobs = {**quick, "embedding": None, "epochs": 1}

    def run(**options):
        task = sluicegate.TextClassifier(**knobs)
        return task.fit(table, vectors=file, checkpoint=tmp_path / "state", progress=False, **options)

    run()
    whole = run(resume=True)._trained.model.state_dict()
    file.write_text("lovely 1 0 0\nsomething 1 2 3\n")  # a word that does not occur
    again = run(resume=True)._trained.model.state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    file.write_text("lovely 0 1 0\n")
    with pytest.raises(ConfigError, match="other data or settings"):
        run(resume=True)

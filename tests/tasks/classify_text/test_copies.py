"""Texts that are there several times: in one fold, and told of."""

import numpy as np
import polars as pl

import sluicegate
from sluicegate.runtime.texts.terms import Words
from sluicegate.tasks.classification.equal_rows import shared_noted
from sluicegate.tasks.classify_text.copies import ALIKE, equal_texts, near_texts


def long_texts(count, words=30, seed=0):
    generator = np.random.default_rng(seed)
    names = np.array([f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnprst"])
    return [" ".join(generator.choice(names, words)) for _ in range(count)]


def near(texts):
    words = Words.of(texts)
    return near_texts(words, equal_texts(words)).tolist()


def test_equal_are_texts_of_the_same_words_and_signs():
    texts = ["A fine film.", "a  FINE film .", "a fine film!", "", " ", "\uff41 fine film.", "a fine fil m."]
    assert equal_texts(Words.of(texts)).tolist() == [0, 0, 2, 3, 4, 0, 6]
    assert equal_texts(Words.of(["", ""])).tolist() == [0, 1]


def test_nearly_equal_texts_are_found():
    texts = long_texts(200)
    assert near(texts) == []
    changed = [f"{text} indeed" for text in texts[:20]] + [
        text.replace(" ", ", ").upper() + "!" for text in texts[20:40]
    ]
    assert near([*texts, *changed, *texts[:5]]) == [[i, 200 + i] for i in range(40)]
    assert near(["", "!", "7", "8 9"]) == []
    assert near(["good", "good !", "bad"]) == [[0, 1]]
    assert near(["only one"]) == []


def test_validation_rows_that_training_has():
    def noted(texts, validating):
        words = Words.of([*texts, *validating])
        content = equal_texts(words)
        return shared_noted(near_texts(words, content), content, len(texts), "texts", ALIKE)

    texts = long_texts(50)
    assert noted(texts[:40], texts[40:]) == []
    equal, alike = noted(texts, [*long_texts(6, seed=1), texts[3].upper(), f"{texts[4]} indeed"])
    assert equal.startswith("1 of the 8 texts that validate are equal to one that was trained on")
    assert alike.startswith("At least 1 of the texts that validate are nearly equal")


def test_labels_by_chance_stay_chance():
    generator = np.random.default_rng(0)
    texts = long_texts(40, words=6) * 4
    table = pl.DataFrame({"text": texts, "label": generator.choice(["a", "b"], 160)})
    classifier = sluicegate.TextClassifier(folds=2, epochs=4, hidden=8, embedding=8).fit(table, progress=False)
    assert classifier.report.metrics["accuracy"] < 0.7  # 0.95 and more where copies were in both parts
    assert all(figures["accuracy"] < 0.7 for figures in classifier.report.baselines.values())
    (note,) = [note for note in classifier.report.notes if "equal" in note]
    assert note.startswith("160 of the 160 texts are equal to another one: equal ones stay in one fold")


def test_two_texts_all_over_are_learnt():
    table = pl.DataFrame({"text": ["a fine film", "a dull film"] * 20, "label": ["good", "bad"] * 20})
    knobs = {"folds": 2, "epochs": 15, "hidden": 8, "embedding": 8, "learning_rate": 0.02}
    classifier = sluicegate.TextClassifier(**knobs).fit(table, progress=False)
    assert classifier.predict(table)["label"].to_list() == table["label"].to_list()
    assert any("the figures do not hold for new ones" in note for note in classifier.report.notes)


def test_a_validation_table_that_repeats_training():
    table = pl.DataFrame({"text": long_texts(24, words=6), "label": ["good", "bad"] * 12})
    classifier = sluicegate.TextClassifier(epochs=1, hidden=4, embedding=4)
    classifier.fit(table, validation=table[:6], progress=False)
    assert any(note.startswith("6 of the 6 texts that validate are equal") for note in classifier.report.notes)

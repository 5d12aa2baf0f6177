"""The text classifier learns, is honest about it, and gives the same bits however it is asked."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

import sluicegate
from sluicegate import bundle
from sluicegate.data.words import words_of
from sluicegate.errors import ConfigError, DataError
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks import task as verbs
from sluicegate.tasks.checks import Case, checks
from sluicegate.tasks.classify_text import objective, training
from sluicegate.tasks.classify_text.corpus import Corpus
from sluicegate.tasks.classify_text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def case(table, quick):
    return Case(
        make=lambda seed, **knobs: sluicegate.TextClassifier(seed=seed, **quick, **knobs),
        fit=lambda task: task.fit(table, progress=False),
        data=table,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_learns_what_words_mean(trained, texts):
    other = texts(rows=200, seed=1)
    report = trained.evaluate(other)
    assert report.metrics["accuracy"] > 0.97
    assert report.baselines["majority_class"]["accuracy"] < 0.6
    assert set(report.baselines) == {"majority_class", "tfidf_logistic_regression", "nb_svm"}


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_cells(cell, table, quick, texts):
    task = sluicegate.TextClassifier(cell=cell, **quick).fit(table, progress=False)
    assert task.evaluate(texts(seed=2)).metrics["accuracy"] > 0.9


def test_predictions_are_a_frame_of_the_callers_kind(trained, table):
    found = trained.predict(table)
    assert isinstance(found, pl.DataFrame)
    assert found.columns == ["label", "probability", "probability_bad", "probability_good"]
    said = found.select("probability_bad", "probability_good").to_numpy()
    np.testing.assert_allclose(said.sum(1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(found["probability"], said.max(1))
    assert type(trained.predict(table.to_pandas())).__module__.startswith("pandas")
    assert type(trained.predict(table.to_arrow())).__module__.startswith("pyarrow")
    assert trained.predict(table["text"].to_list()).equals(found)


def test_a_row_does_not_depend_on_its_company(trained, table):
    """A text's probabilities are the same alone, but for how the rest of PyTorch rounds."""
    together = trained.predict(table)
    for row in (0, 5, 17):
        alone = trained.predict([table["text"][row]])
        np.testing.assert_allclose(alone["probability"][0], together["probability"][row], atol=1e-6)


def test_labels_may_be_numbers_and_truth_values(table, quick):
    for kind in (pl.Int64, pl.Boolean):
        numbered = table.with_columns((pl.col("label") == "good").cast(kind).alias("label"))
        task = sluicegate.TextClassifier(**quick).fit(numbered, progress=False)
        assert task.predict(numbered)["label"].dtype == kind
        assert task.evaluate(numbered).metrics["accuracy"] > 0.8


def test_groups_stay_together(table, quick):
    grouped = table.with_columns(pl.Series("author", [f"a{i % 7}" for i in range(len(table))]))
    task = sluicegate.TextClassifier(**quick).fit(grouped, groups="author", progress=False)
    assert set(task.report.details["groups"]) == {f"a{i}" for i in range(7)}
    with pytest.raises(DataError, match="there are 7 groups for 8 folds"):
        sluicegate.TextClassifier(**{**quick, "folds": 8}).fit(grouped, groups="author", progress=False)


def test_a_table_may_validate(table, quick, texts):
    knobs = {**quick, "folds": 1}
    task = sluicegate.TextClassifier(**knobs).fit(table, validation=texts(rows=50, seed=3), progress=False)
    assert task.report.facts["rows"] == "50"
    with pytest.raises(ConfigError, match="give one of the two"):
        sluicegate.TextClassifier(**quick).fit(table, validation=table, progress=False)


def test_one_network_holds_a_tenth_back(table, quick):
    task = sluicegate.TextClassifier(**{**quick, "folds": 1}).fit(table, progress=False)
    assert task.report.facts["rows"] == "12"


def test_every_row_validates_once_with_folds(trained):
    assert trained.report.facts["rows"] == "120"


def test_a_blend_is_the_mean_in_its_proportion(table, quick, texts):
    task = sluicegate.TextClassifier(**quick | {"blend": True}).fit(table, progress=False)
    blend = task._trained.decision.blend
    assert 0 <= blend.share <= 1
    method = next(linear for linear in task._trained.methods if linear.name == blend.name)
    other = texts(seed=4)["text"].to_list()
    both = task._trained.probabilities(other)
    simple = method.probabilities(other)
    network = (both - (1 - blend.share) * simple) / max(blend.share, 1e-9)
    if blend.share > 0.01:
        np.testing.assert_allclose(network.sum(1), 1.0, atol=1e-6)
        assert network.min() > -1e-6


def test_a_simple_method_is_blended_in_where_rows_are_few(monkeypatch, table, quick):
    knobs = {name: value for name, value in (quick | {"epochs": 1}).items() if name != "blend"}

    def blended(**options):
        return sluicegate.TextClassifier(**knobs, **options).fit(table, progress=False)._trained.decision.blend

    assert blended() is not None
    assert blended(blend=False) is None
    monkeypatch.setattr(training, "_BLENDED", len(table) - 1)
    assert blended() is None


def test_what_cannot_be_learnt_is_not_known_on_validation_rows(quick):
    """Labels without rhyme or reason: whoever has seen the rows that validate knows them by heart."""
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"text": [f"word{i} sign{i}" for i in range(100)], "label": rng.permutation([0, 1] * 50)})
    report = sluicegate.TextClassifier(**quick).fit(table, progress=False).report
    for row in report.rows.values():
        assert row["accuracy"] < 0.7


def test_temperature_prior_and_decision_take_part(trained, table):
    told, model = table["text"].to_list(), trained._trained
    said, decision = model.probabilities(told), model.decision
    flat = replace(model, decision=replace(decision, temperature=2 * decision.temperature)).probabilities(told)
    expected = np.sqrt(said) / np.sqrt(said).sum(1, keepdims=True)
    np.testing.assert_allclose(flat, expected, atol=1e-6)
    prior = np.array([0.2, 0.8])
    shifted = replace(model, decision=replace(decision, balance=decision.temperature, prior=prior)).probabilities(told)
    expected = said * prior / (said * prior).sum(1, keepdims=True)
    np.testing.assert_allclose(shifted, expected, atol=1e-6)
    even = np.array([[0.6, 0.4]])
    assert replace(decision, prior=np.array([0.8, 0.2]), strength=1.0).answers(even)[0] == 1
    assert replace(decision, prior=np.array([0.8, 0.2]), strength=0.0).answers(even)[0] == 0


def test_rare_classes_are_found(quick, texts):
    """Decisions are tuned, very rare classes are evened out in training, and the report says that sizes are unequal."""
    rows = texts(rows=240, weights=[11 / 12, 1 / 12], seed=5)
    task = sluicegate.TextClassifier(**quick).fit(rows, progress=False)
    assert task._trained.decision.balance == 0.0
    report = task.evaluate(texts(rows=300, weights=[11 / 12, 1 / 12], seed=6))
    assert report.metrics["balanced_accuracy"] > 0.9
    assert any("unequal size" in note for note in report.notes)
    assert "macro f1" in report.verdict
    rarer = texts(rows=500, weights=[0.96, 0.04], seed=8)
    task = sluicegate.TextClassifier(**quick).fit(rarer, progress=False)
    assert task._trained.decision.balance == 1.0
    assert task.evaluate(texts(rows=300, weights=[0.9, 0.1], seed=9)).metrics["balanced_accuracy"] > 0.9


def test_three_classes(quick, texts):
    rows = texts(rows=200, classes=("bad", "good", "mixed"))
    task = sluicegate.TextClassifier(**quick).fit(rows, progress=False)
    assert task.evaluate(texts(classes=("bad", "good", "mixed"), seed=7)).metrics["accuracy"] > 0.9
    assert np.array(task.report.details["confusion"]).shape == (3, 3)


def test_many_classes_have_fewer_words_each(monkeypatch, quick, texts):
    """The linear path has a weight for each word and class: the two together are kept within bounds."""
    monkeypatch.setattr(training, "_WIDE_WEIGHTS", 60)
    classifier = sluicegate.TextClassifier(**(quick | {"epochs": 1})).fit(texts(classes=("good", "bad", "mixed")))
    assert len(classifier._trained.grams.keys) == 20


def test_capitals_may_tell_the_class(quick):
    """Of words that are the same but for their capitals, which the vocabulary does not tell apart."""
    what = ("story", "cast", "plot", "music")
    rows = [(f"the {what[k // 2 % 4]} of this {'FILM' if k % 2 else 'film'} is long", k % 2) for k in range(120)]
    table = pl.DataFrame(rows, schema=["text", "label"], orient="row")
    classifier = sluicegate.TextClassifier(**quick).fit(table, progress=False)
    assert classifier.predict(["a FILM is long", "a film is long"])["label"].to_list() == [1, 0]
    spoke = classifier.explain("a FILM is long")
    assert spoke.sort("share", descending=True)["token"][0] == "FILM"


def test_texts_without_capitals_need_no_weights_for_them(trained, table, quick):
    assert not trained._trained.shape.capitals
    cased = table.with_columns(pl.col("text").str.to_titlecase())
    assert sluicegate.TextClassifier(**quick | {"epochs": 1}).fit(cased, progress=False)._trained.shape.capitals
    whole = sluicegate.TextClassifier(**quick | {"epochs": 1, "lowercase": False}).fit(cased, progress=False)
    assert not whole._trained.shape.capitals  # there, other capitals make another word


def test_words_learn_from_those_that_are_spelled_alike(monkeypatch, table, quick):
    """A word that is in no text, but in the vocabulary, has numbers from the letters that it shares with others."""
    told = [
        f"{text} re{word}ed"
        for word, text in zip(["view", "mark", "turn", "port", "play"] * 24, table["text"], strict=True)
    ]
    rows = table.with_columns(text=pl.Series(told))

    def never():
        classifier = sluicegate.TextClassifier(**quick | {"epochs": 1}).fit(rows, progress=False)
        tokenizer = classifier._trained.tokenizer
        read = set(np.concatenate(tokenizer.encode(told)))
        unread = [number for number in range(len(tokenizer)) if number not in read]
        return classifier._trained.model.members[0].embedding.weight.detach()[unread]

    with_spelling = never()
    monkeypatch.setattr(training.Spelling, "of", lambda _: None)
    assert with_spelling.any(1).sum() > never().any(1).sum()


def test_looks_at_the_validation_rows_are_ten_steps_apart_at_least(trained):
    """Else patience ends training before the learning rate has risen."""
    assert np.diff([0, *trained._trained.curve.steps]).min() >= 10


def test_words_of_one_letter_share_no_spelling(quick):
    table = pl.DataFrame(
        [("\u597d \u7247", "good"), ("\u574f \u7247", "bad")] * 20, schema=["text", "label"], orient="row"
    )
    classifier = sluicegate.TextClassifier(**quick).fit(table, progress=False)
    assert classifier.predict(["\u597d", "\u574f"])["label"].to_list() == ["good", "bad"]


def test_explanations_point_at_the_word_that_tells(trained):
    found = trained.explain("the film is lovely and a story is long")
    assert found["share"].abs().sum() == pytest.approx(1.0)
    assert found.sort("share", descending=True)["token"][0] == "lovely"
    text = "the film is lovely and a story is long"
    assert [text[b:e] for b, e in found.select("begin", "end").iter_rows()] == found["token"].to_list()
    against = trained.explain(text, label="bad")
    np.testing.assert_allclose(against["share"], -found["share"], atol=1e-6)
    with pytest.raises(ConfigError, match="must be one of bad, good"):
        trained.explain("x", label="great")
    assert trained.explain("").is_empty()


def test_pieces_of_words_are_learnt_though_every_word_is_whole(monkeypatch, table, quick):
    """A word that training did not have is read in pieces, which say something only if training has read some."""
    monkeypatch.setattr(training.Spelling, "of", lambda _: None)  # from which pieces learn without being read
    odd = pl.DataFrame({"text": [f"zqzq{i} film" for i in range(10)], "label": table["label"][:10]})
    told = pl.concat([table, odd])
    classifier = sluicegate.TextClassifier(**quick).fit(told, progress=False)
    known = told["text"].to_list()
    vocabulary = Vocabulary.of(known, words_of(known), 1, classifier.config, None)
    readings = [Corpus.of(known, way).tokens for way in (vocabulary.tokenizer, vocabulary.without_rare)]
    whole, pieces = (set(way.encode(["zqzq3"])[0]) for way in (vocabulary.tokenizer, vocabulary.without_rare))
    assert len(whole) == 1
    assert len(pieces) > 1
    together = Ragged.joined(readings)
    start = vocabulary.start(together).astype(np.float64)
    never = sorted(set(range(len(vocabulary.tokenizer))) - set(together.values))
    read = np.array(sorted(whole | pieces))
    turned = np.zeros(len(read), dtype=bool)
    for member in classifier._trained.model.members:  # one of them trains on it
        found = member.embedding.weight.detach().double().numpy()
        assert not found[never].any()
        alike = (found[read] * start[read]).sum(1)
        alike /= np.linalg.norm(found[read], axis=1) * np.linalg.norm(start[read], axis=1)
        turned |= alike < 1 - 1e-5  # by what was learnt: the decay of weights only shortens
    assert turned.all()


def test_words_that_occur_once_validate_in_pieces(monkeypatch, table, quick):
    """The network that is judged by such a row has never seen the word: read whole it would be judged too well."""
    seen = []
    judge = objective.Objective._validate

    def watched(self, network):
        seen.append(self._validation_parts[network])
        return judge(self, network)

    monkeypatch.setattr(objective.Objective, "_validate", watched)
    told = table.with_columns(text=pl.format("{} zqzq{}", "text", pl.int_range(len(table))))
    knobs = quick | {"epochs": 1}
    classifier = sluicegate.TextClassifier(**knobs).fit(told, progress=False)
    whole = Corpus.of(told["text"].to_list(), classifier._trained.tokenizer).tokens.lengths
    assert seen
    for corpus, parts in seen:
        assert (corpus.tokens.lengths[parts] > whole[parts]).all()


def test_networks_and_units_follow_the_size_of_the_training_part(monkeypatch, table, quick):
    knobs = {name: value for name, value in (quick | {"epochs": 1}).items() if name not in ("folds", "hidden")}

    def shape(**options):
        classifier = sluicegate.TextClassifier(**knobs).fit(told, progress=False, **options)
        found = classifier._trained.shape
        assert ("beside convolutions over 2 and 3 words" in classifier.report.facts["model"]) == bool(found.windows)
        return found.members, found.hidden, len(found.windows)

    told = table.with_columns(author=pl.Series(f"a{i % 3}" for i in range(len(table))))
    assert shape() == (5, 128, 2)
    assert shape(groups="author") == (3, 128, 2)
    for bound in ("_FEW_TOKENS", "_FEW_WEIGHTS"):
        with monkeypatch.context() as patch:
            patch.setattr(training, bound, 10)
            assert shape() == (5, 64, 0)
    monkeypatch.setattr(training, "_FEW", 10)
    assert shape()[0] == 1


def test_few_texts_are_read_twice(monkeypatch, table, quick):
    """And more often, as that takes longer to learn."""
    knobs = {name: value for name, value in quick.items() if name not in ("epochs", "batch")}
    steps, asked = [], []
    loss_for, train = training.loss_for, verbs.train

    def watched(*arguments, **options):
        loss = loss_for(*arguments, **options)
        asked.append(loss.consistency)
        return loss

    def told(model, parts, schedule, **options):
        steps.append(schedule.steps)
        assert schedule.min_delta > 0  # or texts that are easily told apart would be trained on to the last step
        return train(model, parts, schedule, **options)

    monkeypatch.setattr(training, "loss_for", watched)
    monkeypatch.setattr(verbs, "train", told)
    monkeypatch.setattr(training, "_STEPS", 1)
    sluicegate.TextClassifier(**knobs).fit(table, progress=False)
    monkeypatch.setattr(training, "_FEW_TOKENS", 10)
    sluicegate.TextClassifier(**knobs).fit(table, progress=False)
    assert asked == [1.0, 0.0]
    assert steps[0] * 15 == steps[1] * 25


def test_a_model_that_was_saved_without_convolutions_still_loads(tmp_path, monkeypatch, table, quick):
    monkeypatch.setattr(training, "_WINDOWS", ())
    classifier = sluicegate.TextClassifier(**quick | {"epochs": 1}).fit(table, progress=False)
    files = dict(classifier.files())
    settings = json.loads(files["config.json"])
    del settings["shape"]["windows"]
    bundle.write(tmp_path / "model", {**files, "config.json": json.dumps(settings).encode()})
    told = table["text"].to_list()
    assert sluicegate.load(tmp_path / "model").predict(told).equals(classifier.predict(told))


def test_long_texts_are_read_whole(trained):
    """What tells the class stands at the end of a text that is read in parts."""
    text = "the film is long " * 300 + "lovely " * 300
    assert trained.predict([text])["label"][0] == "good"
    assert trained.explain(text)["share"].abs().sum() == pytest.approx(1.0)


def test_the_report_shows_what_went_wrong(trained, table):
    flipped = table.with_columns(
        pl.when(pl.col("label") == "good").then(pl.lit("bad")).otherwise(pl.lit("good")).alias("label")
    )
    report = trained.evaluate(flipped)
    page = report.to_html()
    assert "The most certain mistakes" in page
    assert '<mark class="for4">' in page
    assert {picture.title for picture in report.draw()} >= {
        "What is taken for what",
        "Can the probabilities be believed?",
    }
    assert len(report.passages) == 8
    told = ["".join(part for part, _ in passage.parts) for passage in report.passages]
    assert set(told) <= set(flipped["text"])


def test_the_number_of_threads_changes_no_bit(table, quick):
    before, found = torch.get_num_threads(), []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        found.append(sluicegate.TextClassifier(**quick).fit(table, progress=False).files()["weights.safetensors"])
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert len(set(found)) == 1


def test_a_killed_run_goes_on(tmp_path, table, quick):
    """Stopped after a look, and resumed, training ends with the same weights."""
    whole = sluicegate.TextClassifier(**quick).fit(table, progress=False)
    task, path = sluicegate.TextClassifier(**quick), tmp_path / "state"
    looks = []

    class Stopped(Exception):  # noqa: N818 - no error, a kill
        pass

    def stop(self, network, validate=objective.Objective._validate):
        if network == 0:
            looks.append(1)
        if len(looks) == 3:
            raise Stopped
        return validate(self, network)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objective.Objective, "_validate", stop)
        with pytest.raises(Stopped):
            task.fit(table, checkpoint=path, progress=False)
    again = sluicegate.TextClassifier(**quick).fit(table, checkpoint=path, resume=True, progress=False)
    assert again.files()["weights.safetensors"] == whole.files()["weights.safetensors"]
    with pytest.raises(ConfigError, match="other data or settings"):
        sluicegate.TextClassifier(**quick, seed=1).fit(table, checkpoint=path, resume=True, progress=False)

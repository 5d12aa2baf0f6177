"""The series classifier learns, is honest about it, and gives the same answer however it is asked."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

import sluicegate
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks import task as verbs
from sluicegate.tasks.checks import Case, checks
from sluicegate.tasks.classification.minirocket import MiniRocket, has_minirocket
from sluicegate.tasks.classify_series import baselines, objective, training
from sluicegate.tasks.classify_series import trained as trained_module


def long_table(recordings, labels, groups=None):
    """The recordings as a long table, with names of its own."""
    parts = []
    for number, (part, label) in enumerate(zip(recordings, labels, strict=True)):
        columns = {"id": f"r{number}", "t": np.arange(len(part)), "a": part[:, 0], "b": part[:, 1], "kind": label}
        parts.append(pl.DataFrame(columns | ({} if groups is None else {"who": groups[number]})))
    return pl.concat(parts)


@pytest.fixture(scope="module")
def case(recordings, quick):
    table = long_table(*recordings)
    return Case(
        make=lambda seed, **knobs: sluicegate.SeriesClassifier(seed=seed, **{**quick, "steps": 20}, **knobs),
        fit=lambda task: task.fit(table, "kind", series="id", time="t", progress=False),
        data=table,
        rows=table[:12].drop("kind").rows(named=True),
        offline=lambda task, rows: task.predict(pl.DataFrame(rows)).drop("id"),
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_learns_what_swings_mean(trained, record):
    report = trained.evaluate(*record(count=100, seed=1))
    assert report.metrics["accuracy"] > 0.95
    assert report.baselines["majority_class"]["accuracy"] == 0.5
    assert set(report.baselines) == {"majority_class", "nearest_neighbour", "summary_statistics"}


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_cells_and_three_classes(cell, quick, record):
    classes = ("slow", "middle", "fast")
    task = sluicegate.SeriesClassifier(cell=cell, **{**quick, "steps": 120})
    task.fit(*record(60, classes), progress=False)
    assert task.evaluate(*record(60, classes, seed=2)).metrics["accuracy"] > 0.95


def test_a_table_and_arrays_are_alike(trained, recordings, quick):
    table = long_table(*recordings)
    task = sluicegate.SeriesClassifier(**quick).fit(table, "kind", series="id", time="t", progress=False)
    arrays, said = trained.predict(recordings[0]), task.predict(table)
    assert said.columns == ["id", "label", "probability", "probability_fast", "probability_slow"]
    assert arrays.columns == ["recording", *said.columns[1:]]
    assert said["id"].to_list() == [f"r{i}" for i in range(len(recordings[0]))]
    assert arrays.drop("recording").equals(said.drop("id"))
    np.testing.assert_allclose(said.select("probability_fast", "probability_slow").to_numpy().sum(1), 1.0, atol=1e-12)
    assert type(task.predict(table.to_pandas())).__module__.startswith("pandas")
    assert type(task.predict(table.to_arrow())).__module__.startswith("pyarrow")
    mixed_up = table.with_columns(order=pl.col("t").rank("ordinal")).sort("t", "id").drop("order")
    assert task.predict(mixed_up).sort("id").equals(said.sort("id"))


def test_one_array_and_one_channel(quick):
    waves = np.stack([np.sin(np.arange(30) * speed + phase) for phase in range(10) for speed in (0.3, 1.0)])
    labels = [0, 1] * 10
    several = sluicegate.SeriesClassifier(**quick).fit(waves[:, :, None], labels, progress=False)
    single = sluicegate.SeriesClassifier(**quick).fit(list(waves), labels, progress=False)
    assert several.predict(waves[:, :, None]).equals(single.predict(list(waves)))
    assert several.predict(list(waves))["label"].to_list() == labels


def test_a_recording_does_not_depend_on_its_company(trained, recordings):
    """Its probabilities are the same alone, but for how the rest of PyTorch rounds."""
    together = trained.predict(recordings[0])
    for row in (0, 5, 17):
        alone = trained.predict([recordings[0][row]])
        np.testing.assert_allclose(alone["probability"][0], together["probability"][row], atol=1e-6)


def test_nothing_of_a_long_recording_is_cut_off(quick, record):
    """What tells the class may stand anywhere: windows reach every step, and vote."""
    known, labels = record(shortest=60, longest=90)
    task = sluicegate.SeriesClassifier(**quick, window=24).fit(known, labels, progress=False)
    assert task.evaluate(*record(seed=3, shortest=60, longest=90)).metrics["accuracy"] > 0.95
    windowed = task._trained.windowed(sluicegate.data.Recordings.of_arrays(known))
    for number, part in enumerate(known):
        reached = np.zeros(len(part), dtype=bool)
        begins = windowed.begins[windowed.owner == number]
        assert (np.diff(begins) <= 12).all()
        for begin in begins:
            reached[begin : begin + 24] = True
        assert reached.all()
    changed = [part.copy() for part in known]
    changed[3][-1] += 5.0
    before, after = (task.predict(parts)["probability_slow"] for parts in (known, changed))
    assert before[3] != after[3]


def test_the_front_goes_on_by_its_stride(quick, record):
    known = record(shortest=60, longest=90)
    task = sluicegate.SeriesClassifier(**quick, stride=3).fit(*known, progress=False)
    assert task.evaluate(*record(seed=3, shortest=60, longest=90)).metrics["accuracy"] > 0.9
    with torch.no_grad():
        from sluicegate.tasks.classify_series.model import frames_of
        from sluicegate.tasks.classify_series.windows import batch_of

        part = np.arange(7, dtype=np.float32)[:, None] + 1
        frames, lengths = frames_of(batch_of([part, part[:4]]), 3)
    assert lengths.tolist() == [3, 2]
    assert frames[0].tolist() == [[0, 0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7], [4, 5, 6, 7, 0, 0, 0]]
    assert frames[1, :2].tolist() == [[0, 0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 0, 0, 0]]


def test_groups_stay_together(quick, record):
    known, labels = record(40)
    groups = [f"person {i // 4}" for i in range(40)]
    task = sluicegate.SeriesClassifier(**quick).fit(known, labels, groups=groups, progress=False)
    assert len(task.report.details["groups"]) == 10
    report = task.evaluate(known, labels, groups=groups)
    assert set(report.details["groups"]) == set(groups)
    with pytest.raises(DataError, match="all rows are of one group: expected two groups at least"):
        sluicegate.SeriesClassifier(folds=2).fit(known, labels, groups=["me"] * 40)


def test_what_cannot_be_learnt_is_not_known_on_validation_recordings(quick):
    """Labels without rhyme or reason: whoever has seen the recordings that validate knows them by heart."""
    rng = np.random.default_rng(0)
    known = list(rng.normal(size=(80, 12, 2)))
    report = sluicegate.SeriesClassifier(**quick).fit(known, rng.permutation([0, 1] * 40), progress=False).report
    for row in report.rows.values():
        assert row["accuracy"] < 0.7
    assert report.metrics["log_loss"] < 0.75


def test_recordings_may_validate(recordings, quick, record):
    knobs = {**quick, "folds": 1}
    other = record(count=30, seed=3)
    task = sluicegate.SeriesClassifier(**knobs).fit(*recordings, validation=other, progress=False)
    assert task.report.facts["recordings"].startswith("30, of")
    with pytest.raises(ConfigError, match="give one of the two"):
        sluicegate.SeriesClassifier(**quick).fit(*recordings, validation=other, progress=False)
    with pytest.raises(DataError, match="must be a pair of recordings and labels"):
        sluicegate.SeriesClassifier(**knobs).fit(*recordings, validation=other[0], progress=False)


def test_one_network_holds_a_tenth_back(recordings, quick):
    task = sluicegate.SeriesClassifier(**{**quick, "folds": 1}).fit(*recordings, progress=False)
    assert task.report.facts["recordings"].startswith("4, of")
    assert task.report.facts["trained on"].startswith("40 recordings")


def test_a_blend_is_the_mean_in_its_proportion(record, quick):
    task = sluicegate.SeriesClassifier(**{**quick, "steps": 8}, blend=True).fit(*record(), progress=False)
    model = task._trained
    blend = model.decision.blend
    windowed = model.windowed(sluicegate.data.Recordings.of_arrays(record(seed=5)[0]))
    simple = next(method for method in model.methods if method.name == blend.name).probabilities(windowed.channels)
    both = model.probabilities(windowed)
    assert 0 <= blend.share < 1
    network = (both - (1 - blend.share) * simple) / max(blend.share, 1e-9)
    if blend.share > 0.01:
        np.testing.assert_allclose(network.sum(1), 1.0, atol=1e-6)


def test_rare_classes_are_found(quick, record):
    slow, _ = record(120, ("slow",), seed=1)
    fast, _ = record(10, ("fast",), seed=2)
    labels = ["slow"] * 120 + ["fast"] * 10
    task = sluicegate.SeriesClassifier(**{**quick, "steps": 120}).fit([*slow, *fast], labels, progress=False)
    report = task.evaluate(*record(60, seed=3))
    assert report.metrics["balanced_accuracy"] > 0.9
    assert any("unequal size" in note for note in task.report.notes)


def test_explains_by_what_decided(quick):
    """A burst in one channel tells the class: the stretch and the channel with it have most of the share."""
    rng = np.random.default_rng(0)
    known, labels = [], []
    for i in range(60):
        part = rng.normal(0, 0.1, (40, 3))
        if i % 2:
            begin = rng.integers(0, 34)
            part[begin : begin + 4, 1] += 4.0
        known.append(part)
        labels.append(i % 2)
    task = sluicegate.SeriesClassifier(**quick).fit(known, labels, progress=False)
    part = rng.normal(0, 0.1, (40, 3))
    part[20:24, 1] += 4.0
    found = task.explain(part)
    assert found.columns == ["channel", "begin", "end", "share"]
    assert float(found["share"].abs().sum()) == pytest.approx(1.0)
    best = found.sort("share", descending=True).row(0, named=True)
    assert best["channel"] == "channel 1"
    assert 18 <= best["begin"] < 24
    burst = (pl.col("channel") == "channel 1") & (pl.col("begin") >= 18) & (pl.col("end") <= 26)
    assert float(found.filter(burst)["share"].sum()) > 2 * float(found.filter(~burst)["share"].abs().max())
    other = task.explain(part, 0)
    np.testing.assert_allclose(other["share"], -found["share"], atol=1e-6)
    with pytest.raises(ConfigError, match="must be one of 0, 1"):
        task.explain(part, 2)


def test_a_level_that_is_large_loses_nothing(quick, record):
    """A swing of one on a level of a hundred million is read as well as on none."""
    known, labels = record()
    raised = [part + 1e8 for part in known]
    task = sluicegate.SeriesClassifier(**quick).fit(raised, labels, progress=False)
    assert task.evaluate(*record(seed=1)).title
    other, told = record(seed=1)
    assert task.evaluate([part + 1e8 for part in other], told).metrics["accuracy"] > 0.95


def test_a_channel_that_stands_still(quick, record):
    known, labels = record()
    still = [np.concatenate([part, np.full((len(part), 1), 0.1)], axis=1) for part in known]
    task = sluicegate.SeriesClassifier(**quick).fit(still, labels, progress=False)
    assert task._trained.standard.deviation[[2, 5]].tolist() == [0.0, 0.0]
    assert task._trained.standard.mean[2] == 0.1
    assert task.evaluate(still, labels).metrics["accuracy"] > 0.9


def test_standardised_by_the_training_recordings(trained, recordings):
    steps = np.concatenate(recordings[0])
    np.testing.assert_allclose(trained._trained.standard.mean[:2], steps.mean(0), rtol=1e-9)
    np.testing.assert_allclose(trained._trained.standard.deviation[:2], steps.std(0), rtol=1e-9)
    changes = np.concatenate([np.diff(part, axis=0, prepend=part[:1]) for part in recordings[0]])
    np.testing.assert_allclose(trained._trained.standard.deviation[2:], changes.std(0), rtol=1e-9)


def test_the_number_of_threads_changes_no_bit(recordings, quick):
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(sluicegate.SeriesClassifier(**quick).fit(*recordings, progress=False).files())
    torch.set_num_threads(before)
    assert found[0]["weights.safetensors"] == found[1]["weights.safetensors"]


def test_an_interrupted_run_goes_on_to_the_same_bits(recordings, quick, tmp_path, monkeypatch):
    whole = sluicegate.SeriesClassifier(**quick).fit(*recordings, progress=False)
    looks, real = [], objective.Objective._validate

    def failing(self, network):
        if network == 0:
            looks.append(1)
        if len(looks) == 4:
            raise KeyboardInterrupt
        return real(self, network)

    monkeypatch.setattr(objective.Objective, "_validate", failing)
    with pytest.raises(KeyboardInterrupt):
        sluicegate.SeriesClassifier(**quick).fit(*recordings, checkpoint=tmp_path / "c", progress=False)
    monkeypatch.setattr(objective.Objective, "_validate", real)
    again = sluicegate.SeriesClassifier(**quick)
    again.fit(*recordings, checkpoint=tmp_path / "c", resume=True, progress=False)
    assert again.files()["weights.safetensors"] == whole.files()["weights.safetensors"]
    other = [part + 1 for part in recordings[0]]
    with pytest.raises(ConfigError, match="other data or settings"):
        sluicegate.SeriesClassifier(**quick).fit(
            other, recordings[1], checkpoint=tmp_path / "c", resume=True, progress=False
        )


def test_steps_follow_the_number_of_recordings(quick, record, monkeypatch):
    taken = []
    real = verbs.train

    def train(model, parts, schedule, **options):
        taken.append((schedule.steps, schedule.every))
        assert schedule.min_delta > 0  # or recordings that are easily told apart would be trained on to the last step
        return real(model, parts, replace(schedule, steps=1), **options)

    monkeypatch.setattr(verbs, "train", train)
    knobs = quick | {"steps": None}
    sluicegate.SeriesClassifier(**knobs).fit(*record(20), progress=False)
    monkeypatch.setattr(training, "_STEPS", 50)
    sluicegate.SeriesClassifier(**knobs).fit(*record(20), progress=False)  # two batches
    monkeypatch.setattr(training, "_MOST_STEPS", 90)
    sluicegate.SeriesClassifier(**knobs).fit(*record(20), progress=False)
    assert taken == [(600, 30), (120, 6), (90, 4)]


def test_few_recordings_are_read_twice(quick, record, monkeypatch):
    rows = []
    real = objective.Loss.training

    def counted(self, logits, truth):
        rows.append(len(logits) // len(truth))
        return real(self, logits, truth)

    monkeypatch.setattr(objective.Loss, "training", counted)
    knobs = quick | {"steps": 1, "folds": 1}
    sluicegate.SeriesClassifier(**knobs).fit(*record(20), progress=False)
    sluicegate.SeriesClassifier(**knobs, consistency=0).fit(*record(20), progress=False)
    monkeypatch.setattr(training, "_FEW", 10)
    sluicegate.SeriesClassifier(**knobs).fit(*record(20), progress=False)
    assert rows == [2, 1, 1]


def test_the_report_shows_stretches_of_mistakes(quick, record):
    task = sluicegate.SeriesClassifier(**{**quick, "steps": 4}).fit(*record(60), progress=False)
    report = task.evaluate(*record(60, seed=9))
    assert report.passages
    assert "its stretches, in steps" in report.passages[0].heading
    assert "stretches" in report.to_html()


@pytest.mark.skipif(not has_minirocket(), reason="sktime and numba are not installed")
def test_minirocket_takes_part_and_comes_back(recordings, quick, record, tmp_path, monkeypatch):
    for module in (baselines, trained_module):
        monkeypatch.setattr(module, "has_minirocket", lambda: True)
    knobs = {**quick, "steps": 4, "folds": 1}
    validation = record(20, seed=1, shortest=5, longest=8)  # shorter than its kernels
    task = sluicegate.SeriesClassifier(**knobs).fit(*recordings, validation=validation, progress=False)
    other = record(40, seed=4)
    first = task.evaluate(*other)
    assert first.baselines["minirocket"]["accuracy"] > 0.95
    task.save(tmp_path / "m")
    again = sluicegate.load(tmp_path / "m")
    assert again.evaluate(*other).baselines == first.baselines
    method = next(method for method in task._trained.methods if isinstance(method, MiniRocket))
    three = MiniRocket.fit([part.astype(np.float32) for part in other[0]], np.arange(40) % 3, 3)
    assert method.probabilities([other[0][0].astype(np.float32)]).shape == (1, 2)
    np.testing.assert_allclose(three.probabilities([other[0][0].astype(np.float32)]).sum(), 1.0)
    monkeypatch.setattr(trained_module, "has_minirocket", lambda: False)
    assert "minirocket" not in again.evaluate(*other).baselines

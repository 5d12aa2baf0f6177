"""The action recognizer learns, is honest about it, and gives the same answer however it is asked."""

import numpy as np
import polars as pl
import pytest
import torch

import sluicegate
from sluicegate.tasks.checks import Case, checks


@pytest.fixture(scope="module")
def on_disk(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    clips, labels = make()
    for number, clip in enumerate(clips):
        np.save(folder / f"{number}.npy", clip)
    paths = [str(folder / f"{number}.npy") for number in range(len(clips))]
    return pl.DataFrame({"path": paths, "label": labels, "who": [f"p{i // 2 % 3}" for i in range(24)]})


@pytest.fixture(scope="module")
def case(on_disk, quick):
    def offline(task, rows):
        said = [task.predict([np.stack(rows[: n + 1])]).drop("clip").row(0, named=True) for n in range(len(rows))]
        changes = [n for n in range(len(said)) if n == 0 or said[n]["label"] != said[n - 1]["label"]]
        return {**said[-1], "since": float(changes[-1])}

    return Case(
        make=lambda seed, **knobs: sluicegate.ActionRecognizer(
            seed=seed, **{**quick, "steps": 20}, causal=True, **knobs
        ),
        fit=lambda task: task.fit(on_disk, progress=False),
        data=on_disk,
        rows=list(np.random.default_rng(0).normal(size=(12, 6, 2))),
        offline=offline,
    )


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: check.__name__)
def test_conforms(check, case):
    check(case)


def test_learns_what_moves(trained, make):
    report = trained.evaluate(*make(count=40, seed=1))
    assert report.metrics["accuracy"] > 0.9
    assert set(report.baselines) == {"majority_class", "time_warping", "summary_statistics"}
    page = report.to_html()
    assert "What is taken for what" in page


def test_place_size_and_missing_joints_mean_nothing(trained, causal, make):
    clips, _ = make(count=8, seed=2)
    moved = [clip * 7.0 + 1000.0 for clip in clips]
    for model in (trained, causal):
        told, other = (model.predict(some).drop("clip", "label").to_numpy() for some in (clips, moved))
        np.testing.assert_allclose(told, other, atol=1e-4)
    blind = [np.where(np.arange(6)[None, :, None] == 5, np.nan, clip) for clip in clips]
    assert np.isfinite(trained.predict(blind).drop("clip", "label").to_numpy()).all()


def test_the_view_from_the_side_means_little_in_three_dimensions(make, quick):
    clips, labels = make(dimensions=3)
    model = sluicegate.ActionRecognizer(**quick | {"steps": 150}).fit(clips, labels, progress=False)
    assert model.evaluate(*make(count=20, seed=1, dimensions=3)).metrics["accuracy"] > 0.85


def test_a_mistake_is_drawn_with_its_skeletons(trained, make):
    clips, labels = make(count=6, seed=3)
    wrong = ["raise" if label == "wave" else "wave" for label in labels]
    page = trained.evaluate(clips, wrong, groups=list("aabbcc")).to_html()
    assert "The most certain mistakes over time" in page
    assert "Accuracy by group" in page


def test_explains_which_joint_and_when(trained, make):
    clips, labels = make(count=6, seed=4)
    shares = pl.concat([trained.explain(clip, label) for clip, label in zip(clips, labels, strict=True)])
    assert shares.columns == ["joint", "begin", "end", "share"]
    summed = shares.group_by("joint").agg(pl.col("share").abs().sum()).sort("share")
    assert summed["joint"][-1] == 3, "the hand that moves"
    np.testing.assert_allclose(shares["share"].abs().sum(), len(clips), rtol=1e-9)
    assert trained.explain(clips[0])["begin"].min() == 0.0
    assert trained.explain(clips[0])["end"].max() == 1.0


def test_groups_stay_together(make, people, quick):
    model = sluicegate.ActionRecognizer(**{**quick, "steps": 10, "folds": 3}).fit(
        *make(), groups=people, progress=False
    )
    shape = model.trained.shape
    assert shape.members - shape.whole == 3, "one for each fold"
    assert set(model.report.details["groups"]) == {"0", "1", "2"}


def test_further_networks_are_trained_on_all_clips(make, people, quick):
    knobs = {**quick, "steps": 20, "folds": 3}
    bare, with_whole = (
        sluicegate.ActionRecognizer(**knobs | {"whole": whole}).fit(*make(), groups=people, progress=False)
        for whole in (0, 2)
    )
    assert bare.report.metrics == with_whole.report.metrics, "only those that others validate are measured"
    members = with_whole.trained.model.members
    assert (len(members), with_whole.trained.shape.whole) == (5, 2)
    for one, other in zip(bare.trained.model.members, members[:3], strict=True):
        assert all(torch.equal(weight, other.state_dict()[name]) for name, weight in one.state_dict().items())


def test_a_folder_and_a_table(on_disk, quick, tmp_path):
    for row in on_disk.rows(named=True):
        (tmp_path / row["label"]).mkdir(exist_ok=True)
        path = tmp_path / row["label"] / row["path"].rpartition("/")[2]
        np.save(path, np.load(row["path"]))
    knobs = {**quick, "steps": 20}
    by_table = sluicegate.ActionRecognizer(**knobs).fit(on_disk.sort("label", "path"), progress=False)
    by_folder = sluicegate.ActionRecognizer(**knobs).fit(tmp_path, progress=False)
    said = [model.predict(on_disk).drop("clip") for model in (by_table, by_folder)]
    assert said[0].equals(said[1])
    assert by_table.predict(on_disk["path"][0])["clip"].to_list() == [on_disk["path"][0]]


def test_an_interrupted_run_goes_on(make, quick, tmp_path):
    clips, labels = make()
    path, knobs = tmp_path / "state", {**quick, "steps": 20}
    whole = sluicegate.ActionRecognizer(**knobs).fit(clips, labels, progress=False, checkpoint=path)
    again = sluicegate.ActionRecognizer(**knobs).fit(clips, labels, progress=False, checkpoint=path, resume=True)
    assert whole.files()["weights.safetensors"] == again.files()["weights.safetensors"]


def test_clips_to_validate_on(make, quick):
    model = sluicegate.ActionRecognizer(**{**quick, "folds": None, "steps": 20})
    model.fit(*make(), validation=make(seed=5, count=10), progress=False)
    assert model.report.facts["clips"].startswith("10,")


def test_as_sklearn(make, quick):
    clips, labels = make()
    estimator = sluicegate.ActionRecognizer(**{**quick, "steps": 20}).as_sklearn().fit(clips, labels)
    assert estimator.predict_proba(clips).shape == (24, 2)
    assert set(estimator.predict(clips)) <= {"wave", "raise"}

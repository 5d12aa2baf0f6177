"""What is wrong with clips, actions and saved models is said in one sentence, with the remedy."""

import json
import re

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.errors import BundleError, ConfigError, DataError, NotFittedError

CLIP = np.random.default_rng(0).normal(size=(5, 6, 2))


def refuse(clips, labels, words, error=DataError, settings=(), **options):
    with pytest.raises(error, match=re.escape(words)) as raised:
        sluicegate.ActionRecognizer(steps=2, folds=2, hidden=4, **dict(settings)).fit(
            clips, labels, progress=False, **options
        )
    assert "\n" not in str(raised.value)


def test_clips_and_labels_that_cannot_be_used():
    known, labels = [CLIP, CLIP + 1, CLIP * 2, CLIP * 3], list("abab")
    refuse(known, None, "the clips have no actions: give `labels`, one for each")
    refuse(known, labels[:-1], "there are 4 recordings and 3 labels")
    refuse([*known[:-1], np.zeros((5, 7, 2))], labels, "clip 3 has 7 joints in 2 dimensions, where clip 0 has 6 in 2")
    refuse([*known[:-1], np.full((5, 6, 2), np.nan)], labels, "clip 3 shows nobody")
    refuse([*known[:-1], np.zeros((5, 12))], labels, "clip 3 is of shape (5, 12): expected skeletons")
    refuse(known, list("aaaa"), "holds the single class 'a'")
    refuse(known, list("abbb"), "class 'a' has one row in clip 0")
    refuse(np.zeros((4, 5)), labels, "the array of clips is of shape (4, 5)")
    refuse([], [], "there are no clips: give one at least")
    refuse(None, labels, "there are no clips")
    refuse(known, labels, "there are 4 recordings and 1 groups", groups=["x"])
    refuse(known, labels, "all rows are of one group", groups=["x"] * 4)


def test_layouts_that_do_not_fit():
    known, labels = [CLIP, CLIP + 1, CLIP * 2, CLIP * 3], list("abab")
    refuse(known, labels, "the skeletons have 6 joints, and the layout 'coco' has 17", settings={"layout": "coco"})
    refuse(known, labels, "has a bone to joint 9", settings={"layout": [(0, 9)]})
    refuse(known, labels, "`layout` (='cocoa') must be one of", error=ConfigError, settings={"layout": "cocoa"})
    with pytest.raises(ConfigError, match="`layout`"):
        sluicegate.ActionRecognizer(layout=[(0, 1, 2)])


def test_files_that_cannot_be_used(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"none")
    (tmp_path / "b.txt").write_text("none")
    np.save(tmp_path / "c.npy", np.array([{}]))
    labels = ["a", "b"]
    refuse([str(tmp_path / "a.npy")] * 2, labels, "a.npy cannot be read as npy (")
    refuse([str(tmp_path / "b.txt")] * 2, labels, "b.txt is no clip, by its ending: expected a video")
    refuse([str(tmp_path / "c.npy")] * 2, labels, "c.npy cannot be read as npy (")
    refuse([str(tmp_path / "d.npy")] * 2, labels, "d.npy is not there")
    refuse(tmp_path, None, "there are no clips in ")
    table = pl.DataFrame({"path": [str(tmp_path / "d.npy"), None], "label": labels})
    refuse(table, None, "d.npy (row 0) is not there")
    refuse(table.reverse(), None, "column 'path' holds None in row 0")
    refuse(table.drop("label"), None, "there is no column 'label'")
    refuse(table, ["a", "b"], "`labels` must be the name of a column where clips come as a table")


def test_settings_that_cannot_be_used():
    for settings, words in (
        ({"frames": 3}, "`frames` (=3)"),
        ({"cell": "gnu"}, "`cell` (='gnu')"),
        ({"dropout": 1.0}, "`dropout` (=1.0)"),
    ):
        with pytest.raises(ConfigError, match=re.escape(words)):
            sluicegate.ActionRecognizer(**settings)


def test_other_clips_than_in_training(trained, make):
    with pytest.raises(DataError, match="clip 0 has 7 joints in 2 dimensions, where training has 6 in 2"):
        trained.predict([np.zeros((5, 7, 2))])
    with pytest.raises(DataError, match="has the class 'other'"):
        trained.evaluate(make(count=2)[0], ["other", "wave"])
    with pytest.raises(DataError, match="the clips have no actions"):
        trained.evaluate(make(count=2)[0])
    with pytest.raises(ConfigError, match="`label`"):
        trained.explain(make(count=1)[0][0], "other")


def test_before_training():
    for verb in ("evaluate", "predict", "explain"):
        with pytest.raises(NotFittedError):
            getattr(sluicegate.ActionRecognizer(), verb)([CLIP])


def altered(folder, change):
    """The saved model with another `config.json`, its checksum put right."""
    import hashlib

    config = json.loads((folder / "config.json").read_text())
    change(config)
    content = json.dumps(config).encode()
    (folder / "config.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    text = json.dumps(manifest)
    old = next(v for k, v in _flat(manifest) if "config.json" in k)
    (folder / "manifest.json").write_text(text.replace(str(old), hashlib.sha256(content).hexdigest()))


def _flat(tree, path=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}/{key}")
        elif isinstance(value, str) and len(value) == 64:
            yield f"{path}/{key}", value


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["shape"].update(features=c["shape"]["features"] + 1),
        lambda c: c["shape"].update(dimensions=4),
        lambda c: c.update(layout="coco"),
        lambda c: c.update(rate=0.0),
        lambda c: c["methods"].append("time_warping"),
        lambda c: c.pop("window"),
    ],
)
def test_models_that_do_not_hold_together(trained, tmp_path, change):
    trained.save(tmp_path / "m")
    altered(tmp_path / "m", change)
    with pytest.raises(BundleError) as raised:
        sluicegate.load(tmp_path / "m")
    assert "\n" not in str(raised.value)

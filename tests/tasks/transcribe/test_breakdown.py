"""Parts of the recordings have the error rates of their own words, and the pictures show them."""

import numpy as np
import pytest

pytest.importorskip("jiwer", reason="the extra `speech` is not installed")

from sluicegate.metrics.transcription import counted, scored
from sluicegate.tasks.transcribe.breakdown import by_group, by_length
from sluicegate.tasks.transcribe.pictures import draw

SAID = ["one", "two three", "", "four five six", "seven", "eight nine"]
WRITTEN = ["one", "two", "oh", "five six seven", "eight", "eight nine"]


def counts():
    return {"model": counted(WRITTEN, SAID), "hidden_markov": counted(SAID, SAID)}


def test_groups_have_their_own_rates():
    found = by_group("By age", ["child", "adult"] * 3, counts(), order=["child", "nobody"])
    assert found["bins"] == ["child\n(3)", "adult\n(3)"]
    child, adult = scored(WRITTEN[::2], SAID[::2]).wer, scored(WRITTEN[1::2], SAID[1::2]).wer
    assert found["figures"]["model"] == pytest.approx([child, adult])
    assert found["figures"]["hidden_markov"] == [0, 0]


def test_of_very_many_groups_the_worst_are_shown():
    said = ["one two"] * 15
    written = ["one two"] * 5 + ["one"] * 5 + ["x"] * 5
    names = [f"speaker {number:02d}" for number in range(15)]
    found = by_group("By speaker", names, {"model": counted(written, said)})
    assert len(found["bins"]) == 10
    assert found["figures"]["model"] == [100] * 5 + [50] * 5
    assert "Of 15 groups, the 10 worst" in found["caption"]


def test_each_length_is_a_bin_where_they_are_few():
    found = by_length(SAID, counts())
    assert found["bins"] == ["1\n(2)", "2\n(2)", "3\n(1)"]
    assert found["figures"]["model"] == pytest.approx([50, 25, 200 / 3])


def test_many_lengths_share_bins_and_every_recording_has_one():
    rng = np.random.default_rng(0)
    said = [" ".join(["a"] * length) for length in rng.integers(0, 30, 200)]
    found = by_length(said, {"model": counted(said, said)})
    assert len(found["bins"]) == 4
    sizes = [int(name.split("(")[1].rstrip(")")) for name in found["bins"]]
    assert sum(sizes) == sum(text != "" for text in said)
    assert min(sizes) > 35


def test_pictures_of_all_that_is_there():
    details = {
        "bars": [by_length(SAID, counts()), by_group("By age", ["child", "adult"] * 3, counts())],
        "confusions": [("two", "too", 3), ("", "oh", 1), ("five", "", 1)],
        "reliability": [(0.3, 0.4, 10), (0.9, 0.95, 100)],
        "curve": {"steps": [1, 2], "training": [2.0, 1.0], "validation": [2.1, 1.5]},
    }
    titles = [picture.title for picture in draw(details)]
    assert titles[:2] == ["By length", "By age"]
    assert len(titles) == 5
    assert "two → too" in draw(details)[2].svg
    assert draw({"curve": {"steps": []}}) == draw({}) == []

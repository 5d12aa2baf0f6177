"""The tracker on public sequences of people: how well they are followed, where they go next, and how fast it is.

    SLUICEGATE_DATA=path/to/data python benchmarks/tracking.py [--seeds 3] [--only followed forecast] [--write FILE]

Trained on the five sequences of MOT15 that SORT was not validated on, with SORT's detections, and on MOT16-04, 11 and
13; tested on SORT's six sequences. MOT16-02, 05 and 10 are left out, for they are the videos of three of these six
(Venice-2, ETH-Pedcross2 and ADL-Rundle-8) with other marks, and MOT16-09, which is ADL-Rundle-6. The defaults are used
throughout, and nothing is chosen on a test sequence.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from document import Section, measure_sections, on_data

import sluicegate
from sluicegate.data import Source
from sluicegate.data.box_files import read_box_folder
from sluicegate.tasks.track.following import follow
from sluicegate.tasks.track.labelling import Lesson
from sluicegate.tasks.track.reading import lessons
from sluicegate.tasks.track.report import MEASURES, SIMPLE
from sluicegate.tasks.track.simple import constant_velocity

TEST = ("TUD-Campus", "ETH-Sunnyday", "ETH-Pedcross2", "ADL-Rundle-8", "Venice-2", "KITTI-17")
TRAIN = ("TUD-Stadtmitte", "ETH-Bahnhof", "KITTI-13", "ADL-Rundle-6", "PETS09-S2L1")
MORE = ("MOT16-04", "MOT16-11", "MOT16-13")
EVERY, SEEN, AHEAD = 0.4, 8, 12  # seconds between places, and how many are given and forecast


@cache
def fitted(data: Path, seed: int) -> tuple[sluicegate.Tracker, float]:
    """A tracker with the defaults, and how many seconds its training took."""
    folders = [*(data / "MOT15-train" / name for name in TRAIN), *(data / "MOT16-train" / name for name in MORE)]
    begin = time.perf_counter()
    model = sluicegate.Tracker(seed=seed).fit(folders, detections=data / "SORT-detections")
    return model, time.perf_counter() - begin


def test_folders(data: Path) -> list[Path]:
    """SORT's six sequences."""
    return [data / "MOT15-train" / name for name in TEST]


def measure_followed(data: Path, seeds: int) -> list[str]:
    """How well people are followed."""
    data = data / "tracking"
    rows: dict[str, list[dict[str, float]]] = {}
    took, speeds = [], []
    known, _ = lessons(test_folders(data), data / "SORT-detections", Source())
    for seed in range(seeds):
        model, seconds = fitted(data, seed)
        took.append(seconds)
        report = model.evaluate(test_folders(data), detections=data / "SORT-detections")
        for name, figures in report.rows.items():
            rows.setdefault(name, []).append(figures)
        speeds.append(speed(lambda seen, model=model: follow(model.trained.follower, seen), known))
    names = [measure.name for measure in MEASURES]
    lines = [f"| method | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
    for name, found in rows.items():
        cells = " | ".join(f"{statistics.fmean(one[of] for one in found):,.2f}" for of in names)
        lines.append(f"| {name.replace('_', ' ')} | {cells} |")
    simple = ", ".join(f"{name.replace('_', ' ')} {speed(method, known):,.0f}" for name, method in SIMPLE.items())
    return [
        *lines,
        "",
        f"`fit` takes {statistics.fmean(took):.0f} s; frames a second: the model {statistics.fmean(speeds):,.0f}, "
        f"{simple} (ours, all tracks as arrays).",
    ]


def speed(method: Callable[..., object], known: Sequence[Lesson]) -> float:
    """Frames a second on one thread, the best of three times through the sequences."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        for lesson in known:
            method(lesson.seen)
        took.append(time.perf_counter() - begin)
    torch.set_num_threads(threads)
    return sum(lesson.seen.length for lesson in known) / min(took)


def paths(data: Path) -> Iterator[np.ndarray]:
    """The places of people of the test sequences, `[time 4]`, at even distances of time."""
    for folder in test_folders(data):
        truth = read_box_folder(folder).truth
        assert truth is not None
        assert truth.ids is not None
        for number in np.unique(truth.ids):
            rows = np.flatnonzero(truth.ids == number)
            times = (truth.frames[rows] - truth.frames[rows[0]]) / truth.rate
            if np.diff(times).max(initial=0) > 2 / truth.rate or times[-1] < EVERY * (SEEN + AHEAD - 1):
                continue
            wanted = np.arange(0, times[-1] + 1e-6, EVERY)
            boxes = truth.boxes[rows]
            even = np.stack([np.interp(wanted, times, boxes[:, side]) for side in range(4)], axis=1)
            for begin in range(len(even) - SEEN - AHEAD + 1):
                yield even[begin : begin + SEEN + AHEAD]


def measure_forecast(data: Path, seeds: int) -> list[str]:
    """Where people go next: the mean distance of centres over 4.8 s, and at their end."""
    data = data / "tracking"
    every = np.stack(list(paths(data)))
    given, truth = every[:, :SEEN], _centres(every[:, SEEN:])
    found = {
        f"constant velocity of the last {over * EVERY:.1f} s": [
            np.stack([constant_velocity(_centres(one), AHEAD, over) for one in given])
        ]
        for over in (1, 3, SEEN - 1)
    }
    found["model"] = [
        _centres(fitted(data, seed)[0].forecast(given, AHEAD, every=EVERY).boxes) for seed in range(seeds)
    ]
    figures = {name: [errors(one, truth) for one in several] for name, several in found.items()}
    means = {name: np.mean(several, axis=0) for name, several in figures.items()}
    best = min(means[name][0] for name in means if name != "model")
    lines = ["| method | ADE | by the best constant velocity | FDE |", "| --- | ---: | ---: | ---: |"]
    for name in ("model", *(name for name in means if name != "model")):
        ade, fde = means[name]
        lines.append(f"| {name} | {ade:.2f} | {ade / best:.3f} | {fde:.2f} |")
    return [f"{len(every):,} pieces of paths; pixels.", "", *lines]


def errors(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """The mean distance of all places, and of the last."""
    off = np.linalg.norm(found - truth, axis=-1)
    return float(off.mean()), float(off[:, -1].mean())


def _centres(boxes: np.ndarray) -> np.ndarray:
    centres: np.ndarray = boxes[..., :2] + boxes[..., 2:] / 2
    return centres


SECTIONS: dict[str, Section] = {
    "tracking:followed": on_data("SORT's six sequences of MOT15, SORT's detections", measure_followed),
    "tracking:forecast": on_data("Where people of these go in 4.8 s, from 3.2 s", measure_forecast),
}

if __name__ == "__main__":
    measure_sections(SECTIONS, __doc__, seeds=3)

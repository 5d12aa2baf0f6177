"""Moving pictures on public data: how often actions are recognised, how long that takes, and what it withstands.

    SLUICEGATE_DATA=path/to/data python benchmarks/video.py [--seeds 3] [--only msraction3d ...] [--write FILE]

The data folder holds `action/MSRAction3D` (Li et al. 2010), `action/JHMDB14` (Jhuang et al. 2013) and
`action/hand-point-history`. The defaults are used throughout, and nothing is chosen by test people or clips: networks
stop by training people, or clips, that they do not see.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from actions_data import Clips, hand, jhmdb, msr_action
from document import measure_sections, on_data

import sluicegate

METHODS = ("model", "time_warping", "summary_statistics", "minirocket", "majority_class")
Parts = Sequence[tuple[Clips, Clips]]


def accuracy_rows(parts: Parts, seeds: int, **settings: Any) -> list[str]:
    """A table of accuracies, the mean over parts and seeds, and the seconds that all fits of a seed took."""
    figures: dict[str, list[float]] = {}
    alone: list[list[float]] = []
    fitting = []
    for seed in range(seeds):
        begin, reports = time.perf_counter(), []
        models = [
            sluicegate.ActionRecognizer(seed=seed, **settings).fit(
                train.values, train.labels, groups=train.people, progress=False
            )
            for train, _ in parts
        ]
        fitting.append(time.perf_counter() - begin)
        for model, (_, test) in zip(models, parts, strict=True):
            reports.append(model.evaluate(test.values, test.labels, groups=test.people))
        alone.append([report.metrics["accuracy"] for report in reports])
        for name in METHODS:
            rows = [(r.metrics if name == "model" else r.baselines.get(name, {})).get("accuracy") for r in reports]
            if None not in rows:
                figures.setdefault(name, []).append(statistics.mean(rows))  # type: ignore[type-var]
    lines = ["| method | accuracy, % | seeds |", "| --- | --- | --- |"]
    for name, values in figures.items():
        each = ", ".join(f"{100 * value:.1f}" for value in values) if name == "model" else ""
        lines.append(f"| {name.replace('_', ' ')} | {100 * statistics.mean(values):.1f} | {each} |")
    by_part = ", ".join(f"{100 * statistics.mean(part):.1f}" for part in zip(*alone, strict=True))
    return [*lines, "", f"By part: {by_part}. Fit of all parts: {statistics.median(fitting):.1f} s."]


def msr_section(data: Path, seeds: int) -> list[str]:
    """Cross-subject: odd people train, even people test, mean of AS1 to AS3."""
    return accuracy_rows(msr_action(data), seeds, layout="msraction3d")


def jhmdb_section(data: Path, seeds: int) -> list[str]:
    """Three splits."""
    return accuracy_rows(jhmdb(data), seeds, layout="jhmdb")


def hand_section(data: Path, seeds: int) -> list[str]:
    """Blocks of windows."""
    return accuracy_rows(hand(data), seeds)


def altered(values: np.ndarray, how: str) -> np.ndarray:
    """A clip mirrored, slowed to half, with each third frame missing, or with a fifth of the joints missing."""
    if how == "mirrored":
        return values * np.array([-1.0, *[1.0] * (values.shape[2] - 1)])
    if how == "slowed to half":
        places = np.arange(0, len(values) - 0.5, 0.5)
        below = places.astype(int)
        share = (places - below)[:, None, None]
        slowed: np.ndarray = values[below] * (1 - share) + values[np.minimum(below + 1, len(values) - 1)] * share
        return slowed
    gone = values.copy()
    if how == "every third frame missing":
        gone[2::3] = np.nan
        return gone
    chance = np.random.default_rng(len(values))
    if how == "a fifth of the joints of each frame missing":
        gone[chance.random(values.shape[:2]) < 0.2] = np.nan
    else:
        gone[:, chance.permutation(values.shape[1])[: values.shape[1] // 5]] = np.nan
    return gone


ALTERED = (
    "as it is",
    "mirrored",
    "slowed to half",
    "every third frame missing",
    "a fifth of the joints of each frame missing",
    "a fifth of the joints missing all along",
)


def robust_section(data: Path, seeds: int) -> list[str]:
    """Accuracy on altered test clips of MSRAction3D and JHMDB-14 by models that were trained on the plain ones."""
    sets = {"MSRAction3D": (msr_action(data), "msraction3d"), "JHMDB-14": (jhmdb(data), "jhmdb")}
    found: dict[str, dict[str, list[float]]] = {}
    for name, (parts, layout) in sets.items():
        for seed in range(seeds):
            for train, test in parts:
                model = sluicegate.ActionRecognizer(seed=seed, layout=layout, mirror=True)
                model.fit(train.values, train.labels, groups=train.people, progress=False)
                for how in ALTERED:
                    clips = [clip if how == "as it is" else altered(clip, how) for clip in test.values]
                    said = np.array(model.predict(clips)["label"].to_list())
                    found.setdefault(how, {}).setdefault(name, []).append(float((said == np.array(test.labels)).mean()))
    lines = [f"| test clips | {' | '.join(sets)} |", f"| --- |{' --- |' * len(sets)}"]
    for how, row in found.items():
        lines.append(f"| {how} | {' | '.join(f'{100 * statistics.mean(row[name]):.1f}' for name in sets)} |")
    return lines


def stream_section(data: Path, seeds: int) -> list[str]:
    """Accuracy of networks that read one way, and the time of a step."""
    parts = msr_action(data)
    lines = accuracy_rows(parts, seeds, layout="msraction3d", causal=True)
    train, test = parts[0]
    model = sluicegate.ActionRecognizer(layout="msraction3d", causal=True)
    model.fit(train.values, train.labels, groups=train.people, progress=False)
    steps = np.concatenate(test.values)[:3000]
    stream, taken = model.open_stream(), []
    for step in steps:
        begin = time.perf_counter()
        stream.push(step)
        taken.append(1000 * (time.perf_counter() - begin))
    p50, p99 = np.percentile(taken[100:], [50, 99])
    return [*lines, "", f"A step from skeleton to action: p50 {p50:.3f} ms, p99 {p99:.3f} ms."]


SECTIONS: dict[str, tuple[str, Callable[[Path, int], Sequence[str]]]] = {
    "msraction3d": ("MSRAction3D, cross-subject, mean of AS1 to AS3", msr_section),
    "jhmdb": ("JHMDB-14, mean of three splits", jhmdb_section),
    "hand": ("hand-point-history, blocks", hand_section),
    "robust": ("Altered test clips, trained with `mirror=True`", robust_section),
    "one-way": ("MSRAction3D, read one way", stream_section),
}

if __name__ == "__main__":
    measure_sections(
        {f"video:{name}": on_data(title, measure) for name, (title, measure) in SECTIONS.items()}, __doc__, seeds=3
    )

"""The public sets that `video.py` measures actions on: skeletons, what is done, and by whom."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Clips:
    """Skeletons `[time, joint, 2 or 3]` with what is done in each, and by whom where that is known."""

    values: list[np.ndarray]
    labels: list[str]
    people: list[str] | None = None

    def take(self, rows: np.ndarray) -> Clips:
        """Some of them."""
        people = None if self.people is None else [self.people[i] for i in rows]
        return Clips([self.values[i] for i in rows], [self.labels[i] for i in rows], people)


def msr_action(data: Path) -> list[tuple[Clips, Clips]]:
    """AS1, AS2 and AS3 of MSRAction3D (Li et al. 2010), each the odd people's clips and the even people's.

    The standard 557 sequences; joints at the origin were not seen.
    """
    folder = data / "action/MSRAction3D"
    found: dict[str, np.ndarray] = {}
    with tarfile.open(folder / "MSRAction3DSkeletonReal3D.tar.gz") as tar:
        standard: set[str] = set()
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file is None:
                continue
            if member.name.endswith("_skeleton3D.txt"):
                values = np.loadtxt(file).reshape(-1, 20, 4)[:, :, :3]
                found[Path(member.name).name[:11]] = np.where((values == 0).all(2, keepdims=True), np.nan, values)
            else:
                standard = set(re.findall(r"a\d+_s\d+_e\d+", file.read().decode()))
    parts = []
    for number in (1, 2, 3):
        lines = (folder / f"ActionSet{number}.txt").read_text().split()
        names = [name for name in lines if name in standard and name in found]
        clips = Clips([found[n] for n in names], [n[:3] for n in names], [n[4:7] for n in names])
        odd = np.array([int(n[5:7]) % 2 == 1 for n in names])
        parts.append((clips.take(np.flatnonzero(odd)), clips.take(np.flatnonzero(~odd))))
    return parts


def jhmdb(data: Path) -> list[tuple[Clips, Clips]]:
    """The three splits of JHMDB-14 (Jhuang et al. 2013), training and test clips."""
    parts = []
    for number in (1, 2, 3):
        with np.load(data / f"action/JHMDB14/JHMDB14_split{number}_f32.npz") as file:
            sides = []
            for side in ("train", "test"):
                values = np.split(file[f"{side}_X"], np.cumsum(file[f"{side}_len"])[:-1])
                sides.append(Clips(values, [str(label) for label in file[f"{side}_y"]]))
            parts.append((sides[0], sides[1]))
    return parts


def hand(data: Path) -> list[tuple[Clips, Clips]]:
    """Paths of a fingertip, cut into blocks of 100 windows, each fifth of which is tested.

    The windows overlap: the 16 before and behind each block are left out of training.
    """
    table = np.loadtxt(data / "action/hand-point-history/point_history.csv", delimiter=",")
    clips = Clips(list(table[:, 1:].reshape(len(table), -1, 1, 2)), [str(int(kind)) for kind in table[:, 0]])
    rows = np.arange(len(table))
    tested = rows // 100 % 5 == 4
    near = np.convolve(tested, np.ones(33), mode="same") > 0
    blocks = [str(row // 100) for row in rows]
    clips = Clips(clips.values, clips.labels, blocks)
    return [(clips.take(np.flatnonzero(~near)), clips.take(np.flatnonzero(tested)))]

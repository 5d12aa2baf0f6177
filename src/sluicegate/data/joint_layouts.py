"""Joint layouts: which joints a skeleton has, in which order, and which bones join them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluicegate.errors import ConfigError, DataError

Bones = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Layout:
    """The joints of a skeleton by number, from 0.

    Args:
        name: of the layout, or its bones where it has none.
        joints: how many there are.
        bones: pairs of joints.
        centre: joints whose mean is the middle of the body; none where there is a single joint.
        across: pairs of a right and a left joint, such as the hips, whose line says where the body faces.
        parts: joints of the trunk and of each limb.
        mirrored: for each joint the one on the other side.
    """

    name: str
    joints: int
    bones: Bones
    centre: tuple[int, ...]
    across: Bones
    parts: tuple[tuple[int, ...], ...]
    mirrored: tuple[int, ...]


def _layout(
    name: str, bones: str, centre: tuple[int, ...], pairs: str, across: int, trunk: Sequence[int], limbs: str
) -> Layout:
    """A layout of what is written as `0-1 1-2`; the first `across` of the pairs, right and left, say where it faces."""
    sides = _pairs(pairs)
    joined = _pairs(bones)
    count = max(max(pair) for pair in joined) + 1
    mirrored = list(range(count))
    for right, left in sides:
        mirrored[right], mirrored[left] = left, right
    parts = (tuple(trunk), *(tuple(int(joint) for joint in limb.split("-")) for limb in limbs.split()))
    return Layout(name, count, joined, centre, sides[:across], parts, tuple(mirrored))


def _pairs(written: str) -> Bones:
    return tuple((int(a), int(b)) for a, b in (pair.split("-") for pair in written.split()))


LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        _layout(
            "coco",
            "0-1 0-2 1-3 2-4 0-5 0-6 5-6 5-7 7-9 6-8 8-10 5-11 6-12 11-12 11-13 13-15 12-14 14-16",
            (11, 12),
            "6-5 12-11 8-7 10-9 14-13 16-15 2-1 4-3",
            2,
            (0, 1, 2, 3, 4),
            "5-7-9 6-8-10 11-13-15 12-14-16",
        ),
        _layout(
            "openpose-18",
            "0-1 1-2 2-3 3-4 1-5 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13 0-14 0-15 14-16 15-17",
            (8, 11),
            "2-5 8-11 3-6 4-7 9-12 10-13 14-15 16-17",
            2,
            (0, 1, 14, 15, 16, 17),
            "2-3-4 5-6-7 8-9-10 11-12-13",
        ),
        _layout(
            "openpose",
            "0-1 1-2 2-3 3-4 1-5 5-6 6-7 1-8 8-9 9-10 10-11 8-12 12-13 13-14 0-15 0-16 15-17 16-18 14-19 19-20 14-21 "
            "11-22 22-23 11-24",
            (8,),
            "2-5 9-12 3-6 4-7 10-13 11-14 15-16 17-18 22-19 23-20 24-21",
            2,
            (0, 1, 8, 15, 16, 17, 18),
            "2-3-4 5-6-7 9-10-11-22-23-24 12-13-14-19-20-21",
        ),
        _layout(
            "blazepose",
            "0-2 0-5 2-7 5-8 9-10 0-9 0-10 1-2 2-3 4-5 5-6 0-11 0-12 11-12 11-13 13-15 15-17 15-19 15-21 12-14 14-16 "
            "16-18 16-20 16-22 11-23 12-24 23-24 23-25 25-27 27-29 27-31 24-26 26-28 28-30 28-32",
            (23, 24),
            "12-11 24-23 14-13 16-15 18-17 20-19 22-21 26-25 28-27 30-29 32-31 5-2 4-1 6-3 8-7 10-9",
            2,
            tuple(range(11)),
            "11-13-15-17-19-21 12-14-16-18-20-22 23-25-27-29-31 24-26-28-30-32",
        ),
        _layout(
            "kinect",
            "0-1 1-2 2-3 2-4 4-5 5-6 6-7 2-8 8-9 9-10 10-11 0-12 12-13 13-14 14-15 0-16 16-17 17-18 18-19",
            (0,),
            "8-4 16-12 9-5 10-6 11-7 17-13 18-14 19-15",
            2,
            (0, 1, 2, 3),
            "4-5-6-7 8-9-10-11 12-13-14-15 16-17-18-19",
        ),
        _layout(
            "ntu",
            "0-1 1-20 20-2 2-3 20-4 4-5 5-6 6-7 7-21 6-22 20-8 8-9 9-10 10-11 11-23 10-24 0-12 12-13 13-14 14-15 0-16 "
            "16-17 17-18 18-19",
            (0,),
            "8-4 16-12 9-5 10-6 11-7 23-21 24-22 17-13 18-14 19-15",
            2,
            (0, 1, 2, 3, 20),
            "4-5-6-7-21-22 8-9-10-11-23-24 12-13-14-15 16-17-18-19",
        ),
        _layout(
            "msraction3d",
            "19-2 0-2 1-2 0-7 7-9 9-11 1-8 8-10 10-12 2-3 3-6 6-4 6-5 4-13 13-15 15-17 5-14 14-16 16-18",
            (6,),
            "1-0 5-4 8-7 10-9 12-11 14-13 16-15 18-17",
            2,
            (2, 3, 6, 19),
            "0-7-9-11 1-8-10-12 4-13-15-17 5-14-16-18",
        ),
        _layout(
            "jhmdb",
            "0-1 0-2 0-3 0-4 3-7 7-11 4-8 8-12 1-5 1-6 5-9 9-13 6-10 10-14",
            (1,),
            "3-4 5-6 7-8 9-10 11-12 13-14",
            2,
            (0, 1, 2),
            "3-7-11 4-8-12 5-9-13 6-10-14",
        ),
        _layout(
            "hand",
            "0-1 1-2 2-3 3-4 0-5 5-6 6-7 7-8 5-9 9-10 10-11 11-12 9-13 13-14 14-15 15-16 13-17 0-17 17-18 18-19 19-20",
            (0, 5, 17),
            "",
            0,
            (0,),
            "1-2-3-4 5-6-7-8 9-10-11-12 13-14-15-16 17-18-19-20",
        ),
    )
}
"""The layouts by name.

`coco` has 17 joints, `openpose-18` and `openpose` 18 and 25, `blazepose` 33, `kinect` 20 in the order of the first
Kinect, `ntu` 25 of the second, `msraction3d` 20 and `jhmdb` 15 in the orders of these data sets, `hand` 21 of a hand.
"""

_USUAL = {
    (15, 2): "jhmdb",
    (17, 2): "coco",
    (17, 3): "coco",
    (18, 2): "openpose-18",
    (20, 3): "kinect",
    (21, 2): "hand",
    (21, 3): "hand",
    (25, 2): "openpose",
    (25, 3): "ntu",
    (33, 2): "blazepose",
    (33, 3): "blazepose",
}


def layout_of(asked: str | None, joints: int, dimensions: int) -> Layout:
    """The layout of skeletons.

    Args:
        asked: a name, bones such as `0-1 1-2`, or None, which takes the usual layout of so many joints, and joins all
            joints to the first where there is none.
        joints: how many the skeletons have.
        dimensions: 2 or 3.

    Raises:
        ConfigError: there is no layout of that name.
        DataError: the skeletons have another number of joints.
    """
    if asked is None:
        usual = _USUAL.get((joints, dimensions))
        return LAYOUTS[usual] if usual else _plain("", joints, tuple((0, joint) for joint in range(1, joints)))
    bones = bones_in(asked)
    if bones is not None:
        if (most := max(max(pair) for pair in bones)) >= joints:
            raise DataError(
                f"`layout` has a bone to joint {most}, and the skeletons have {joints} joints, numbered from 0: give "
                "the bones of these"
            )
        return _plain(asked, joints, bones)
    if asked not in LAYOUTS:
        raise ConfigError(
            f"`layout` (={asked!r}) must be one of {', '.join(LAYOUTS)}, or bones such as '0-1 1-2'; leave it out to "
            "go by the number of joints"
        )
    layout = LAYOUTS[asked]
    if layout.joints != joints:
        fitting = [name for name, other in LAYOUTS.items() if other.joints == joints]
        remedy = f"name {' or '.join(fitting)}" if fitting else "give their bones, such as '0-1 1-2'"
        raise DataError(
            f"the skeletons have {joints} joints, and the layout {asked!r} has {layout.joints}: {remedy} as `layout`"
        )
    return layout


def bones_in(written: Any) -> Bones | None:
    """The bones of a text such as `0-1 1-2`; None where it is something else."""
    if not isinstance(written, str) or not re.fullmatch(r"\d{1,4}-\d{1,4}(\s+\d{1,4}-\d{1,4})*", written.strip()):
        return None
    return _pairs(written)


def _plain(name: str, joints: int, bones: Bones) -> Layout:
    """A layout of which no more is known than its bones."""
    every = tuple(range(joints))
    return Layout(name, joints, bones, every if joints > 1 else (), (), (every,), every)

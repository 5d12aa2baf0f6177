"""Joint layouts hold together: every bone is of joints that there are, and each part of the body once."""

import re

import pytest

from sluicegate.data.joint_layouts import LAYOUTS, layout_of
from sluicegate.errors import ConfigError, DataError

JOINTS = {
    "coco": 17,
    "openpose-18": 18,
    "openpose": 25,
    "blazepose": 33,
    "kinect": 20,
    "ntu": 25,
    "msraction3d": 20,
    "jhmdb": 15,
    "hand": 21,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_holds_together(name):
    layout = LAYOUTS[name]
    assert layout.joints == JOINTS[name]
    assert sorted(joint for part in layout.parts for joint in part) == list(range(layout.joints))
    assert [layout.mirrored[other] for other in layout.mirrored] == list(range(layout.joints))
    reached, grown = {0}, True
    while grown:
        more = {b for a, b in layout.bones if a in reached} | {a for a, b in layout.bones if b in reached}
        grown, reached = not more <= reached, reached | more
    assert reached == set(range(layout.joints)), "the bones do not join all joints"


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "hand"])
def test_the_sides_of_a_body_have_the_same_bones(name):
    layout = LAYOUTS[name]
    bones = {frozenset(bone) for bone in layout.bones}
    assert {frozenset(layout.mirrored[joint] for joint in bone) for bone in bones} == bones
    assert all(layout.mirrored[right] == left for right, left in layout.across)
    assert len(layout.across) == 2


def test_a_layout_by_the_number_of_joints():
    assert layout_of(None, 25, 2).name == "openpose"
    assert layout_of(None, 25, 3).name == "ntu"
    assert layout_of(None, 7, 2).bones == ((0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6))
    assert layout_of(None, 1, 2).centre == ()


def test_bones_of_the_users_own():
    layout = layout_of("0-1 1-2", 4, 3)
    assert (layout.joints, layout.bones, layout.centre) == (4, ((0, 1), (1, 2)), (0, 1, 2, 3))


def test_layouts_that_do_not_fit():
    with pytest.raises(ConfigError, match=re.escape("`layout` (='cocoa') must be one of coco, openpose-18,")):
        layout_of("cocoa", 17, 2)
    with pytest.raises(DataError, match="the skeletons have 20 joints, and the layout 'coco' has 17: name kinect or"):
        layout_of("coco", 20, 3)
    with pytest.raises(DataError, match="has a bone to joint 4, and the skeletons have 4 joints"):
        layout_of("0-1 1-4", 4, 2)

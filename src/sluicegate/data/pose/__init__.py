"""Skeletons of people in video: finding a person, following one among several, and the joints in each frame."""

from .clips import Pose as Pose
from .clips import clip_of_video as clip_of_video
from .finder import open_pose as open_pose

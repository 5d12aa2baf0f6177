"""The part of a picture that a model looks at: a square, turned so that the person stands upright in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

Picture = UInt8[np.ndarray, "height width 3"]
_MARGIN = 1.25  # of the square, against twice the length from the hips to the end of the body


@dataclass(frozen=True)
class Region:
    """A square.

    Args:
        x: of its middle, in pixels.
        y: likewise.
        size: of its sides, in pixels.
        angle: by which it is turned clockwise, in radians.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    @classmethod
    def whole(cls, picture: Picture) -> Region:
        """All of a picture, and what makes it a square."""
        height, width = picture.shape[:2]
        return cls(width / 2, height / 2, float(max(height, width)))

    @classmethod
    def of_body(cls, hips: Float64[np.ndarray, " 2"], end: Float64[np.ndarray, " 2"]) -> Region:
        """The square around a body: the middle of its hips, and a point straight above these on a circle around it."""
        along = end - hips
        angle = float(np.arctan2(along[0], -along[1]))
        return cls(float(hips[0]), float(hips[1]), float(2 * np.hypot(*along) * _MARGIN), angle)

    def cut(self, picture: Picture, size: int) -> Float32[np.ndarray, "size size 3"]:
        """The square of a picture in another size, by bilinear interpolation, black beyond the edges; from 0 to 1."""
        steps = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
        cos, sin = np.float32(np.cos(self.angle) * self.size), np.float32(np.sin(self.angle) * self.size)
        x = np.float32(self.x - 0.5) + steps[None, :] * cos - steps[:, None] * sin
        y = np.float32(self.y - 0.5) + steps[None, :] * sin + steps[:, None] * cos
        height, width = picture.shape[:2]
        left, top = np.floor(x), np.floor(y)
        a, b = (x - left)[..., None], (y - top)[..., None]
        inside = (left >= 0) & (left < width - 1) & (top >= 0) & (top < height - 1)
        place = np.where(inside, top * width + left, 0).astype(np.intp)
        flat = picture.reshape(-1, 3).astype(np.float32)
        found = self._mixed(flat[place], flat[np.minimum(place + 1, len(flat) - 1)], a)
        place = np.minimum(place + width, len(flat) - 1)
        below = self._mixed(flat[place], flat[np.minimum(place + 1, len(flat) - 1)], a)
        found = self._mixed(found, below, b)
        found *= np.float32(1 / 255)
        found[~inside] = 0.0
        return found

    @staticmethod
    def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> Float32[np.ndarray, "size size 3"]:
        other -= one
        other *= share
        other += one
        return other

    def out(self, places: Float64[np.ndarray, "points 2"]) -> Float64[np.ndarray, "points 2"]:
        """Places in the square, from 0 to 1, in pixels of the picture."""
        x, y = ((places - 0.5) * self.size).T
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        found: Float64[np.ndarray, "points 2"] = np.stack([self.x + cos * x - sin * y, self.y + sin * x + cos * y], 1)
        return found

"""Boxes around objects, frame by frame: of detectors, or of people who say which are of one object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64

from sluicegate.errors import DataError

from .columns import Source, numbers_of, select
from .panel import group_rows

BOX = ("x", "y", "width", "height")
RATE = 30.0
"""Frames a second where nothing says."""
_LARGEST = 1e7  # pixels, of a place or a size
_MOST_FRAMES = 10_000_000

Boxes: TypeAlias = Float64[np.ndarray, "_ 4"]
"""x and y of the upper left corner, width and height, in pixels."""


@dataclass(frozen=True)
class BoxSequence:
    """The boxes of a video, in order of their frames.

    Args:
        name: of the video.
        frames: the number of the frame of each box, ascending.
        boxes: x, y of the upper left corner, width and height, in pixels.
        scores: how sure the detector was of each, or 1.
        classes: the number of the kind of object of each, or 0.
        ids: the number of the object of each; none where nobody has said.
        rows: the place of each in the table or the file that it is from.
        rate: frames a second.
        first: the number of the first frame.
        length: frames from there on.
        size: width and height of the pictures, where they are known.
    """

    name: str
    frames: Int64[np.ndarray, " boxes"]
    boxes: Boxes
    scores: Float64[np.ndarray, " boxes"]
    classes: Int64[np.ndarray, " boxes"]
    ids: Int64[np.ndarray, " boxes"] | None
    rows: Int64[np.ndarray, " boxes"]
    rate: float = RATE
    first: int = 1
    length: int = 0
    size: tuple[float, float] | None = None

    def __len__(self) -> int:
        """How many boxes."""
        return len(self.frames)

    def take(self, rows: Int64[np.ndarray, " _"] | Bool[np.ndarray, " _"]) -> BoxSequence:
        """Some of its boxes."""
        return replace(
            self,
            frames=self.frames[rows],
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            classes=self.classes[rows],
            ids=None if self.ids is None else self.ids[rows],
            rows=self.rows[rows],
        )

    def by_frame(self) -> Iterator[tuple[int, slice]]:
        """Each frame, also those without boxes, and where its boxes are."""
        bounds = np.searchsorted(self.frames, np.arange(self.first, self.first + self.length + 1))
        for number, (begin, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            yield self.first + number, slice(begin, end)


def sequence_of(
    name: str,
    columns: dict[str, np.ndarray],
    place: Any,
    *,
    sort: bool,
    rate: float | int | None = None,
    length: int | None = None,
    size: tuple[float, float] | None = None,
) -> BoxSequence:
    """Boxes of one video, checked.

    Args:
        name: of the video.
        columns: `frame`, `x`, `y`, `width` and `height`; `score`, `class` and `id` where there are such.
        place: says where a row is, in messages.
        sort: whether frames may come in any order.
        rate: frames a second.
        length: of the video, in frames.
        size: of the pictures.

    Raises:
        DataError: a box cannot be used; the message says where, why, and what to do.
    """
    boxes = np.stack([columns[of] for of in BOX], axis=1).astype(np.float64)
    frames = _whole(columns["frame"], "frame", place)
    require_boxes(boxes, place, size)
    order = np.argsort(frames, kind="stable")
    if not sort and (back := np.flatnonzero(np.diff(frames) < 0)).size:
        row = int(back[0]) + 1
        raise DataError(
            f"{place(row)} is of frame {frames[row]}, and the row before it of frame {frames[row - 1]}: put the rows "
            "in order of their frames"
        )
    count = len(frames)
    scores = columns.get("score", np.ones(count)).astype(np.float64)
    require_scores(scores, place)
    ids = _whole(columns["id"], "id", place, least=-(2**53)) if "id" in columns else None
    _require_span(frames, place)
    first = min(1, int(frames.min())) if count else 1
    found = BoxSequence(
        name,
        frames,
        boxes,
        scores,
        _whole(columns["class"], "class", place, least=-1) if "class" in columns else np.zeros(count, np.int64),
        ids,
        np.arange(count),
        rate or RATE,
        first,
        max(length or 0, int(frames.max()) - first + 1 if count else 0),
        size,
    ).take(order)
    if ids is not None:
        _require_apart(found, place)
    return found


def sequences_of_table(frame: Any, source: Source, *, identified: bool) -> list[BoxSequence]:
    """The videos of a table.

    Args:
        frame: a data frame with the columns frame, x, y, width and height; video, id, class, score and rate where
            there are such: `rate` in frames a second.
        source: what the table is called in messages.
        identified: whether there must be ids.

    Raises:
        DataError: a column is missing, or a box cannot be used.
    """
    known = nw.from_native(frame, eager_only=True).columns if hasattr(frame, "columns") else []
    wanted = ["frame", *BOX, *(["id"] if identified else [])]
    beside = [of for of in ("video", "id", "class", "score", "rate") if of in known and of not in wanted]
    table = select(frame, [*wanted, *beside], source)
    if table.is_empty():
        return []
    videos = table["video"] if "video" in beside else pl.Series("video", ["video"]).new_from_index(0, len(table))
    names, bounds, order = group_rows(table.with_columns(videos.alias("video")), "video", source)
    rows_of = np.arange(len(table)) if order is None else np.asarray(order)
    columns = {of: numbers_of(table[of], source.row) for of in (*wanted, *beside) if of != "video"}
    found = []
    for number, video in enumerate(names):
        rows = rows_of[bounds[number] : bounds[number + 1]]
        own = {of: values[rows] for of, values in columns.items()}
        rate = own.pop("rate", None)

        def place(row: int, rows: np.ndarray = rows) -> str:
            return source.row(int(rows[row]))

        sequence = sequence_of(str(video), own, place, sort=True, rate=None if rate is None else float(rate[0]))
        found.append(replace(sequence, rows=rows[sequence.rows]))
    return found


def require_boxes(boxes: Boxes, place: Any, size: tuple[float, float] | None = None) -> None:
    """Refuse boxes that are none.

    Args:
        boxes: to check.
        place: says where a row is, in messages.
        size: of the picture, which each must touch; None asks for nothing.

    Raises:
        DataError: a number is not finite, a width or a height is not above 0, or a box is outside the picture.
    """
    good = (np.abs(boxes) <= _LARGEST).all(axis=1)
    if not good.all():
        row = int((~good).argmax())
        raise DataError(
            f"{place(row)} holds the box {_shown(boxes[row])}: expected finite numbers of at most {_LARGEST:g} pixels; "
            "leave the box out, or correct it"
        )
    good = (boxes[:, 2:] > 0).all(axis=1)
    if not good.all():
        row = int((~good).argmax())
        raise DataError(
            f"{place(row)} holds a box of width {boxes[row, 2]:g} and height {boxes[row, 3]:g}: expected x, y, width "
            "and height with sizes above 0; if it holds two corners, subtract the first from the second"
        )
    if size is None:
        return
    inside = (boxes[:, :2] < size).all(axis=1) & (boxes[:, :2] + boxes[:, 2:] > 0).all(axis=1)
    if not inside.all():
        row = int((~inside).argmax())
        raise DataError(
            f"{place(row)} holds the box {_shown(boxes[row])}, which is outside the picture of {size[0]:g} x "
            f"{size[1]:g} pixels: leave it out, or correct the size of the picture"
        )


def require_scores(scores: Float64[np.ndarray, " boxes"], place: Any) -> None:
    """Refuse scores that are no numbers.

    Raises:
        DataError: one is not finite.
    """
    good = np.abs(scores) <= _LARGEST
    if not good.all():
        row = int((~good).argmax())
        raise DataError(f"{place(row)} holds the score {scores[row]:g}: expected a finite number; leave the box out")


def _whole(values: np.ndarray, name: str, place: Any, least: int = 0) -> Int64[np.ndarray, " boxes"]:
    most = 2.0**53
    good = (values >= least) & (values <= most) & (np.floor(values) == values)
    if not good.all():
        row = int((~good).argmax())
        raise DataError(f"{place(row)} holds the {name} {values[row]:g}: expected a whole number from {least:g} up")
    return values.astype(np.int64)


def _require_span(frames: Int64[np.ndarray, " boxes"], place: Any) -> None:
    if len(frames) and int(frames.max()) - min(1, int(frames.min())) >= _MOST_FRAMES:
        row = int(frames.argmax())
        raise DataError(
            f"{place(row)} is of frame {frames[row]:,}: expected frames below {_MOST_FRAMES:,}; number them from 1"
        )


def _require_apart(sequence: BoxSequence, place: Any) -> None:
    """Refuse two boxes of one object in a frame."""
    assert sequence.ids is not None
    said = sequence.ids >= 0
    pairs = np.stack([sequence.frames[said], sequence.ids[said]], axis=1)
    order = np.lexsort(pairs.T[::-1])
    same = np.flatnonzero((np.diff(pairs[order], axis=0) == 0).all(axis=1))
    if same.size:
        frame, number = pairs[order[same[0]]].tolist()
        row = int(sequence.rows[said][order[same[0] + 1]])
        raise DataError(
            f"{place(row)} is the second box of the object {number} in frame {frame} of {sequence.name!r}: expected "
            "one at most; give the other object a number of its own"
        )


def _shown(box: Sequence[float] | np.ndarray) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"

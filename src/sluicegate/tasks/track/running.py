"""The tracker as it runs: arrays of all tracks, and what a frame makes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import nn

from sluicegate.streaming.models import State
from sluicegate.streaming.opening import model_of

from .assignment import assigned
from .geometry import Centres, Rows, changed, near_pairs, sizes
from .model import TrackerNetwork
from .values import OVERLAP, SEEN, pair_values, step_values, track_values

_REACH, _SURE_REACH, _MOST_REACH = 4.0, 0.7, 3.0  # scales beyond the sizes of a box, and sizes at most
_OVERLAP, _LEAST_OVERLAP = 8.0, 0.3  # of the logit before there is a network for it
_BLENDED = 0.15  # of a new score in the mean of the later ones

Logits: TypeAlias = Float64[np.ndarray, " _"]


@dataclass(frozen=True)
class Rules:
    """What is left to choose beside the networks.

    What stands here followed MOT15's training sequences best, each by networks that were trained on the others: those
    of MOT15 that SORT was not validated on.

    Args:
        match: logit above which a box may be a track's.
        again: the same where track and box have found no other.
        first: probability of being real from which a track is told for the first time.
        told: the same for a track that was told before, and is seen.
        lost: the same for one that is not seen; above 1 such tracks are not told.
        begin: probability that a box needs to begin a track.
        age: seconds that a track outlives without being seen.
    """

    match: float = -0.5
    again: float = -1.0
    first: float = 0.6
    told: float = 0.4
    lost: float = 0.5
    begin: float = 0.0
    age: float = 4.0


@dataclass
class Tracks:
    """All tracks, a row each."""

    ids: Int64[np.ndarray, " tracks"]  # 0 until it is told
    anchors: Centres  # where it was seen last
    times: Float64[np.ndarray, " tracks"]  # when
    begun: Float64[np.ndarray, " tracks"]
    hits: Float64[np.ndarray, " tracks"]
    run: Float64[np.ndarray, " tracks"]
    steps: Float64[np.ndarray, " tracks"]
    means: Float64[np.ndarray, " tracks"]  # of the scores
    scores: Float64[np.ndarray, " tracks"]  # the last ones
    matches: Float64[np.ndarray, " tracks"]  # logits of the last ones
    classes: Int64[np.ndarray, " tracks"]
    inner: Float32[np.ndarray, "tracks inner"]  # what the head has made of the states
    states: State

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Rows) -> Tracks:
        """Some of them."""
        plain = {of.name: getattr(self, of.name)[rows] for of in fields(self) if of.name != "states"}
        return Tracks(**plain, states=tuple(part[:, rows] for part in self.states))

    def joined(self, others: Tracks) -> Tracks:
        """These and others behind them."""
        plain = {
            of.name: np.concatenate([getattr(self, of.name), getattr(others, of.name)])
            for of in fields(self)
            if of.name != "states"
        }
        states = tuple(np.concatenate(pair, axis=1) for pair in zip(self.states, others.states, strict=True))
        return Tracks(**plain, states=states)


class Pairs(NamedTuple):
    """Tracks and boxes that may be one."""

    own: Rows
    others: Rows
    values: np.ndarray  # [pairs values]
    logits: np.ndarray


class Frame(NamedTuple):
    """What a frame made of the tracks."""

    tracks: Tracks  # afterwards
    rows: Rows  # of each track, the box that was seen; -1 where none was
    boxes: Centres  # where each track is
    values: Float32[np.ndarray, "tracks values"]  # what is known of each
    confidence: Float64[np.ndarray, " tracks"]
    told: Rows  # those that are told
    last: int  # the greatest id so far
    pairs: Pairs | None
    before: Rows  # of each track, its row before the frame; -1 for a new one


class Mind:
    """The networks, as they run without PyTorch's operators.

    Args:
        network: trained.
        judges: whether the networks that judge pairs and tracks are trained too; else overlap and scores do.
    """

    def __init__(self, network: TrackerNetwork, *, judges: bool = True) -> None:
        motion, self._trained = network.motion, judges
        self._layer = model_of(motion.recurrent)
        hidden = motion.recurrent.hidden_size
        with torch.no_grad():
            weight = motion.inner.weight.numpy()
            self._of_state = np.ascontiguousarray(weight[:, :hidden].T)
            self._of_time = np.ascontiguousarray(weight[:, hidden:].T)
            self._bias = motion.inner.bias.numpy().copy()
            self._head = np.ascontiguousarray(motion.head.weight.numpy().T), motion.head.bias.numpy().copy()
        self._pairs, self._tracks = _layers_of(network.pairs), _layers_of(network.tracks)
        self.units = len(self._bias)

    def zeros(self, rows: int) -> State:
        """The states of new tracks."""
        return self._layer.sizes.zeros(rows)

    def read(self, values: Float32[np.ndarray, "tracks values"], states: State) -> tuple[np.ndarray, State]:
        """Take a step with boxes that were seen: what the head makes of the states, and these."""
        outputs, after = self._layer.run(values[None], states)
        return outputs[0] @ self._of_state + self._bias, after

    def read_all(self, values: Float32[np.ndarray, "time values"]) -> np.ndarray:
        """Read the boxes of one track: what the head makes of the state after each."""
        outputs, _ = self._layer.run(values[:, None], self.zeros(1))
        found: np.ndarray = outputs[:, 0] @ self._of_state + self._bias
        return found

    def ahead(
        self, inner: Float32[np.ndarray, "tracks inner"], seconds: Float64[np.ndarray, " tracks"]
    ) -> tuple[Float32[np.ndarray, "tracks 4"], Float32[np.ndarray, "tracks 4"]]:
        """The expected changes of the boxes after some seconds, and the logarithms of their scales."""
        times = seconds.astype(np.float32)
        of_time = np.stack([times, np.sqrt(times), np.log(times + np.float32(0.03))], axis=1)
        found = np.maximum(inner + of_time @ self._of_time, 0) @ self._head[0] + self._head[1]
        return found[:, :4] + times[:, None] * found[:, 4:8], found[:, 8:]

    def pairs(self, values: np.ndarray) -> np.ndarray:
        """The logits that boxes are tracks'."""
        return _judged(self._pairs, values) if self._trained else _OVERLAP * (values[:, OVERLAP] - _LEAST_OVERLAP)

    def real(self, values: np.ndarray) -> np.ndarray:
        """The probabilities that tracks are where objects are."""
        if not self._trained:
            return values[:, SEEN].astype(np.float64)
        found: np.ndarray = 1 / (1 + np.exp(-_judged(self._tracks, values)))
        return found


class Follower:
    """Follows objects: what it says of a frame follows from the tracks so far, which it does not keep.

    Args:
        mind: the networks.
        rules: what is left to choose.
        classes: whether an object may be of several classes.
    """

    def __init__(self, mind: Mind, rules: Rules, *, classes: bool = False) -> None:
        self.mind, self.rules, self._classes = mind, rules, classes

    def begin(self) -> Tracks:
        """No tracks."""
        return self._new(0.0, np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))

    def step(
        self,
        tracks: Tracks,
        last: int,
        time: float,
        boxes: Centres,
        scores: Float64[np.ndarray, " boxes"],
        classes: Int64[np.ndarray, " boxes"],
    ) -> Frame:
        """Read a frame.

        Args:
            tracks: so far.
            last: the greatest id so far.
            time: in seconds, later than that of the frame before.
            boxes: those that were seen.
            scores: how sure the detector was of each.
            classes: of each.
        """
        mind, before = self.mind, len(tracks)
        by, scales = mind.ahead(tracks.inner, time - tracks.times)
        predicted = changed(tracks.anchors, by)
        pairs = self._pairs(tracks, time, predicted, scales, boxes, scores, classes)
        rows, logits = self._matched(pairs, before, len(boxes))
        fresh = np.ones(len(boxes), bool)
        fresh[rows[rows >= 0]] = False
        fresh &= scores >= self.rules.begin
        tracks, rows = self._seen(tracks, time, rows, logits, np.flatnonzero(fresh), boxes, scores, classes)
        return self._told(tracks, rows, time, last, predicted, scales, pairs, before)

    def _matched(self, pairs: Pairs | None, tracks: int, boxes: int) -> tuple[Rows, Logits]:
        """Of each track, the box that is its own, -1 where none is, and the logit of that."""
        rows, logits = np.full(tracks, -1), np.zeros(tracks)
        if pairs is None:
            return rows, logits
        own, others, found = pairs.own, pairs.others, pairs.logits
        chosen = assigned(own, others, found - self.rules.match, tracks, boxes)
        rows[own[chosen]], logits[own[chosen]] = others[chosen], found[chosen]
        if self.rules.again < self.rules.match:
            free = np.ones(boxes, bool)
            free[others[chosen]] = False
            left = np.flatnonzero((rows[own] < 0) & free[others])
            more = left[assigned(own[left], others[left], found[left] - self.rules.again, tracks, boxes)]
            rows[own[more]], logits[own[more]] = others[more], found[more]
        return rows, logits

    def _pairs(
        self,
        tracks: Tracks,
        time: float,
        predicted: Centres,
        scales: Float32[np.ndarray, "tracks 4"],
        boxes: Centres,
        scores: Float64[np.ndarray, " boxes"],
        classes: Int64[np.ndarray, " boxes"],
    ) -> Pairs | None:
        """Tracks and boxes that are near one another, and what they are judged by."""
        if not len(tracks) or not len(boxes):
            return None
        size = sizes(predicted)
        off = np.exp(scales[:, :2].max(1)) * _REACH + _SURE_REACH
        own, others = near_pairs(predicted, boxes, np.minimum(off, _MOST_REACH) * size)
        same = tracks.classes[own] == classes[others]
        if not self._classes and not same.all():
            own, others, same = own[same], others[same], same[same]
        if not len(own):
            return None
        known = np.stack([tracks.means, np.log1p(tracks.hits)], axis=1)
        values = pair_values(
            own, others, predicted=predicted, scales=scales, anchors=tracks.anchors, seconds=time - tracks.times,
            known=known, boxes=boxes, scores=scores, same=same.astype(np.float64),
        )  # fmt: skip
        return Pairs(own, others, values, self.mind.pairs(values))

    def _seen(
        self,
        tracks: Tracks,
        time: float,
        rows: Rows,
        logits: Logits,
        fresh: Rows,
        boxes: Centres,
        scores: Float64[np.ndarray, " boxes"],
        classes: Int64[np.ndarray, " boxes"],
    ) -> tuple[Tracks, Rows]:
        """The tracks after they have read what was seen of them, new ones behind; and the box of each."""
        before, own = len(tracks), np.flatnonzero(rows >= 0)
        seen = np.concatenate([rows[own], fresh])
        tracks = tracks.joined(self._new(time, boxes[fresh], scores[fresh], classes[fresh]))
        rows = np.concatenate([rows, fresh])
        own = np.concatenate([own, np.arange(before, len(tracks))])
        last_seen = tracks.run.copy()
        tracks.steps = tracks.steps + 1
        if not len(own):
            tracks.run = last_seen
            return tracks, rows
        values = step_values(tracks.anchors[own], boxes[seen], time - tracks.times[own], scores[seen])
        inner, after = self.mind.read(values, tuple(part[:, own] for part in tracks.states))
        for part, new_part in zip(tracks.states, after, strict=True):
            part[:, own] = new_part
        tracks.inner[own] = inner
        broken = np.ones(len(tracks), bool)
        broken[own] = False
        tracks.run[broken] = 0
        tracks.run[own] += 1
        tracks.hits[own] += 1
        share = np.maximum(_BLENDED, 1 / tracks.hits[own])
        tracks.means[own] += share * (scores[seen] - tracks.means[own])
        tracks.anchors[own], tracks.times[own], tracks.scores[own] = boxes[seen], time, scores[seen]
        tracks.matches[own] = np.concatenate([logits[rows[:before] >= 0], np.zeros(len(fresh))])
        if self._classes:
            tracks.classes[own] = classes[seen]
        return tracks, rows

    def _new(self, time: float, boxes: Centres, scores: np.ndarray, classes: np.ndarray) -> Tracks:
        """Tracks that have seen nothing yet, where boxes were seen."""
        count = len(boxes)
        return Tracks(
            ids=np.zeros(count, np.int64),
            anchors=boxes,
            times=np.full(count, time),
            begun=np.full(count, time),
            hits=np.zeros(count),
            run=np.zeros(count),
            steps=np.zeros(count),
            means=scores.copy(),
            scores=np.zeros(count),
            matches=np.zeros(count),
            classes=classes,
            inner=np.zeros((count, self.mind.units), np.float32),
            states=self.mind.zeros(count),
        )

    def _told(
        self,
        tracks: Tracks,
        rows: Rows,
        time: float,
        last: int,
        predicted: Centres,
        scales: Float32[np.ndarray, "tracks 4"],
        pairs: Pairs | None,
        before: int,
    ) -> Frame:
        """Which tracks are told, and where they are; those that were lost for too long go."""
        own, seen = np.flatnonzero(rows >= 0), rows >= 0
        where, spread = np.empty((len(rows), 4)), np.empty((len(rows), 4), np.float32)
        where[:before], spread[:before] = predicted, scales
        by, now = self.mind.ahead(tracks.inner[own], np.zeros(len(own)))
        where[own], spread[own] = changed(tracks.anchors[own], by), now
        lost = time - tracks.times
        values = track_values(
            boxes=where, scales=spread, seen=seen.astype(np.float64), lost=lost, hits=tracks.hits,
            run=tracks.run, steps=tracks.steps, mean_score=tracks.means, score=tracks.scores,
            match=tracks.matches,
        )  # fmt: skip
        confidence = self.mind.real(values)
        known = tracks.ids > 0
        told = confidence >= np.where(seen, np.where(known, self.rules.told, self.rules.first), self.rules.lost)
        told &= seen | known
        new = np.flatnonzero(told & (tracks.ids == 0))
        tracks.ids[new] = last + 1 + np.arange(len(new))
        kept = np.flatnonzero(lost <= self.rules.age)
        origin = np.concatenate([np.arange(before), np.full(len(rows) - before, -1)])
        if len(kept) < len(rows):
            tracks, rows, where, values = tracks.take(kept), rows[kept], where[kept], values[kept]
            confidence, told, origin = confidence[kept], told[kept], origin[kept]
        return Frame(tracks, rows, where, values, confidence, np.flatnonzero(told), last + len(new), pairs, origin)


def _layers_of(network: nn.Sequential) -> tuple[np.ndarray, ...]:
    first, last = network[0], network[2]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        parts = (first.weight.T, first.bias, last.weight[0], last.bias)
        return tuple(np.ascontiguousarray(part.numpy()) for part in parts)


def _judged(layers: tuple[np.ndarray, ...], values: np.ndarray) -> np.ndarray:
    weight, bias, last, last_bias = layers
    found: np.ndarray = (np.maximum(values @ weight + bias, 0) @ last + last_bias).astype(np.float64)
    return found

"""What the frames of each state are like: mixtures of Gaussians whose values do not depend on each other.

The logarithm of the likelihood of a frame x in a state s is log sum_m c_sm N(x; mu_sm, diag(v_sm)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

Frames = Float32[np.ndarray, "frames values"]

_FLOOR = 0.05  # of a variance, where that of all frames is 1
_FEWEST = 20  # frames of a Gaussian
_APART = 0.3  # of a deviation, to each side, when a Gaussian becomes two
_ROUNDS = 4  # of expectation and maximisation
_NONE = np.float32(-1e30)  # the logarithm of the weight of a Gaussian that is none


@dataclass(frozen=True)
class Mixtures:
    """A mixture for each state.

    Args:
        means: of each Gaussian.
        variances: likewise, above 0.
        weights: the logarithm of each Gaussian's; very low for one that is none.
    """

    means: Float32[np.ndarray, "states gaussians values"]
    variances: Float32[np.ndarray, "states gaussians values"]
    weights: Float32[np.ndarray, "states gaussians"]

    @classmethod
    def plain(cls, states: int, values: int) -> Mixtures:
        """One Gaussian a state, of mean 0 and variance 1."""
        shape = (states, 1, values)
        return cls(np.zeros(shape, np.float32), np.ones(shape, np.float32), np.zeros((states, 1), np.float32))

    def chosen(self, states: Int64[np.ndarray, " _"]) -> Mixtures:
        """The mixtures of some states."""
        return Mixtures(self.means[states], self.variances[states], self.weights[states])

    def log_likelihood(self, frames: Frames) -> Float32[np.ndarray, "frames states"]:
        """Of each frame, in each state, in nats."""
        each = self._each(frames)
        best: Float32[np.ndarray, "frames states"] = each.max(2)
        if each.shape[2] == 1:
            return best
        each -= best[:, :, None]
        np.exp(each, out=each)
        found: Float32[np.ndarray, "frames states"] = best + np.log(each.sum(2))
        return found

    def _each(self, frames: Frames) -> Float32[np.ndarray, "frames states gaussians"]:
        """The logarithm of the weighted density of each Gaussian, as one product of the frames and their squares."""
        states, gaussians, values = self.means.shape
        precise = 1 / self.variances
        constant = self.weights - 0.5 * (
            values * np.log(2 * np.pi) + np.log(self.variances).sum(2) + (self.means**2 * precise).sum(2)
        )
        terms = np.concatenate([-0.5 * precise, self.means * precise, constant[:, :, None]], axis=2)
        read = np.concatenate([frames**2, frames, np.ones((len(frames), 1), np.float32)], axis=1)
        found: Float32[np.ndarray, "frames states gaussians"] = (
            read @ terms.reshape(states * gaussians, -1).T.astype(np.float32)
        ).reshape(len(frames), states, gaussians)
        return found

    def learnt(self, frames: Frames, states: Int64[np.ndarray, " frames"], most: int) -> Mixtures:
        """Mixtures of up to twice as many Gaussians, by expectation and maximisation over the frames of each state.

        Args:
            frames: to learn from.
            states: in which each of them is; a state without frames stays as it is.
            most: Gaussians of a mixture.
        """
        order = np.argsort(states, kind="stable")
        ends = np.searchsorted(states[order], np.arange(len(self.means) + 1))
        gaussians = min(most, 2 * self.means.shape[1]) if most > self.means.shape[1] else self.means.shape[1]
        found = self._widened(gaussians)
        for state in np.flatnonzero(np.diff(ends)).tolist():
            here = frames[order[ends[state] : ends[state + 1]]]
            one = _split(self.chosen(np.array([state])), min(most, len(here) // _FEWEST))
            for _ in range(_ROUNDS if one.means.shape[1] > 1 else 1):
                one = _maximised(one, here)
            kept = one.means.shape[1]
            found.means[state, :kept], found.variances[state, :kept] = one.means[0], one.variances[0]
            found.weights[state] = _NONE
            found.weights[state, :kept] = one.weights[0]
        return found

    def _widened(self, gaussians: int) -> Mixtures:
        """A copy with room for more Gaussians a state."""
        more = ((0, 0), (0, gaussians - self.means.shape[1]))
        return Mixtures(
            np.pad(self.means, (*more, (0, 0))),
            np.pad(self.variances, (*more, (0, 0)), constant_values=1.0),
            np.pad(self.weights, more, constant_values=_NONE),
        )


def _split(one: Mixtures, most: int) -> Mixtures:
    """The mixture of one state, its heaviest Gaussians in two, as long as there are no more than `most`."""
    real = np.flatnonzero(one.weights[0] > _NONE / 2)
    order = real[np.argsort(-one.weights[0, real], kind="stable")]
    parted, whole = np.split(order, [max(0, min(len(order), most - len(order)))])
    away = _APART * np.sqrt(one.variances[0, parted])
    rows = np.concatenate([parted, parted, whole])
    means = one.means[0, rows]
    means[: len(parted)] += away
    means[len(parted) : 2 * len(parted)] -= away
    weights = one.weights[0, rows]
    weights[: 2 * len(parted)] -= np.float32(np.log(2))
    return Mixtures(means[None], one.variances[:, rows], weights[None])


def _maximised(one: Mixtures, frames: Frames) -> Mixtures:
    """The mixture of one state after a round; Gaussians that nearly nothing belongs to are left out."""
    each = one._each(frames)[:, 0]
    share = np.exp(each - each.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    count = share.sum(0)
    kept = np.flatnonzero(count >= min(_FEWEST / 2, count.max()))
    share, count = share[:, kept], count[kept, None]
    means = (share.T @ frames) / count
    variances = np.maximum((share.T @ frames**2) / count - means**2, _FLOOR)
    weights = np.log(count[:, 0] / count.sum())
    return Mixtures(*(part[None].astype(np.float32) for part in (means, variances, weights)))

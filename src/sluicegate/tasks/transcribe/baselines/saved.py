"""What the simple methods of a saved transcriber must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sluicegate import bundle
from sluicegate.tasks.restoring import Few, Saved, Text, damaged, require

from .cepstra import VALUES
from .hidden_markov import WORDS, HiddenMarkov
from .templates import TEXTS, Templates

_LETTERS = 2**16  # in all their contexts


class _Templates(Saved):
    texts: Annotated[list[Text], Field(min_length=2, max_length=TEXTS)]


class _HiddenMarkov(Saved):
    words: Annotated[list[Text], Field(max_length=WORDS)]
    letters: Annotated[list[Text], Field(max_length=_LETTERS)]
    size: Few


class _Methods(Saved):
    time_warping: _Templates | None = None
    hidden_markov: _HiddenMarkov | None = None


class BaselinesSchema(Saved):
    """What `Baselines.settings` gives."""

    rate: Literal[8000, 16000]
    methods: _Methods

    def settings(self) -> dict[str, Any]:
        """As `Baselines.restored` takes it."""
        return self.model_dump(exclude_none=True)


def require_baselines(
    saved: bundle.Bundle, name: str, arrays: Mapping[str, np.ndarray], config: BaselinesSchema, prefix: str = ""
) -> None:
    """Hold the arrays of the simple methods to what they must be.

    Args:
        saved: the model.
        name: of the file of the arrays.
        arrays: as they are named there.
        config: what `config.json` holds of the methods.
        prefix: before the names that `Baselines.arrays` gives.

    Raises:
        BundleError: they are something else.
    """
    templates, markov = config.methods.time_warping, config.methods.hidden_markov
    if templates:
        _Held(saved, name, arrays, f"{prefix}{Templates.name}.").templates(templates)
    if markov:
        _Held(saved, name, arrays, f"{prefix}{HiddenMarkov.name}.").hidden_markov(markov)


class _Held:
    """The arrays of a method."""

    def __init__(self, saved: bundle.Bundle, name: str, arrays: Mapping[str, np.ndarray], prefix: str) -> None:
        self._saved, self._name, self._arrays, self._prefix = saved, name, arrays, prefix

    def _array(self, name: str, *sizes: int | None, kind: type[np.generic] = np.float32, **limits: float) -> np.ndarray:
        limits = {"least": -1e30, "most": 1e30, **limits}
        require(self._saved, self._name, self._arrays, self._prefix + name, sizes, kind, **limits)
        return self._arrays[self._prefix + name]

    def _numbers(self, name: str, *sizes: int | None, least: int = 0, most: int = 2**31) -> np.ndarray:
        return self._array(name, *sizes, kind=np.int64, least=float(least), most=float(most))

    def _hold(self, holds: bool, why: str) -> None:
        if not holds:
            raise damaged(self._saved, self._name, self._prefix + why)

    def templates(self, config: _Templates) -> None:
        """Of time warping."""
        frames = len(self._array("known", None, VALUES))
        lengths = self._numbers("lengths", None, least=1)
        self._numbers("truth", len(lengths), most=len(config.texts) - 1)
        self._hold(len(lengths) > 0 and int(lengths.sum()) == frames, "lengths are not those of the frames")
        self._hold(bool((np.diff(lengths) >= 0).all()), "lengths must ascend")

    def hidden_markov(self, config: _HiddenMarkov) -> None:
        """Of the hidden Markov model."""
        states, words = 1 + config.size * len(config.letters), len(config.words)
        gaussians = self._array("means", states, None, VALUES).shape[1]
        self._array("variances", states, gaussians, VALUES, least=1e-4)
        weights = self._array("weights", states, gaussians, least=-2e30, most=0.1)
        self._hold(gaussians > 0 and bool((weights.max(1, initial=-np.inf) > -1e3).all()), "weights are all nothing")
        self._array("stay", states, least=-20.0, most=-1e-4)
        pairs = self._numbers("pairs", None, 3)
        self._hold(bool((pairs[:, :2] <= words).all() and (pairs[:, 2] > 0).all()), "pairs are not of these words")
        lengths = self._numbers("lengths", words, least=1)
        units = len(self._numbers("spelled", None, most=len(config.letters) - 1))
        self._hold(int(lengths.sum()) == units, "lengths are not those of what is spelled")
        self._hold(all(word.split() == [word] for word in set(config.words)), "words must be words")

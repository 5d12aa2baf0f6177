"""The simple methods that a transcriber is set beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from .cepstra import Cepstra, Samples, cepstra
from .hidden_markov import HiddenMarkov
from .templates import Templates

_SECONDS = 3600.0  # of recordings that are learnt from, at most


@runtime_checkable
class Method(Protocol):
    """A simple method, trained on the cepstra of recordings."""

    name: ClassVar[str]

    def transcribe(self, heard: Sequence[Cepstra]) -> list[str]:
        """The text of each recording."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""

    def facts(self) -> dict[str, Any]:
        """What it learnt that is no array, as JSON can hold it."""


METHODS: dict[str, Any] = {method.name: method for method in (Templates, HiddenMarkov)}


@dataclass(frozen=True)
class Baselines:
    """All simple methods that suit the texts.

    Args:
        rate: of the recordings' samples, in a second.
        methods: trained.
    """

    rate: int
    methods: tuple[Method, ...]

    @classmethod
    def fit(cls, recordings: Sequence[Samples], texts: Sequence[str], rate: int, seed: int = 0) -> Baselines:
        """Train them on an hour of the recordings, chosen by chance where there is more.

        Args:
            recordings: to learn from; each is asked for once at most.
            texts: what was said.
            rate: of the samples, in a second.
            seed: of the choice.

        Raises:
            MissingExtra: kaldi-native-fbank is not installed.
        """
        heard: list[Cepstra] = []
        said: list[str] = []
        left = _SECONDS * rate
        order = np.random.default_rng(seed).permutation(len(texts)).tolist()
        for row in order:
            samples = recordings[row]
            if heard and len(samples) > left:
                break
            left -= len(samples)
            heard.append(cepstra(samples, rate))
            said.append(texts[row])
        methods: list[Method] = [Templates.fit(heard, said, seed)] if Templates.suits(said) else []
        return cls(rate, (*methods, HiddenMarkov.fit(heard, said, [texts[row] for row in order[len(said) :]])))

    def transcribe(self, recordings: Sequence[Samples]) -> dict[str, list[str]]:
        """The texts of recordings, by method."""
        heard = _Heard(recordings, self.rate)
        return {method.name: method.transcribe(heard) for method in self.methods}

    def arrays(self) -> dict[str, np.ndarray]:
        """What they learnt: the arrays, each under the name of its method."""
        return {f"{method.name}.{name}": part for method in self.methods for name, part in method.arrays().items()}

    def settings(self) -> dict[str, Any]:
        """What they learnt that is no array, as JSON can hold it."""
        return {"rate": self.rate, "methods": {method.name: method.facts() for method in self.methods}}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Baselines:
        """What `arrays` and `settings` gave."""
        methods = (
            METHODS[name].restored(_of_method(name, arrays), facts) for name, facts in settings["methods"].items()
        )
        return cls(int(settings["rate"]), tuple(methods))


class _Heard(Sequence[Cepstra]):
    """The cepstra of recordings, each made when it is asked for: an hour's take 56 MB."""

    def __init__(self, recordings: Sequence[Samples], rate: int) -> None:
        self._recordings, self._rate = recordings, rate

    def __len__(self) -> int:
        return len(self._recordings)

    def __getitem__(self, row: Any) -> Any:
        return cepstra(self._recordings[row], self._rate)


def _of_method(name: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}

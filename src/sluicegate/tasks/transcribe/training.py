"""Train a transcriber: features of several versions of each recording, the network, and what is known of words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float16, Float32, Int64

from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, Schedule, progress_bar

from .alphabet import Alphabet, least_frames
from .augmentation import version
from .baselines.methods import Baselines
from .calibration import Calibration
from .config import UNITS, TranscriberConfig
from .features import FRAME, RATES, STACK, Room, Scale, bins_of, log_mels, stacked
from .network import Network, Shape
from .noises import Noises, noise_in, voices_of
from .objective import Examples, Objective
from .reading import Recordings, Samples
from .report import report
from .running import END
from .search.word_model import WordModel
from .trained import Trained, most_common
from .weighing import settled

_VALIDATED, _MOST_VALIDATED = 0.08, 400  # of the recordings, and at most, where no others are given
_LONGEST = 40.0  # seconds of a recording that is trained on
_VERSIONS, _LEAST_VERSIONS, _HOURS = 5, 2, 5.0  # of each recording, and hours of all versions together
_SILENT, _LEAST_SILENT = 0.15, 12  # recordings of noise alone, by those that there are, and at least
_DRAWN = 5  # versions of these
_LATER, _ROOMS = 0.5, 200  # the share of the versions that are heard after another, and how many others there are
_EPOCHS = (40, 200)  # at least, and at most
_FRAMES_OF_WORDS, _FRAMES = 4_000_000, 12_000_000  # that are gone through between these, for whole words, and else
_IN_A_STEP = (1600, 12_000)  # frames at most, for few recordings and for many: small steps are more of them
_FEW_UNITS, _SOME_UNITS, _MUCH = 128, 192, 10_800.0  # the last one in seconds
_LAID_OUT = 0.15  # of the steps, in which texts are laid over the frames
_AVERAGE = 0.995
_LOOKED_AT = 200  # recordings whose rates are looked at

Frames = Float16[np.ndarray, "frames values"]


class Preparation:
    """Recordings made ready to train on.

    Args:
        recordings: with texts.
        held_back: those that validate; None holds some of the recordings back.
        columns: of a table, by what they are for.
        config: the settings.
        noise: a folder of recordings of noise, if there is one.
        progress: show a bar while recordings are read; None shows it on a terminal.
    """

    def __init__(
        self,
        recordings: Recordings,
        held_back: Recordings | None,
        columns: Mapping[str, str],
        config: TranscriberConfig,
        noise: str | Path | None,
        progress: bool | None,
    ) -> None:
        self.columns, self.config = columns, config
        if held_back is None:
            validates = _validating(recordings, config.seed)
            recordings, held_back = (
                recordings.take(np.flatnonzero(~validates)),
                recordings.take(np.flatnonzero(validates)),
            )
        self.recordings, self.validating = recordings, held_back
        self.rate = _rate(recordings)
        self.noises = Noises(noise_in(noise, self.rate), self.rate)
        self.alphabet = Alphabet.of(_texts(recordings), config.subwords)
        if len(self.alphabet) < 2:
            raise DataError("every text is blank: expected some in which something is said, to learn from")
        self.notes: list[str] = []
        self._rooms: list[Room] = []  # what was heard of some versions, noise alone among them
        self._hear(progress)
        self.shape = Shape(
            values=STACK * bins_of(self.rate),
            tokens=len(self.alphabet),
            hidden=config.hidden or self._units,
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
            streaming=config.streaming,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = Network(self.shape)

    @property
    def _units(self) -> int:
        """Of the recurrent layers: few whole words are told apart by few."""
        if self.alphabet.words:
            return _FEW_UNITS
        return _SOME_UNITS if self.seconds < _MUCH else UNITS

    def run(self) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        frames = int(self.examples.lengths()[: self.spoken].sum())  # noise beside them makes no fewer epochs
        objective = Objective(
            self.model,
            self.examples,
            self.held_back,
            seed=config.seed,
            batch=config.batch,
            frames=int(np.clip(frames // 100, *_IN_A_STEP)),
            bins=bins_of(self.rate),
        )
        epoch = objective.steps
        most = _FRAMES_OF_WORDS if self.alphabet.words else _FRAMES
        epochs = config.epochs or int(np.clip(most // max(1, frames), *_EPOCHS))
        steps = max(1, epoch * epochs)
        objective.laid_out = round(_LAID_OUT * steps)
        schedule = Schedule(
            steps=steps,
            every=max(min(epoch, 500), steps // 30),
            patience=config.patience,
            learning_rate=config.learning_rate,
            average=_AVERAGE,
            warm_up=max(1, min(300, steps // 10)),
            epoch=epoch,
        )
        return Run(self.model, [objective.part()], schedule, self._fingerprint(), self._finished)

    def _hear(self, progress: bool | None) -> None:
        """Make features of all recordings, and leave out those that cannot be trained on.

        Raises:
            DataError: a recording cannot be read, or none is left.
        """
        several = [_Clip(self.recordings, row, self.alphabet) for row in range(len(self.recordings))]
        others = [_Clip(self.validating, row, self.alphabet) for row in range(len(self.validating))]
        with progress_bar("reading recordings", len(several) + len(others), progress) as told:
            for number, clip in enumerate([*several, *others]):
                clip.read(self.rate)
                told(number + 1)
        kept = self._kept(several)
        self.seconds = sum(len(clip.samples) for clip in kept) / self.rate
        self.scale = Scale.of([log_mels(_ended(clip.samples, self.rate), self.rate) for clip in kept])
        count = self.config.versions or int(np.clip(_HOURS * 3600 / self.seconds, _LEAST_VERSIONS, _VERSIONS))
        generator = np.random.default_rng((self.config.seed, 1))
        voices = voices_of([clip.samples for clip in kept if clip.target], self.rate)
        self.noises = replace(self.noises, voices=voices)
        count_silent = _DRAWN * max(_LEAST_SILENT, round(_SILENT * len(kept)))
        silences = [self._frames(samples, generator) for samples in self.noises.alone(count_silent, generator)]
        silent = [silences[begin : begin + _DRAWN] for begin in range(0, len(silences), _DRAWN)]
        versions = []
        with progress_bar("making versions", len(kept), progress) as told:
            for number, clip in enumerate(kept):
                own = [version(clip.samples, self.rate, self.noises, generator) for _ in range(count - 1)]
                versions.append([self._frames(clip.samples), *(self._frames(samples, generator) for samples in own)])
                clip.forget()
                told(number + 1)
        self.spoken = len(kept)
        self.examples = Examples([*versions, *silent], [*(clip.target for clip in kept), *([] for _ in silent)])
        held = [clip for clip in others if len(clip.samples) <= _LONGEST * self.rate] or others[:1]
        self.held_back = Examples([[self._frames(clip.samples)] for clip in held], [clip.target for clip in held])

    def _kept(self, clips: list[_Clip]) -> list[_Clip]:
        long = sum(len(clip.samples) > _LONGEST * self.rate for clip in clips)
        short = sum(clip.too_short(self.rate) for clip in clips)
        kept = [clip for clip in clips if len(clip.samples) <= _LONGEST * self.rate and not clip.too_short(self.rate)]
        if long:
            self.notes.append(
                f"{_counted(long)} longer than {_LONGEST:g} s left out of training: cut them at silences."
            )
        if short:
            self.notes.append(f"{_counted(short)} too short for the text that goes with them left out of training.")
        if not kept:
            raise DataError(
                f"every recording is longer than {_LONGEST:g} s, or too short for its text: cut them at silences, and "
                "check that the texts are theirs"
            )
        return kept

    def _frames(self, samples: Float32[np.ndarray, " samples"], generator: np.random.Generator | None = None) -> Frames:
        """The features of a recording: heard first of all, or by chance after another, as in a stream."""
        mels, room = log_mels(_ended(samples, self.rate), self.rate), self.scale.begin()
        if generator is not None and self._rooms and generator.random() < _LATER:
            room = self._rooms[int(generator.integers(len(self._rooms)))]
        bands, room = self.scale.apply(mels, room)
        if generator is not None:
            if len(self._rooms) == _ROOMS:
                self._rooms[int(generator.integers(_ROOMS))] = room
            else:
                self._rooms.append(room)
        return stacked(bands).astype(np.float16)

    def _finished(self, curve: Curve) -> tuple[Trained, Report]:
        trained = Trained(
            columns=self.columns,
            arrays_rate=self.recordings.rate,
            rate=self.rate,
            alphabet=self.alphabet,
            scale=self.scale,
            shape=self.shape,
            model=self.model,
            recordings=len(self.recordings),
            seconds=self.seconds,
            language=WordModel.of(_texts(self.recordings)),
            language_weight=0.0,
            word_bonus=0.0,
            common=most_common(_texts(self.recordings)),
            baselines=Baselines.fit(
                Samples(self.recordings, self.rate), _texts(self.recordings), self.rate, self.config.seed
            ),
            curve=curve,
            calibration=Calibration(),
        )
        trained = settled(trained, self.validating, self.config.beam, self.config.language_weight)
        return trained, report(
            trained, self.config, self.validating, "validation recordings", self.notes, noises=self.noises
        )

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self.config.model_dump_json().encode())
        for part in (self.examples, self.held_back):
            part.digest(digest)
        return digest.hexdigest()


class _Clip:
    """A recording on its way to features."""

    def __init__(self, recordings: Recordings, row: int, alphabet: Alphabet) -> None:
        self._recordings, self._row = recordings, row
        self.target = alphabet.encode(_texts(recordings)[row])
        self.samples = np.zeros(0, np.float32)

    def read(self, rate: int) -> None:
        """Read it; the samples are kept until `forget`."""
        self.samples = self._recordings.samples(self._row, rate)

    def forget(self) -> None:
        """Keep the samples no longer."""
        self.samples = self.samples[:0]

    def too_short(self, rate: int) -> bool:
        """Whether its text has no room in it."""
        return least_frames(self.target) > (len(self.samples) / rate + END) / FRAME


def _texts(recordings: Recordings) -> Sequence[str]:
    assert recordings.texts is not None
    return recordings.texts


def _counted(count: int) -> str:
    return "1 recording was" if count == 1 else f"{count:,} recordings were"


def _ended(samples: Float32[np.ndarray, " samples"], rate: int) -> Float32[np.ndarray, " more"]:
    """A recording and the silence that is heard behind each."""
    return np.pad(samples, (0, round(END * rate)))


def _rate(recordings: Recordings) -> int:
    """The rate that the network hears: the lower one where most recordings have no more."""
    some = np.linspace(0, len(recordings) - 1, min(len(recordings), _LOOKED_AT)).astype(int)
    low = sum(recordings.own_rate(int(row)) <= RATES[0] for row in some)
    return RATES[0] if 2 * low > len(some) else RATES[1]


def _validating(recordings: Recordings, seed: int) -> np.ndarray:
    """Which recordings validate: whole groups, where there are several, or a share of all.

    Raises:
        DataError: there is only one recording.
    """
    count = len(recordings)
    if count < 2:
        raise DataError(
            "there is one recording: expected two at least, to train and to validate on; give more, or `validation`"
        )
    names: dict[str, int] = {}
    of = np.array([names.setdefault(name, len(names)) for name in recordings.groups or ()], dtype=np.int64)
    if len(names) < 3:  # of two speakers each is worth more in training
        of = np.arange(count)
    sizes = np.bincount(of)
    wanted = max(1, min(_MOST_VALIDATED, round(_VALIDATED * count)))
    order = np.random.default_rng(seed).permutation(len(sizes))
    last = int(np.searchsorted(np.cumsum(sizes[order]), wanted))
    chosen: Int64[np.ndarray, " groups"] = order[: min(last + 1, len(sizes) - 1)]
    return np.isin(of, chosen)

"""The transcriber: from recordings and their texts to a model that writes down what is said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from sluicegate.data import Source
from sluicegate.data.audio import is_audio
from sluicegate.data.frames import like
from sluicegate.data.headings import Heading, asked_one, heading
from sluicegate.errors import ConfigError, DataError
from sluicegate.metrics.transcription import require_jiwer
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import TrainedTask

from .alphabet import tidied
from .card import transcriber_card
from .config import ARGUMENTS, TranscriberConfig
from .noises import Noises, noise_in
from .reading import Recordings, recordings_of
from .report import MEASURES, report
from .search.lexicon import Lexicon
from .stream import SpeechStream
from .trained import SILENCE, Trained
from .training import Preparation
from .transcript import Transcript

_NUMBERS = ("begin", "end", "confidence")  # of each word
SCHEMA: dict[str, Any] = {"row": pl.Int64, "text": pl.String, **dict.fromkeys(_NUMBERS, pl.List(pl.Float64))}
"""The columns of what was said."""


class Transcriber(TrainedTask[TranscriberConfig, Trained]):
    """Write down what is said in recordings: digits, commands, or sentences, learnt from an hour or two of them.

    A light convolution and recurrent layers read log-mel features and tell characters or words by connectionist
    temporal classification (CTC); a search by beam adds what is known of the words of the training texts. A model
    whose layers read one way, as they do unless told otherwise, has streams.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        streaming: whether the layers read one way.
        settings: further ones, listed at `TranscriberConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """

    name: ClassVar[str] = "transcribe"
    arguments = ARGUMENTS
    trained_as = Trained
    measures = MEASURES

    def __init__(self, *, cell: str = "gru", seed: int = 0, streaming: bool = True, **settings: Any) -> None:
        super().__init__(cell=cell, seed=seed, streaming=streaming, **settings)

    def fit(
        self,
        data: Any,
        *,
        audio: Heading = "path",
        text: Heading = "text",
        group: Heading | None = None,
        noise: str | Path | None = None,
        rate: int | None = None,
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> Transcriber:
        """Train on recordings and what is said in them.

        Args:
            data: a pandas or polars data frame or an Arrow table, a row for each recording; or the path of a folder
                of recordings, each with its text in a file beside it, such as `a.wav` and `a.txt`.
            audio: the column of recordings: paths, or arrays of samples.
            text: the column of texts; an empty one says that nothing is said.
            group: a column of what must not be torn apart, such as speakers: all recordings of one validate together.
            noise: a folder with recordings of noise, to mix in; None mixes in noise of all colours.
            rate: of arrays, in Hz.
            validation: recordings to validate on, as `data`; None holds a twelfth of them back, at most 400.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.
            validation_origin: what the validation table is called in messages.

        Returns:
            The transcriber itself, with the report on the recordings that validated in `report`.

        Raises:
            DataError: the recordings cannot be used as they are; the message says which, and what to do.
            ConfigError: the checkpoint is of another run.
            MissingExtra: a package is not installed that audio needs.
        """
        require_jiwer()
        named = {"audio": audio, "text": text, "group": group}
        of_table = {role: str(asked_one(data, name)) for role, name in named.items() if name is not None}
        columns = {role: heading(name) for role, name in of_table.items()}
        recordings, _ = recordings_of(data, columns, origin or Source(), rate=rate)
        held_back = None
        if validation is not None:
            plain = {role: name for role, name in columns.items() if role != "group"}
            other = validation_origin or Source("the validation table")
            held_back, _ = recordings_of(validation, plain, other, rate=rate)
        prepared = Preparation(recordings, held_back, columns, self.config, noise, progress)
        self._learn(prepared.run(), checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(
        self,
        data: Any,
        *,
        groups: Heading | None = None,
        noise: str | Path | None = None,
        rate: int | None = None,
        origin: Source | None = None,
    ) -> Report:
        """Transcribe, and compare with what is said, beside simple methods.

        Args:
            data: recordings with texts, as `fit` takes them.
            groups: a column by which the word error rate is told apart, such as accents.
            noise: a folder with recordings of noise, which some recordings are mixed with to tell the word error rate
                in noise; None takes noise of all colours.
            rate: of arrays, in Hz; None is that of the arrays of training.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the recordings cannot be used as they are, or `noise` is no folder of recordings.
            MissingExtra: a package is not installed that audio needs.
        """
        trained = self.trained
        require_jiwer()
        noises = Noises(noise_in(noise, trained.rate), trained.rate)
        columns = {role: name for role, name in trained.columns.items() if role != "group"}
        if groups is not None:
            columns["group"] = str(asked_one(data, groups))
        recordings, _ = recordings_of(data, columns, origin or Source(), rate=rate or trained.arrays_rate)
        return self._evaluated(
            report(trained, self.config, recordings, "evaluation", groups=recordings.groups, noises=noises)
        )

    def predict(self, data: Any, *, rate: int | None = None, origin: Source | None = None) -> Any:
        """What is said in recordings.

        Args:
            data: a table with the column of recordings that `fit` was given, the path of a recording or of a folder of
                them, or a sequence of paths or of arrays.
            rate: of arrays, in Hz; None is that of the arrays of training.
            origin: what the table is called in messages.

        Returns:
            A frame of the kind that `data` is, else polars: `row`, the number of the recording from 0, `text`, and of
            each word of `text`, those between spaces, `begin` and `end` in seconds and `confidence`, from 0 to 1.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: a recording cannot be used as it is.
            MissingExtra: a package is not installed that audio needs.
        """
        trained = self.trained
        columns, origin = {"audio": trained.columns["audio"]}, origin or Source()
        recordings, backend = recordings_of(data, columns, origin, rate=rate or trained.arrays_rate)
        rows = [
            {
                "row": row,
                "text": found.text,
                **{name: [getattr(word, name) for word in found.words] for name in _NUMBERS},
            }
            for row, found in enumerate(self._transcripts(recordings))
        ]
        return like(pl.DataFrame(rows, schema=SCHEMA), backend)

    def transcribe(
        self,
        audio: Any,
        *,
        rate: int | None = None,
        words: Sequence[str] | None = None,
        phrases: Sequence[str] | None = None,
        hot_words: Mapping[str, float] | None = None,
    ) -> Any:
        """What is said in a recording, or in several.

        Args:
            audio: the path of a recording, an array of its samples, `[samples]` or `[samples channels]`, or a pair of
                an array and its rate; or a list of paths or of arrays.
            rate: of arrays, in Hz; None is that of the arrays of training.
            words: those that may be said; None for all.
            phrases: those that may be said, each as a whole: all else is silence; None for all.
            hot_words: words or phrases that are awaited, and what each adds to the logarithm of a text's probability.

        Returns:
            A `Transcript`: `text`, `words`, of which each has `text`, `begin` and `end` in seconds and `confidence`,
            and `score`; a list of them for a list.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: a recording cannot be used as it is.
            ConfigError: both `words` and `phrases` are given, or one of them is empty.
            MissingExtra: a package is not installed that audio needs.
        """
        several = isinstance(audio, list)
        recordings, _ = recordings_of(audio, {}, Source("the list"), rate=rate or self.trained.arrays_rate)
        found = self._transcripts(recordings, _lexicon(words, phrases), hot_words or {})
        return found if several else found[0]

    def add_words(self, words: Sequence[str], weight: float = 0.0) -> Transcriber:
        """Know more words from now on: names, or those of a product, that the training texts do not have.

        Args:
            words: single words, written as the training texts write words.
            weight: what each adds to the logarithm of a text's probability; 2 to 6 awaits it.

        Returns:
            The transcriber itself; the words are saved with it, and streams that are open do not know them.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: one is no single word, or cannot be written in the network's tokens.
        """
        trained = self.trained
        if not math.isfinite(weight):
            raise ConfigError(f"`weight` (={weight!r}) must be a finite number")
        for word in words:
            if len(word.split()) != 1 or trained.alphabet.decode(trained.alphabet.encode(tidied(word))) != tidied(word):
                remedy = "train with `subwords=0`" if trained.alphabet.subwords else "write it as the texts write words"
                raise ConfigError(
                    f"`words` holds {word!r}, which is no single word in what the network can write: {remedy}"
                )
        added = {**trained.added, **{tidied(word): float(weight) for word in words}}
        self._trained = replace(trained, added=added)
        return self

    def open_stream(
        self,
        *,
        words: Sequence[str] | None = None,
        phrases: Sequence[str] | None = None,
        hot_words: Mapping[str, float] | None = None,
        endpoint: float | int = SILENCE,
    ) -> SpeechStream:
        """Open a stream: samples are pushed as they come, and answered by what was said by then.

        Args:
            words: those that may be said; None for all.
            phrases: those that may be said, each as a whole; None for all.
            hot_words: words or phrases that are awaited, and what each adds to the logarithm of a text's probability.
            endpoint: seconds of silence after which what was said is over; `transcribe` takes the default.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: the model reads both ways, or `endpoint` is not above 0.
        """
        trained = self.trained
        if not trained.shape.streaming:
            raise ConfigError(
                "the model was trained with `streaming=False`, and to read both ways it would need the end of the "
                "stream: train one with `streaming=True`"
            )
        if not endpoint > 0:
            raise ConfigError(f"`endpoint` (={endpoint!r}) must be seconds of silence, above 0")
        search = trained.search(self.config.beam, lexicon=_lexicon(words, phrases), hot_words=hot_words or {})
        return SpeechStream(trained, self.fingerprint, search, float(endpoint))

    @classmethod
    def open_training_file(cls, path: Path, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A file as `fit` takes it: a table, whose paths are relative to it, or a folder."""
        given = {**given, "rate": _hertz(given.get("rate"))}
        if path.is_dir():
            columns = {name: value for name, value in given.items() if value is not None}
            return path, {"origin": Source(path.name), **columns}
        table, beside = super().open_training_file(path, given)
        return _beside(table, beside.get("audio", "path"), path), beside

    def open_file(self, path: Path, **asked: Any) -> tuple[Any, dict[str, Any]]:
        """A file as `predict` and `evaluate` take it: a table, with paths relative to it, a folder, or a recording."""
        if path.is_dir() or is_audio(path):
            return path, {"origin": Source(path.name)}
        table, beside = super().open_file(path, **asked)
        return _beside(table, self.trained.columns["audio"], path), beside

    def open_files(self, paths: Sequence[Path], **asked: Any) -> tuple[Any, dict[str, Any]]:
        """Several recordings, as `predict` takes them, or one file of any kind."""
        if len(paths) == 1:
            return self.open_file(paths[0], **asked)
        if other := next((path for path in paths if not is_audio(path)), None):
            raise DataError(f"{other} is no recording, by its ending: give one table, or several recordings")
        return [str(path) for path in paths], {"origin": Source("the list")}

    def _transcripts(
        self, recordings: Recordings, lexicon: Lexicon | None = None, hot_words: Mapping[str, float] = {}
    ) -> list[Transcript]:
        trained, width = self.trained, self.config.beam
        return [
            trained.transcribe(
                recordings.blocks(row, trained.rate), trained.search(width, lexicon=lexicon, hot_words=hot_words)
            )
            for row in range(len(recordings))
        ]

    def _roles(self) -> dict[str, Any]:
        return dict(self.trained.columns)

    def _card(self, trained: Trained) -> str:
        return transcriber_card(self.config, trained, self._results)


def _hertz(rate: Any) -> int | None:
    """A rate as the command line has it."""
    if rate is None or isinstance(rate, int):
        return rate
    if not str(rate).isdecimal():
        raise ConfigError(f"`rate` (`--rate`, ={rate!r}) must be a whole number of Hz, such as 16000")
    return int(rate)


def _lexicon(words: Sequence[str] | None, phrases: Sequence[str] | None) -> Lexicon | None:
    if words is not None and phrases is not None:
        raise ConfigError("both `words` and `phrases` are given: give the one or the other")
    if phrases is not None:
        return Lexicon.phrases(phrases)
    return None if words is None else Lexicon.words(words)


def _beside(table: pl.DataFrame, column: str, path: Path) -> pl.DataFrame:
    """The table with paths that are relative to where it is."""
    if column not in table.columns or table[column].dtype != pl.String:
        return table  # which is told where it is read
    found = [None if not name else str(path.parent / name) for name in table[column].to_list()]
    return table.with_columns(pl.Series(column, found, dtype=pl.String))

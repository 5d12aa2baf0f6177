"""The language model: from texts to the probabilities of what comes next, measured beside runs of five words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from sluicegate.data import Source
from sluicegate.data.columns import select
from sluicegate.data.counted import counted, left_out
from sluicegate.data.frames import like
from sluicegate.data.headings import Heading, asked_one
from sluicegate.data.sequences import texts_in
from sluicegate.data.text_files import is_text_file, read_text
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.generation.texts import given_texts, texts_of
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import TrainedTask

from .card import language_model_card
from .config import ARGUMENTS, LanguageModelConfig
from .corpus import Corpus, Tokens, by_line
from .measuring import log_likelihood
from .report import MEASURES, report
from .stream import TextStream, following
from .trained import Trained
from .training import Preparation
from .writing import Chance, drawn, searched

_NEXT = 10  # tokens that may come next, in the answers of a stream


class LanguageModel(TrainedTask[LanguageModelConfig, Trained]):
    """Tell how probable texts are, token by token, and write texts.

    A recurrent network reads a text, and an output layer that shares the embeddings tells what may come next, over the
    texts' own words or sub-words that spell anything. Every evaluation sets it beside a 5-gram model with modified
    Kneser-Ney smoothing of the same training texts.

    A text may have several lines, whose ends are foretold like words. Nothing is known of one text from another: the
    lines of a file that belong together are one text.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        members: networks that are trained beside one another and tell together what may come next.
        settings: further ones, listed at `LanguageModelConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """

    name: ClassVar[str] = "language-model"
    arguments = ARGUMENTS
    trained_as = Trained
    measures = MEASURES

    def __init__(self, *, cell: str = "gru", seed: int = 0, members: int = 1, **settings: Any) -> None:
        super().__init__(cell=cell, seed=seed, members=members, **settings)

    def fit(
        self,
        data: Any,
        *,
        text: Heading = "text",
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> LanguageModel:
        """Train on texts.

        Args:
            data: a sequence of texts, each of one line or several: a list, a NumPy array, a pandas or polars Series,
                an Arrow array; or a pandas or polars data frame or an Arrow table with a column of them. Texts that
                are missing or blank are left out.
            text: the column of texts, where `data` is a table.
            validation: texts to validate on, as `data`; None holds a twentieth of the words back, in whole texts, or
                of a single text its last lines.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the texts are called in messages.
            validation_origin: what the validation texts are called in messages.

        Returns:
            The language model itself, with the report on the validation texts in `report`.

        Raises:
            DataError: the texts cannot be used as they are; the message says where and what to do.
            ConfigError: the checkpoint is of another run.
        """
        name = asked_one(data, text) or "text"
        corpus, blank = _whole(data, name, origin or Source())
        held_back = None
        if validation is not None:
            held_back, _ = _whole(validation, name, validation_origin or Source("the validation texts"))
        run = Preparation(corpus, held_back, name, self.config, blank).run()
        self._learn(run, checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(
        self, data: Any, *, cache: int = 0, dynamic: float | int = 0.0, origin: Source | None = None
    ) -> Report:
        """Foretell texts, beside the 5-gram.

        Args:
            data: texts, as `fit` takes them.
            cache: how many tokens are remembered, of which what came after places like this one is mixed into what may
                come (Grave et al. 2017); 0 is none, 2,000 suits articles. How it is mixed was found in training.
            dynamic: the learning rate of going on learning from each piece of a text after it was foretold (Krause et
                al. 2018); 0 is none, of 0.1, 0.3 and 1 the second was best on WikiText-2. The model itself stays as
                it is.
            origin: what the texts are called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: `cache` or `dynamic` is out of its range.
            DataError: the texts cannot be used as they are.
        """
        trained = self.trained
        if isinstance(cache, bool) or not isinstance(cache, int) or cache < 0:
            raise ConfigError(f"`cache` (={cache!r}) must be a whole number of tokens, 0 for none")
        if not (math.isfinite(dynamic) and dynamic >= 0):
            raise ConfigError(f"`dynamic` (={dynamic!r}) must be a learning rate, 0 for none")
        corpus, blank = _whole(data, trained.column, origin or Source())
        notes = left_out(blank, "text", "missing or blank")
        memory = trained.cache._replace(size=cache) if cache else None
        return self._evaluated(report(trained, corpus, "evaluation", notes, cache=memory, rate=float(dynamic)))

    def perplexity(self, data: Any, *, origin: Source | None = None) -> float:
        """How well texts are foretold, per word.

        Args:
            data: texts, as `fit` takes them, blank ones included.
            origin: what the texts are called in messages.

        Returns:
            exp(-sum of the log-probabilities of all tokens / number of words), from 1 up; lower is better. The words
            are the texts' own, those between spaces, with each line's end as one, however many tokens a word is cut
            into.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the texts cannot be used as they are.
        """
        texts, _ = self._texts(data, origin)
        corpus, _, told = self._told(texts, singly=False)
        return math.exp(min(700.0, -float(told.sum()) / int(corpus.words.sum())))

    def predict(self, data: Any, *, origin: Source | None = None) -> Any:
        """How well each text is foretold.

        Args:
            data: texts, as `fit` takes them, blank ones included.
            origin: what the texts are called in messages.

        Returns:
            A frame of the kind that `data` is, polars for a list and a NumPy array: `row`, the number of the text from
            0, `words`, with the ends of lines, `log_probability`, of the whole text, and `perplexity`, per word.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the texts cannot be used as they are.
        """
        texts, backend = self._texts(data, origin)
        corpus, tokens, told = self._told(texts, singly=False)
        begins = np.flatnonzero(corpus.begins)
        words = np.add.reduceat(corpus.words, begins)
        total = np.add.reduceat(by_line(told, tokens.lines), begins)
        frame = pl.DataFrame(
            {
                "row": np.arange(len(begins)),
                "words": words,
                "log_probability": total,
                "perplexity": np.exp(np.minimum(700.0, -total / words)),
            }
        )
        return like(frame, backend)

    def score(self, data: Any, *, origin: Source | None = None) -> Any:
        """How probable each token of texts is, given those before it.

        Args:
            data: texts, as `fit` takes them, blank ones included.
            origin: what the texts are called in messages.

        Returns:
            A frame of the kind that `data` is, polars for a list and a NumPy array: `row`, the number of the text from
            0, `token`, a space before it where a word begins, a line's end as a line feed, and `log_probability`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the texts cannot be used as they are.
        """
        texts, backend = self._texts(data, origin)
        _, tokens, told = self._told(texts, singly=True)
        found = tokens.texts
        frame = pl.DataFrame(
            {
                "row": found.owner,
                "token": [self.trained.shown(token) for token in found.values.tolist()],
                "log_probability": told,
            }
        )
        return like(frame, backend)

    def following(self, prompt: Any, *, most: int = _NEXT) -> dict[str, Any]:
        """What may come next after a text.

        Args:
            prompt: how the text begins; "" is its very beginning.
            most: tokens, the most probable ones, from 1 up.

        Returns:
            `next`, the tokens, and `probabilities`, from the most probable one down.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: `most` is out of its range.
            DataError: the prompt is no text.
        """
        _require_count("most", most)
        trained = self.trained
        return following(trained, trained.reader.open()(trained.prompt(_text(prompt))), most)

    def generate(
        self,
        prompt: Any = "",
        *,
        seed: int = 0,
        temperature: float | int = 0.8,
        top_k: int | None = None,
        top_p: float | int = 0.9,
        max_words: int = 100,
    ) -> str:
        """Go on with a text by chance, to the end of its line.

        Args:
            prompt: how the text begins, of any length; "" is its very beginning.
            seed: of the draws, from 0 up; the same seed gives the same text.
            temperature: what log-probabilities are divided by: below 1 what is probable becomes more so, above 1 less;
                0 takes the most probable token each time.
            top_k: draw from so many tokens, the most probable ones; None from all.
            top_p: draw from the most probable tokens that have this probability together, above 0 and up to 1
                (nucleus sampling, Holtzman et al. 2020).
            max_words: words that are written, at most, from 1 up.

        Returns:
            The prompt, and what was written behind it.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: a setting is out of its range.
            DataError: the prompt is no text.
        """
        if not (math.isfinite(temperature) and temperature >= 0):
            raise ConfigError(f"`temperature` (={temperature!r}) must be 0, which is greedy, or a number above")
        if not 0 < top_p <= 1:
            raise ConfigError(f"`top_p` (={top_p!r}) must be a probability above 0 and up to 1, which draws from all")
        if top_k is not None:
            _require_count("top_k", top_k)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ConfigError(f"`seed` (={seed!r}) must be a whole number from 0 up, below 2**63")
        _require_count("max_words", max_words)
        trained = self.trained
        written = drawn(trained, _text(prompt), Chance(float(temperature), top_k, float(top_p), seed), max_words)
        return trained.continued(prompt, written)

    def complete(self, prompt: Any, *, beam: int = 1, max_words: int = 20) -> str:
        """Go on with a text as is most probable, to the end of its line.

        Args:
            prompt: how the text begins, of any length.
            beam: hypotheses that the search follows side by side, from 1, which is greedy, to 100.
            max_words: words that are written, at most, from 1 up.

        Returns:
            The prompt, and what was written behind it.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: `beam` or `max_words` is out of its range.
            DataError: the prompt is no text.
        """
        _require_count("beam", beam, most=100)
        _require_count("max_words", max_words)
        trained = self.trained
        if beam == 1:
            return trained.continued(prompt, drawn(trained, _text(prompt), Chance(0.0, None, 1.0, 0), max_words))
        return trained.continued(prompt, searched(trained, _text(prompt), beam, max_words))

    def open_stream(self, *, most: int = _NEXT) -> TextStream:
        """Open a stream: words are pushed as they come, and answered by how probable they were and what may come next.

        Args:
            most: tokens of each answer that may come next, from 1 up.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: `most` is out of its range.
        """
        _require_count("most", most)
        return TextStream(self.trained, self.fingerprint, most)

    def open_file(self, path: Path, **asked: Any) -> tuple[Any, dict[str, Any]]:
        """A file as `predict` and `evaluate` take it: plain text, of which all lines are one text, or a table."""
        if is_text_file(path):
            return [read_text(path)], {"origin": Source(path.name)}
        return super().open_file(path, **asked)

    @classmethod
    def open_training_file(cls, path: Path, given: Any) -> tuple[Any, dict[str, Any]]:
        """A file as `fit` takes it: plain text, of which all lines are one text, or a table."""
        if is_text_file(path):
            columns = {name: value for name, value in given.items() if value is not None}
            return [read_text(path)], {"origin": Source(path.name), **columns}
        return super().open_training_file(path, given)

    def _texts(self, data: Any, origin: Source | None) -> tuple[list[str], Any]:
        texts, backend = given_texts(data, self.trained.column, origin or Source())
        if not texts:
            raise DataError("there are no texts: expected one at least")
        return texts, backend

    def _told(self, texts: Sequence[str], *, singly: bool) -> tuple[Corpus, Tokens, np.ndarray]:
        """The texts line by line, their tokens, and the logarithm of the probability of each of these."""
        corpus = Corpus.of(texts)
        tokens = corpus.tokens(self.trained.subwords)
        return corpus, tokens, log_likelihood(self.trained.model.networks, tokens, singly=singly)

    def _roles(self) -> dict[str, Any]:
        return {"text": self.trained.column}

    def _card(self, trained: Trained) -> str:
        return language_model_card(self.config, trained, self._results)


def _whole(data: Any, column: str, origin: Source) -> tuple[Corpus, int]:
    """The texts that are not blank, and how many are.

    Raises:
        DataError: there are none, or the data are something else.
    """
    if data is None:
        raise DataError("there are no texts: give a sequence of them, or a table")
    found = texts_in(data, "the sequence" if origin == Source() else origin.name)
    texts = found[0] if found else texts_of(select(data, [column], origin)[column], origin).to_list()
    kept = [text for text in texts if text and text.strip()]
    if not kept:
        what = f" but {counted(len(texts), 'blank one')}" if texts else ""
        raise DataError(f"{origin.name} holds no texts{what}: expected one at least with words in it")
    return Corpus.of(kept), len(texts) - len(kept)


def _text(prompt: Any) -> str:
    if not isinstance(prompt, str):
        raise DataError(f"`prompt` is {type(prompt).__name__}: expected a text, the beginning of what is written")
    return prompt


def _require_count(name: str, value: Any, most: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most is not None and value > most):
        upto = "up" if most is None else f"to {most}"
        raise ConfigError(f"`{name}` (={value!r}) must be a whole number from 1 {upto}")

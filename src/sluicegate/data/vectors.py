"""Word vectors from a text file of word2vec, GloVe or fastText, read line by line."""

from __future__ import annotations

import unicodedata
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import DataError

from .encodings import UTF16, as_utf8, remedy
from .packed import unpacked

WIDEST = 4096
"""Numbers a word at most: more are a sign of a file of another kind."""

_LONGEST = 1 << 18  # bytes of a line: `WIDEST` numbers of 20 digits, and thrice that for the word
_HEAD = 1 << 16  # bytes at the beginning that tell what kind of file it is
_BROKEN = 100  # of so many lines one may hold a word that is not UTF-8
_AS_TEXT = "save the vectors as text, for instance by gensim's `save_word2vec_format(path, binary=False)`"


@dataclass(frozen=True)
class Vectors:
    """The vectors of some words.

    Args:
        words: those that have one.
        values: of each.
        source: what the file is called.
    """

    words: tuple[str, ...]
    values: Float32[np.ndarray, "words dimension"]
    source: str


class VectorFile:
    """A text file with a word and its numbers in each line, gzip'd or not.

    word2vec and fastText write "count dimension" into the first line, GloVe does not. The last `dimension` fields are
    the numbers, so that a word may have spaces in it, as some of GloVe's have.

    Args:
        path: the file.

    Raises:
        DataError: it is missing, empty, or of another kind.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DataError(f"{self.path} is not there or is not a file: give the path of a file of word vectors")
        with self._opened() as file:
            head = file.read(_HEAD)
        self._require_text(head)
        first = _stripped(head.removeprefix(BOM_UTF8).partition(b"\n")[0]).split(b" ")
        self._count: int | None = None
        if len(first) == 2 and all(field.isdigit() and len(field) < 19 for field in first):
            self._count, self.dimension = int(first[0]), int(first[1])
        else:
            self.dimension = _numbers_behind(first)
            if not self.dimension:
                raise self._fault(1, 'holds no numbers: expected a word and its numbers, or "count dimension"')
        if not 1 <= self.dimension <= WIDEST:
            raise self._fault(
                1, f"asks for {self.dimension:,} numbers a word: expected 1 to {WIDEST:,}; give a file of word vectors"
            )

    def of(self, wanted: Collection[str], *, lowercase: bool) -> Vectors:
        """The vectors of some words: as they are written, else of the first other form of the word in the file.

        No more than these and a line is held in memory.

        Args:
            wanted: the words.
            lowercase: whether upper and lower case are the same, so that a word in another case will do.

        Raises:
            DataError: a line cannot be used; the message says which.
        """
        exact: dict[str, Float32[np.ndarray, " dimension"]] = {}
        other: dict[str, Float32[np.ndarray, " dimension"]] = {}
        names = {word: word for word in wanted}
        lines, broken, number, others = 0, [], 0, False
        for number, name, numbers in self._lines():
            lines += 1
            try:
                word = name.decode()
            except UnicodeDecodeError:  # it is no word of any text, so nothing is lost with it
                broken.append(number)
                continue
            others = others or not word.isascii()
            if word in names:
                if word not in exact:  # of a repeated word the first holds, as in gensim
                    exact[word] = self._numbers(number, numbers.split(b" "))
                continue
            word = names.get(_form(word, lowercase), "")
            if word and word not in other:
                other[word] = self._numbers(number, numbers.split(b" "))
        self._require_whole(lines, number, broken, others=others)
        found = other | exact
        found = {word: found[word] for word in names if word in found and found[word].any()}
        values = np.stack(list(found.values())) if found else np.empty((0, self.dimension), dtype=np.float32)
        return Vectors(tuple(found), values, self.path.name)

    def _lines(self) -> Iterator[tuple[int, bytes, bytes]]:
        """The number, the word and the numbers of each line that is not blank."""
        with self._opened() as file:
            number = 0
            if self._count is not None:
                file.readline(_LONGEST)
                number = 1
            while line := file.readline(_LONGEST):
                number += 1
                if len(line) == _LONGEST:
                    raise self._fault(number, f"is longer than {_LONGEST:,} bytes; give a file of word vectors")
                line = _stripped(line.removeprefix(BOM_UTF8) if number == 1 else line)
                if not line:
                    continue
                # The last fields are the numbers; most words have no spaces in them, and there the first one ends it.
                name, _, numbers = line.partition(b" ")
                if (beyond := line.count(b" ") - self.dimension) > 0:
                    fields = line.split(b" ", beyond + 1)
                    name, numbers = b" ".join(fields[:-1]), fields[-1]
                # Of a line that holds too many numbers the first would pass for a part of the word.
                excess = beyond > 0 and _is_number(name.rpartition(b" ")[2])
                if beyond < 0 or excess or not _is_number(numbers.rpartition(b" ")[2]):
                    found = _numbers_behind(line.split(b" "))
                    raise self._fault(
                        number,
                        f"holds {f'{found:,}' if found else 'no'} numbers behind the word: expected "
                        f"{self.dimension:,} as before; correct or remove it",
                    )
                yield number, name, numbers

    def _numbers(self, number: int, fields: list[bytes]) -> Float32[np.ndarray, " dimension"]:
        try:
            with np.errstate(over="ignore"):
                values = np.array(fields, dtype=np.float64).astype(np.float32)
        except ValueError:
            bad = next(field for field in fields if not _is_number(field)).decode(errors="replace")
            raise self._fault(number, f"holds {bad!r} where a number was expected; correct or remove it") from None
        if not np.isfinite(values).all():
            bad = fields[int(np.flatnonzero(~np.isfinite(values))[0])].decode(errors="replace")
            raise self._fault(number, f"holds {bad}: expected finite numbers of 32 bits; correct or remove it")
        return values

    @contextmanager
    def _opened(self) -> Iterator[BufferedIOBase]:
        try:
            with self.path.open("rb") as plain:
                packed = plain.read(2) == b"\x1f\x8b"
            with unpacked(self.path) if packed else self.path.open("rb") as file:
                yield file
        except PermissionError as error:
            raise DataError(f"{self.path} cannot be read: permission denied; ask for the right to read it") from error

    def _require_text(self, head: bytes) -> None:
        if not head.strip():
            raise DataError(f"{self.path} is empty: expected a word and its numbers in each line")
        if head.startswith(UTF16):
            raise self._fault(1, f"is not UTF-8: convert it by {as_utf8(self.path, 'utf-16')}")
        if head[:4] == b"PK\x03\x04":
            raise DataError(f"{self.path} is a zip archive: unpack it, and give the file of word vectors within")
        if b"\0" in head:
            line = 1 + head[: head.index(b"\0")].count(b"\n")
            raise self._fault(line, f"is not text, as in a binary file of word2vec or fastText: {_AS_TEXT}")

    def _require_whole(self, lines: int, last: int, broken: list[int], *, others: bool) -> None:
        if self._count is not None and lines < self._count:
            raise self._fault(
                last,
                f"is the last, after {lines:,} words, where line 1 says that there are {self._count:,}: fetch the "
                "whole file, or correct line 1",
            )
        # word2vec and fastText cut some long words within a letter. Where many lines are like that, it is the file.
        if len(broken) * _BROKEN > lines:
            raise self._fault(
                broken[0],
                f"is not UTF-8 ({len(broken):,} such lines of {lines:,}): {remedy(self.path, others=others)}",
            )

    def _fault(self, line: int, words: str) -> DataError:
        return DataError(f"{self.path} line {line} {words}")


def _stripped(line: bytes) -> bytes:
    return line.rstrip(b" \t\r\n").replace(b"\t", b" ")


def _numbers_behind(fields: list[bytes]) -> int:
    """How many numbers stand behind the word."""
    count = 0
    while count < len(fields) - 1 and _is_number(fields[-1 - count]):
        count += 1
    return count


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _form(word: str, lowercase: bool) -> str:
    """A word as the tokenizer writes it."""
    if not word.isascii():
        word = unicodedata.normalize("NFKC", word)
    return word.lower() if lowercase else word

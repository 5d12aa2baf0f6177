"""Recordings from `.ts` files, the text format of the UEA and UCR archives, read by their lines.

The readers of sktime and aeon change the case of labels, and fail at files without classes, which are those that one
predicts, at byte order marks, at comments that are not UTF-8 and at padding; what is wrong they do not say by its line.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl
from jaxtyping import Float64

from sluicegate.errors import DataError

from .columns import Source
from .recordings import Recordings, first_gap, without_padding

Line: TypeAlias = tuple[int, str]  # its number, from 1, and what it says

_UNKNOWN = "?"
_COMMENTS = ("#", "%")
_OUTSIDE = re.compile(r":(?![^(]*\))")  # a colon that is no part of a time within parentheses
_PAIR = re.compile(r"\(([^(),]+),([^(),]+)\)")
_PAIRS = re.compile(rf"\s*{_PAIR.pattern}(?:\s*,\s*{_PAIR.pattern})*\s*")


class Header(NamedTuple):
    """What stands above the recordings.

    Args:
        stamped: whether each value comes with its time.
        channels: how many there are, or None where it is not said.
        steps: how many values each channel has, or None where it is not said.
        equal: whether all recordings have as many.
        labelled: whether a class stands at the end of each line.
        classes: these as they are listed, divided by spaces, which may stand within one too.
        measured: whether it is no class that stands there but a number to predict.
    """

    stamped: bool = False
    channels: int | None = None
    steps: int | None = None
    equal: bool = False
    labelled: bool = False
    classes: str = ""
    measured: bool = False


def read_ts(path: Path) -> Recordings:
    """Read the recordings, with labels as they are written; one that is `?` is missing.

    Raises:
        DataError: a line cannot be read; the message says which and what to do.
    """
    lines = _lines(path)
    header = _header(lines, path)
    values: list[Float64[np.ndarray, "_ channels"]] = []
    labels: list[str | None] = []
    for number, line in lines:
        where = f"line {number} of {path.name}"
        channels, label = _cut(line, header, where)
        part = _array(channels, header, where)
        if header.equal and header.steps not in (None, len(part)):
            raise DataError(
                f"{where} has {len(part):,} values in each channel where {header.steps:,} were expected, as the header "
                "says: complete the line, or write `@equalLength false` above the recordings"
            )
        header = header._replace(channels=part.shape[1], steps=header.steps or len(part))
        values.append(_whole(part, where))
        labels.append(label)
    if not values:
        raise DataError(f"{path.name} holds no recordings: expected a line for each below @data")
    return Recordings.of_arrays(values, labels=_column(labels, header), source=Source(path.name))


def _lines(path: Path) -> Iterator[Line]:
    """The lines that are neither blank nor a comment."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "replace").encode()
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:  # the archives' comments, mostly
            text = line.decode("latin-1").strip()
        if text and not text.startswith(_COMMENTS):
            yield number, text


def _header(lines: Iterator[Line], path: Path) -> Header:
    """What the lines down to `@data` say."""
    header, univariate = Header(), False
    for number, line in lines:
        where = f"line {number} of {path.name}"
        if not line.startswith("@"):
            raise DataError(f"{where} stands above @data and does not begin with @ or #: put it below, or remove it")
        name, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        match name.strip().lower():
            case "data":
                return header if header.channels or not univariate else header._replace(channels=1)
            case "timestamps":
                header = header._replace(stamped=_truth(rest, name, where))
            case "univariate":
                univariate = _truth(rest, name, where)
            case "dimensions" | "dimension":
                header = header._replace(channels=_count(rest, name, where))
            case "equallength":
                header = header._replace(equal=_truth(rest, name, where))
            case "serieslength":
                header = header._replace(steps=_count(rest, name, where))
            case "classlabel":
                told, _, classes = rest.partition(" ")
                if _truth(told, name, where):
                    header = header._replace(labelled=True, classes=" ".join(classes.split()))
            case "targetlabel":
                if _truth(rest, name, where):
                    header = header._replace(labelled=True, measured=True)
    raise DataError(f"{path.name} has no line @data: expected one, with a line for each recording below it")


def _truth(text: str, name: str, where: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise DataError(f"{where} says {text!r} of @{name}: expected true or false; correct it")
    return text.lower() == "true"


def _count(text: str, name: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise DataError(f"{where} says {text!r} of @{name}: expected a whole number above 0; correct it")
    return int(text)


def _cut(line: str, header: Header, where: str) -> tuple[list[str], str | None]:
    """The channels of a recording, and its class."""
    parts = _OUTSIDE.split(line) if header.stamped else line.split(":")
    label = parts.pop().strip() if header.labelled and len(parts) > 1 else None
    expected = header.channels or len(parts)
    if len(parts) != expected or (header.labelled and label is None):
        found = len(parts) + (label is not None)
        what = "a target" if header.measured else "a class"
        told = f"@{'target' if header.measured else 'class'}Label"
        raise DataError(
            f"{where} has {found} part{'s' if found > 1 else ''} divided by ':' where "
            f"{expected + header.labelled} were expected, {expected} of values and "
            f"{what if header.labelled else 'no class'}: complete the line, or correct @dimensions or {told} above"
        )
    if label == "":
        raise DataError(f"{where} ends in ':' without a label: write it, or {_UNKNOWN!r} where it is not known")
    return parts, _known(label, header, where)


def _known(label: str | None, header: Header, where: str) -> str | None:
    if label is None or (label == _UNKNOWN and label not in header.classes.split()):
        return None
    if header.measured:
        try:
            return str(float(label))
        except ValueError:
            raise DataError(
                f"{where} has the target {label!r}: expected a number; where it is a class, write `@classLabel true` "
                "above and not @targetLabel"
            ) from None
    label = " ".join(label.split())
    if header.classes and f" {label} " not in f" {header.classes} ":
        raise DataError(
            f"{where} has the class {label!r}, which is not among those of @classLabel ({header.classes}): correct one "
            "of the two"
        )
    return label


def _array(channels: list[str], header: Header, where: str) -> Float64[np.ndarray, "time channels"]:
    read = [_stamped(text, k, where) if header.stamped else (None, text.split(",")) for k, text in enumerate(channels)]
    columns = [_numbers(texts, k, where) for k, (_, texts) in enumerate(read)]
    lengths = [len(column) for column in columns]
    if min(lengths) != max(lengths):
        short = lengths.index(min(lengths))
        raise DataError(
            f"{where} has channels of {min(lengths):,} (channel {short}) to {max(lengths):,} values: expected as many "
            "in each; resample them"
        )
    for k, (times, _) in enumerate(read):
        if times != read[0][0]:
            raise DataError(f"{where} gives channel {k} other times than channel 0: resample them to the same ones")
    return np.stack(columns, axis=1)


def _numbers(texts: list[str], channel: int, where: str) -> Float64[np.ndarray, " time"]:
    try:
        return np.array([math.nan if text.strip() == _UNKNOWN else float(text) for text in texts])
    except ValueError:
        step = next(i for i, text in enumerate(texts) if text.strip() != _UNKNOWN and not _is_number(text))
        told = "; with times in parentheses write `@timeStamps true` above" if "(" in texts[step] else ""
        raise DataError(
            f"{where} holds {texts[step].strip()!r} at step {step} of channel {channel}: expected a number, or "
            f"{_UNKNOWN!r} where it is missing; correct it, or write `@classLabel true` above where it is the "
            f"class{told}"
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _stamped(text: str, channel: int, where: str) -> tuple[list[float], list[str]]:
    """The times and values of `(time,value),(time,value)`."""
    if not _PAIRS.fullmatch(text):
        raise DataError(
            f"{where}, channel {channel}, is not made of (time,value) pairs divided by commas: correct it"
            + ("" if "(" in text else ", or write `@timeStamps false` above")
        )
    pairs = _PAIR.findall(text)
    times = [_time(time, channel, where) for time, _ in pairs]
    for step, (before, after) in enumerate(pairwise(times), 1):
        if not before < after:
            raise DataError(
                f"{where}, channel {channel}, goes on from the time {pairs[step - 1][0]} to {pairs[step][0]}: expected "
                "times that ascend; sort the pairs, and remove those that are there twice"
            )
    return times, [value for _, value in pairs]


def _time(text: str, channel: int, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        try:
            stamp = datetime.fromisoformat(text.strip())
        except ValueError:
            raise DataError(
                f"{where}, channel {channel}, has the time {text.strip()!r}: expected a number or a date such "
                "as 2024-01-31 13:30:00"
            ) from None
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def _whole(part: Float64[np.ndarray, "time channels"], where: str) -> Float64[np.ndarray, "_ channels"]:
    """The recording without what pads it."""
    part = without_padding(part)
    if not len(part):
        raise DataError(f"{where} holds no values but missing ones: leave the recording out")
    gap = first_gap(part)
    if gap is not None:
        raise DataError(
            f"{where} has no finite number at step {gap.step} of channel {gap.channel} ({gap.all:,} such in all), and "
            "numbers at later steps or in other channels: fill these in, or leave the recording out"
        )
    return part


def _column(labels: list[str | None], header: Header) -> pl.Series | None:
    if not header.labelled:
        return None
    if header.measured:
        return pl.Series("targetLabel", [None if label is None else float(label) for label in labels], dtype=pl.Float64)
    return pl.Series("label", labels, dtype=pl.String)

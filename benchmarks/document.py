"""What benchmarks share: the machine, and their places in a document."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

import sluicegate
from sluicegate import _core

Section = Callable[[argparse.Namespace], Iterable[str]]
"""What measures a section: from the options that were asked for to its lines."""


def measure_sections(
    sections: Mapping[str, Section], about: str | None, *, only: Sequence[str] = (), **defaults: Any
) -> None:
    """Measure the sections that the command line asks for, print them, and put them in their places in a document.

    Args:
        sections: what measures each, by the name of its place, `group:section` or the section alone.
        about: what the script's help says.
        only: what `--only` may name, if not sections.
        defaults: of further options: a text, a number as `seeds=3`, or several as `threads=(1, 2)`.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    places = {place.rpartition(":")[2]: place for place in sections}
    parser.add_argument("--only", nargs="+", choices=only or places, default=list(only or places))
    for name, default in defaults.items():
        kind = partial(_several, type(default[0])) if isinstance(default, tuple) else type(default)
        parser.add_argument(f"--{name}", type=kind, default=default)
    parser.add_argument("--write", type=Path, help="a document whose sections of these names are replaced")
    options = parser.parse_args()
    chosen = list(sections) if only else [places[name] for name in options.only]
    for place in chosen if options.write else ():
        _around(options.write, place)  # a missing place shows before hours of measuring
    for place in chosen:
        text = "\n".join(sections[place](options))
        print(text, flush=True)
        if options.write:
            replace_section(options.write, place, text)


def on_data(title: str, measure: Callable[[Path, int], Sequence[str]]) -> Section:
    """A section under a title of what is measured from the data folder with a number of seeds."""

    def section(options: argparse.Namespace) -> Iterator[str]:
        data = Path(os.environ.get("SLUICEGATE_DATA", Path(__file__).parents[2] / "shared" / "data"))
        if not data.is_dir():
            sys.exit(f"there is no folder {data}: set SLUICEGATE_DATA to the one that holds the data")
        yield from (f"### {title}", "", *measure(data, options.seeds), "")
        yield f"Measured on {machine()}; {options.seeds} seeds."

    return section


def machine() -> str:
    """The machine and the versions, in a line."""
    cpu = _core.cpu_info()
    return (
        f"{cpu.brand} ({cpu.best_isa}), {os.cpu_count()} cores, {torch.get_num_threads()} threads; "
        f"Python {platform.python_version()}, torch {torch.__version__}, sluicegate {sluicegate.__version__}"
    )


def replace_section(document: Path, name: str, text: str) -> None:
    """Put text between the document's marks `<!-- begin name -->` and `<!-- end name -->`."""
    before, after = _around(document, name)
    document.write_text(f"{before}\n{text}\n{after}")


def _several(kind: type, text: str) -> tuple[Any, ...]:
    """Such as 1,2."""
    return tuple(map(kind, text.split(",")))


def _around(document: Path, name: str) -> tuple[str, str]:
    """What stands before and behind a place, its marks included."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    head, _, rest = document.read_text().partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        sys.exit(f"{document} has no place for the section {name}: add the lines {begin} and {end}")
    return head + begin, end + tail

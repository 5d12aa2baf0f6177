"""What benchmarks share: the machine, and their places in a document."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import torch

import sluicegate
from sluicegate import _core

Sections = dict[str, tuple[str, Callable[[Path, int], list[str]]]]


def measure_sections(about: str | None, group: str, sections: Sections) -> None:
    """Measure the sections that the command line asks for, print them, and put them in their place in a document.

    Args:
        about: what the script's help says.
        group: what the sections belong to; their places are named `group:section`.
        sections: the title of each, and what measures it from the data folder and the number of seeds.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=sections, default=list(sections))
    parser.add_argument("--write", type=Path, help="a document whose sections of these names are replaced")
    options = parser.parse_args()
    data = Path(os.environ.get("SLUICEGATE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not data.is_dir():
        sys.exit(f"there is no folder {data}: set SLUICEGATE_DATA to the one that holds the data")
    for name in options.only if options.write else ():
        _around(options.write, f"{group}:{name}")  # a missing place shows before hours of measuring
    for name in options.only:
        title, measure = sections[name]
        measured = measure(data, options.seeds)
        text = "\n".join([f"### {title}", "", *measured, "", f"Measured on {machine()}; {options.seeds} seeds."])
        print(text, flush=True)
        if options.write:
            replace_section(options.write, f"{group}:{name}", text)


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


def _around(document: Path, name: str) -> tuple[str, str]:
    """What stands before and behind a place, its marks included."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    head, _, rest = document.read_text().partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        sys.exit(f"{document} has no place for the section {name}: add the lines {begin} and {end}")
    return head + begin, end + tail

"""What an experiment found, and how it becomes part of a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sluicegate.tasks.report.drawing import Picture

Verdict: TypeAlias = Literal["holds", "holds in part", "does not hold"]


@dataclass(frozen=True)
class Finding:
    """What an experiment found about something that is said.

    Args:
        name: of the experiment, in a word, for the names of files.
        title: in a few words.
        said: the sentence that is said.
        experiment: what was done, so that it could be done again.
        table: rows of cells, the first of them the names of the columns.
        verdict: whether what is said holds.
        outcome: why, in a sentence computed from the numbers.
        pictures: drawings of the numbers.
    """

    name: str
    title: str
    said: str
    experiment: str
    table: list[list[str]]
    verdict: Verdict
    outcome: str
    pictures: tuple[Picture, ...] = ()

    def lines(self, images: str) -> Iterator[str]:
        """The finding in Markdown, with the pictures in a folder `images`."""
        yield from [f"## {self.title}", "", f"> {self.said}", "", f"**It {self.verdict}.** {self.outcome}", ""]
        for number, picture in enumerate(self.pictures):
            label = picture.title.replace("[", "(").replace("]", ")")
            yield from [f"![{label}]({images}/{self.file(number)})", "", f"*{picture.caption}*", ""]
        head, *rows = self.table
        yield f"| {' | '.join(head)} |"
        yield f"|{' --- |' * len(head)}"
        yield from (f"| {' | '.join(row)} |" for row in rows)
        yield from ["", self.experiment, ""]

    def file(self, number: int) -> str:
        """The file name of a picture."""
        return f"{self.name}.svg" if number == 0 else f"{self.name}-{number + 1}.svg"


def judged(*held: bool) -> Verdict:
    """Whether all parts of what is said hold, some, or none.

    Example:
        >>> judged(True, True), judged(True, False), judged(False)
        ('holds', 'holds in part', 'does not hold')
    """
    if all(held):
        return "holds"
    return "holds in part" if any(held) else "does not hold"


def listed(names: list[str]) -> str:
    """Names as a sentence has them.

    Example:
        >>> listed([]), listed(["a"]), listed(["a", "b", "c"])
        ('none', 'a', 'a, b and c')
    """
    if len(names) < 2:
        return names[0] if names else "none"
    return f"{', '.join(names[:-1])} and {names[-1]}"

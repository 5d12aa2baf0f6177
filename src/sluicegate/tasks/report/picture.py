"""A picture of a report and its colours, apart from matplotlib, which takes half a second to load."""

from __future__ import annotations

from dataclasses import dataclass

# The palette of Okabe & Ito (2008), which the colour-blind can tell apart, each with its shade for a dark page.
BLUE, ORANGE, GREEN, PURPLE, AMBER = "#0072b2", "#d55e00", "#009e73", "#a8588a", "#e69f00"
INK, FAINT = "#1f2328", "#c9ced4"
DARK = {
    BLUE: "#56b4e9",
    ORANGE: "#f0883e",
    GREEN: "#2ec496",
    PURPLE: "#d99ac0",
    AMBER: "#f5c451",
    INK: "#e6e8eb",
    FAINT: "#454c55",
}


@dataclass(frozen=True)
class Picture:
    """A picture of a report.

    Args:
        title: what it shows, in a few words.
        caption: how to read it, in a sentence.
        svg: the drawing, on no ground.
    """

    title: str
    caption: str
    svg: str

    def on_white(self) -> str:
        """The drawing on a white ground, for use outside a report's page."""
        end = self.svg.index(">") + 1
        return f'{self.svg[:end]}\n<rect width="100%" height="100%" fill="#ffffff"/>{self.svg[end:]}'

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.on_white()

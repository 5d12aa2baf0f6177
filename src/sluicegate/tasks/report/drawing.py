"""Drawings as small, clean SVG that a page can hold without scripts, styles or references to elsewhere.

Matplotlib draws; what it writes is then tidied: styles become plain attributes, so that the strictest content
security policy lets them through and a page can recolour them for the dark; what only editors read is taken out.
Neither pyplot nor the user's settings of matplotlib take part, so that the same figures give the same bytes.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from .figures import plain
from .picture import AMBER as AMBER
from .picture import BLUE as BLUE
from .picture import FAINT as FAINT
from .picture import GREEN as GREEN
from .picture import INK as INK
from .picture import ORANGE as ORANGE
from .picture import PURPLE as PURPLE
from .picture import Picture as Picture

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "text.parse_math": False,  # a column may be called "$price$"
    "text.color": INK,
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.use_locale": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.2,
    "legend.borderaxespad": 0,
    "path.simplify_threshold": 0.3,
}
_SIZE = (5.6, 3.1)  # inches of 72 points: two side by side on a desk's screen, one as wide as a phone's


@contextmanager
def drawn(title: str, caption: str, size: tuple[float, float] = _SIZE) -> Iterator[tuple[Figure, list[Picture]]]:
    """A blank figure to draw on within the block, and a list that then holds the picture.

    Args:
        title: what it shows.
        caption: how to read it.
        size: width and height in inches of 72 points.
    """
    made: list[Picture] = []
    with matplotlib.rc_context(), warnings.catch_warnings():
        # The browser has the letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_SETTINGS, "svg.hashsalt": title})
        figure = Figure(figsize=size, layout="constrained")
        yield figure, made
        for artist in figure.findobj():
            artist.set_clip_on(False)  # all axes hold all of their data, and a clip is a reference
        text = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    title, caption = plain(title), plain(caption)
    made.append(Picture(title, caption, _tidied(text.getvalue(), f"{title}. {caption}")))


def _tidied(svg: str, label: str) -> str:
    """Only the drawing, with styles as attributes and coordinates to a hundredth of a point."""
    svg = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", " ", svg[svg.index("<svg") :])  # no XML
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<[^>]*>", _tidied_tag, svg)
    # Groups only carry names for editors; without their attributes they say nothing.
    svg = re.sub(r"</?g>", "", svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg).strip() + "\n"
    width, height = re.findall(r'viewBox="0 0 (\S+) (\S+)"', svg)[0]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{html.escape(label)}" font-family="DejaVu Sans, Verdana, Arial, sans-serif" '
        'stroke-linejoin="round">'
    )
    return head + svg[svg.index(">") + 1 :]


def _tidied_tag(match: re.Match[str]) -> str:
    tag = match[0]
    tag = re.sub(r' style="([^"]*)"', lambda style: "".join(_attributes(style[1])), tag)
    tag = tag.replace("xlink:href", "href")
    if tag.startswith("<g "):
        tag = re.sub(r' id="[^"]*"', "", tag)
    if tag.startswith("<text"):
        return re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    if tag.startswith("<path"):
        tag = re.sub(r"\s+", " ", tag)
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag)


def _attributes(style: str) -> Iterator[str]:
    for part in style.split(";"):
        name, _, value = part.partition(":")
        if name.strip() not in ("", "font-family"):
            yield f' {name.strip()}="{value.strip()}"'

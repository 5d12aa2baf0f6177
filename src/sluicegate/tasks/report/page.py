"""A report as one page: all in one file, no script, readable on a phone, in the light and in the dark."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from .content import FOOTNOTE, Clip, Content, Passage
from .figures import plain, words
from .picture import BLUE, DARK, FAINT, INK, ORANGE, Picture

_STRENGTHS = 4  # shades in which a part's share in a decision is drawn


def _shades() -> str:
    """The lines under the parts of a passage: the stronger the share, the less they let the ground through."""
    sides = (("for", BLUE), ("against", ORANGE))
    return "\n".join(
        f"mark.{side}{strength} {{ border-color: {colour}{round(255 * strength / _STRENGTHS):02x}; }}"
        for side, colour in sides
        for strength in range(1, _STRENGTHS + 1)
    )


_LAYOUT = f"""
:root {{ color-scheme: light dark; --ink: {INK}; --quiet: #57606a; --line: {FAINT};
  --ground: #ffffff; --good: #00694d; }}
body {{ margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
main {{ max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1rem; font-weight: 600; color: var(--quiet); margin: 0 0 .5rem; }}
h2 {{ font-size: 1.15rem; margin: 2.5rem 0 .75rem; }}
h3 {{ font-size: .875rem; font-weight: 600; margin: 0; }}
.verdict {{ font-size: 1.4rem; line-height: 1.35; font-weight: 600; margin: 0 0 1.5rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }}
th, td {{ padding: .4rem .8rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }}
thead th {{ vertical-align: bottom; color: var(--quiet); font-weight: 500; white-space: normal; }}
tbody th {{ text-align: left; font-weight: 500; padding-left: 0;
  position: sticky; left: 0; background: var(--ground); }}
td.best {{ font-weight: 700; color: var(--good); }}
.quiet, figcaption span {{ color: var(--quiet); font-size: .875rem; }}
.pictures {{ display: grid; gap: 2rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }}
figure {{ margin: 0; display: flex; flex-direction: column; justify-content: space-between; max-width: 34rem; }}
figcaption {{ margin-bottom: .4rem; }}
figcaption strong {{ display: block; font-weight: 600; }}
svg {{ width: 100%; height: auto; }}
svg text {{ font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; }}
dt {{ color: var(--quiet); }}
dd {{ margin: 0; }}
.passage {{ margin: 0 0 1rem; max-width: 46rem; }}
.passage strong {{ display: block; font-weight: 600; font-size: .875rem; }}
.clip {{ margin: 0 0 2rem; max-width: 46rem; }}
.clip .passage {{ margin: 0 0 .4rem; }}
.clip figure {{ max-width: none; }}
audio {{ display: block; width: 100%; max-width: 24rem; height: 2.25rem; margin: .4rem 0; }}
mark {{ color: inherit; background: none; border-bottom: .14em solid; border-radius: .1em; padding: 0 .06em; }}
{_shades()}
@media (max-width: 36rem) {{
  .verdict {{ font-size: 1.2rem; }}
  dl {{ display: block; }}
  dd {{ margin: 0 0 .6rem; }}
}}
"""


def _dark() -> str:
    """The page and the drawings in the dark: each colour has its other shade.

    What `<use>` repeats has no ancestors that a selector could name, so that these name the colours alone.
    """
    shades = [
        f'[{attribute}="{light}"] {{ {attribute}: {dark}; }}'
        for light, dark in DARK.items()
        for attribute in ("fill", "stroke")
    ]
    variables = f"--ink: {DARK[INK]}; --quiet: #9aa4af; --line: {DARK[FAINT]}; --ground: #14171a; --good: #4fd1a5;"
    return "@media (prefers-color-scheme: dark) {\n:root { " + variables + " }\n" + "\n".join(shades) + "\n}\n"


_STYLE = _LAYOUT + _dark()


def page(report: Content) -> str:
    """The report as a page."""
    # Nothing is loaded or run, whatever a text that came with the data may say; the one style is known by its hash.
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    # Recordings and their pictures are in the page itself.
    held = " media-src data:; img-src data:;" if report.clips else ""
    policy = f"default-src 'none'; style-src 'sha256-{digest}';{held} base-uri 'none'; form-action 'none'"
    title = _text(report.title)
    body = "\n".join(_body(report, title))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def notebook_cell(report: Content) -> str:
    """The verdict and the table, for a notebook."""
    notes = "".join(f"<br>{_text(note)}" for note in report.notes)
    return (
        f"<div><p><strong>{_text(report.verdict)}</strong></p>\n{_table(report)}\n<p>{_legend(report)}{notes}</p></div>"
    )


def _body(report: Content, title: str) -> Iterator[str]:
    yield f"<h1>{title}</h1>"
    yield f'<p class="verdict">{_text(report.verdict)}</p>'
    yield f'<div class="wide" tabindex="0" role="region" aria-label="Figures">{_table(report)}</div>'
    yield f'<p class="quiet">{_legend(report)}</p>'
    if pictures := report.draw():
        yield '<h2>Pictures</h2>\n<div class="pictures">'
        yield from (_figure(picture) for picture in pictures)
        yield "</div>"
    if report.passages:
        yield f"<h2>{_text(report.passages_title)}</h2>"
        if report.passages_legend:
            yield f'<p class="quiet">{_text(report.passages_legend)}</p>'
        yield from (_passage(passage) for passage in report.passages)
    if report.clips:
        yield f"<h2>{_text(report.clips_title)}</h2>"
        if report.clips_legend:
            yield f'<p class="quiet">{_text(report.clips_legend)}</p>'
        yield from (_clip(clip) for clip in report.clips)
    yield "<h2>How it was measured</h2>"
    if report.notes:
        yield "<ul>" + "".join(f"<li>{_text(note)}</li>" for note in report.notes) + "</ul>"
    yield _list(report.facts)
    if report.measures:
        yield "<h2>What the figures mean</h2>"
        yield _list({words(m.name): m.meaning for m in report.measures if m.name in report.metrics})


def _table(report: Content) -> str:
    heads = "".join(f'<th scope="col">{_text(words(metric))}</th>' for metric in report.metrics)
    rows = []
    for name, row in report.cells().items():
        cells = []
        for text, best, noted in row.values():
            text += f"<sup>{FOOTNOTE}</sup>" if noted else ""
            cells.append(f'<td class="best"><strong>{text}</strong></td>' if best else f"<td>{text}</td>")
        rows.append(f'<tr><th scope="row">{_text(words(name))}</th>{"".join(cells)}</tr>')
    return f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"


def _legend(report: Content) -> str:
    sentences = [f"{FOOTNOTE} {_text(word)}" for word, _ in report.footnotes().values()]
    if any(report.best().values()):
        others = [f"{_text(words(m))} nearest to {report.ideal(m):g}" for m in report.metrics if report.ideal(m) != 0]
        best = "Bold: the best of its column" + (", which is the smallest" if len(others) < len(report.metrics) else "")
        sentences.insert(0, best + "".join(f"; {other}" for other in others) + ".")
    return "<br>".join(sentences)


def _figure(picture: Picture) -> str:
    caption = f"<figcaption><strong>{_text(picture.title)}</strong><span>{_text(picture.caption)}</span></figcaption>"
    return f"<figure>{caption}\n{_drawing(picture)}</figure>"


def _drawing(picture: Picture) -> str:
    return picture.svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)  # a page knows what <svg> is


def _passage(passage: Passage) -> str:
    largest = max((abs(share) for _, share in passage.parts), default=0.0)
    parts = []
    for text, share in passage.parts:
        strength = round(_STRENGTHS * abs(share) / largest) if largest > 0 else 0
        side = "for" if share > 0 else "against"
        parts.append(f'<mark class="{side}{strength}">{_text(text)}</mark>' if strength else _text(text))
    return f'<p class="passage"><strong>{_text(passage.heading)}</strong>{"".join(parts)}</p>'


def _clip(clip: Clip) -> str:
    sound = base64.b64encode(clip.sound).decode()
    player = f'<audio controls preload="none" src="data:audio/mpeg;base64,{sound}"></audio>'
    passages = "\n".join(_passage(passage) for passage in clip.passages)
    picture = f"<figure>\n{_drawing(clip.picture)}</figure>" if clip.picture else ""
    return f'<section class="clip"><h3>{_text(clip.heading)}</h3>\n{player}\n{passages}\n{picture}</section>'


def _list(facts: dict[str, str]) -> str:
    entries = "".join(f"<dt>{_text(name)}</dt><dd>{_text(fact)}</dd>\n" for name, fact in facts.items())
    return f"<dl>{entries}</dl>" if entries else ""


def _text(text: str) -> str:
    return escape(plain(text))

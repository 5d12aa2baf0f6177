"""A report says the same in every form, and whatever a table brings is only text there."""

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib
import pytest
from rich.console import Console

from sluicegate.errors import BundleError
from sluicegate.tasks.report import Clip, Measure, Picture, Report
from sluicegate.tasks.report.bars import grouped_bars
from sluicegate.tasks.report.content import Passage
from sluicegate.tasks.report.drawing import drawn
from sluicegate.tasks.report.figures import best_of, figure
from sluicegate.tasks.report.picture import DARK, INK
from sluicegate.tasks.results import Results, card

NASTY = '<b>a</b> & "b" \'c\' $x$ [red]y[/red] :smile: \x1b[31m style="fill: red"'
MEASURES = (
    Measure("mae", "mean absolute error"),
    Measure("coverage_80", "share of values within the interval", ideal=0.8),
    Measure("accuracy", "share that is right", ideal=1.0),
)


def report(**changes):
    base = Report(
        title="Forecast of sales",
        metrics={"mae": 2.98123, "coverage_80": 0.76, "mse_scaled": math.nan},
        baselines={
            "seasonal_naive": {"mae": 3.17, "coverage_80": 0.83, "mse_scaled": 12345.6},
            "AutoETS": {"mae": 2.5, "coverage_80": 0.9, "mse_scaled": 0.00012345},
        },
        verdict="Use AutoETS: it is better.",
        facts={"windows": "5,570"},
        notes=("3 values had been filled in.",),
        measures=MEASURES,
    )
    return replace(base, **changes)


def picture(title="A line", label="y"):
    with drawn(title, "How to read it") as (figure, made):
        axes = figure.add_subplot()
        axes.plot([0, 1, 2], [1, 3, 2], marker="o", color=INK, label=label)
        axes.set_ylabel(label)
        figure.legend(loc="outside upper left")
    return made[0]


class Cells(HTMLParser):
    """The rows of the page's table; every tag and every attribute."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self.attributes, self._cell = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if self._cell:
            self.rows[-1][-1] += data


# Figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1.000"),
        (9.99996, "10.00"),
        (999.96, "1,000"),
        (-2.98123, "-2.981"),
        (0.00012345, "0.0001234"),
        (12345.6, "12,350"),
        (123456789.0, "123,500,000"),
        (1.5e12, "1.5e+12"),
        (2.5e-9, "2.5e-09"),
        (math.nan, "n/a"),
        (math.inf, "n/a"),
    ],
)
def test_four_significant_digits(value, text):
    assert figure(value) == text


@pytest.mark.parametrize("value", [0.7999, 8.0001, 3.14159e-4, 77777.7, 1e6 + 500, 0.099996])
def test_figures_are_within_half_of_the_fourth_digit(value):
    assert float(figure(value).replace(",", "")) == pytest.approx(value, rel=5.001e-4)


@pytest.mark.parametrize(
    ("column", "ideal", "marked"),
    [
        ([2.0, 1.0, 3.0], 0.0, [1]),
        ([0.7, 0.95, 0.5], 0.8, [0]),
        ([0.95, 0.81, 0.8001], 0.8, [2]),
        ([0.25, 0.75], 0.5, [0, 1]),
        ([0.6, 0.9], 1.0, [1]),
        ([math.nan, 2.0, 3.0], 0.0, [1]),
        ([math.nan, 2.0], 0.0, []),  # nothing to compare
        ([math.nan, math.nan], 0.0, []),
        ([2.0], 0.0, []),
        ([1.00001, 1.00002, 2.0], 0.0, [0, 1]),  # they read alike
        ([-3.0, 1.0], 0.0, [1]),
    ],
)
def test_the_best_of_a_column(column, ideal, marked):
    assert [i for i, mark in enumerate(best_of(column, ideal)) if mark] == marked


def test_best_follows_each_metrics_ideal():
    assert report().best() == {"mae": ["AutoETS"], "coverage_80": ["seasonal_naive"], "mse_scaled": ["AutoETS"]}


# The terminal


def test_the_text():
    assert str(report()).splitlines() == [
        "Forecast of sales",
        "                      coverage        mse",
        "                 mae        80     scaled",
        "model          2.981    0.7600        n/a",
        "seasonal naive 3.170    0.8300*    12,350",
        "AutoETS        2.500*   0.9000  0.0001234*",
        "* the best figure of its column; of coverage 80, the nearest to 0.8",
        "",
        "Use AutoETS: it is better.",
        "",
        " windows  5,570",
        "",
        " 3 values had been filled in.",
    ]


def test_the_text_is_the_same_on_any_terminal(monkeypatch):
    plain = str(report())
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "30", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    assert str(report()) == plain


@pytest.mark.parametrize("width", [40, 60, 80])
def test_many_metrics_are_set_below_one_another(width):
    metrics = {f"a_long_name_{i}": 12345.678 + i for i in range(12)}
    console = Console(width=width, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(report(metrics=metrics, baselines={"seasonal_naive": metrics}, measures=()))
    text = capture.get()
    assert max(map(len, text.splitlines())) <= width
    for value in metrics.values():
        assert text.count(figure(value)) >= 2
    assert "…" not in text


def test_the_usual_metrics_fit_side_by_side():
    metrics = {"mae": 16.64, "rmse": 45.72, "smape": 8.402, "mase": 0.8146, "wql": 0.05925, "coverage_80": 0.6598}
    metrics |= {"mse_scaled": 0.2520, "mae_scaled": 0.3941}
    text = str(report(metrics=metrics, baselines={"seasonal_naive": metrics}, facts={}, notes=()))
    assert sum(line.startswith("model") for line in text.splitlines()) == 1
    assert max(map(len, text.splitlines())) <= 80


def test_tables_below_one_another_are_even():
    metrics = dict.fromkeys(("aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff", "gggg", "hhhh"), 1.0)
    console = Console(width=66, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(report(metrics=metrics, baselines={"seasonal_naive": metrics}))
    heads = [line.split() for line in capture.get().splitlines() if line.startswith("    ")]
    assert [len(head) for head in heads] == [4, 4]


def test_colours_mark_the_best():
    console = Console(width=80, force_terminal=True, color_system="standard", legacy_windows=False, no_color=False)
    with console.capture() as capture:
        console.print(report())
    assert re.search(r"\x1b\[1;32m2\.500\x1b\[0m\x1b\[1;32m\*", capture.get())


def test_a_users_text_cannot_steer_the_terminal():
    text = str(report(title=NASTY, verdict=NASTY, notes=(NASTY,), facts={NASTY: NASTY}))
    assert "\x1b" not in text
    assert "[red]y[/red]" in text
    assert ":smile:" in text


def test_without_baselines_nothing_is_marked():
    assert "*" not in str(report(baselines={}))
    assert "Bold" not in report(baselines={}).to_html()


# The page and the notebook


def test_the_page_shows_the_metrics():
    cells = Cells(report().to_html())
    head, *rows = [row for row in cells.rows if row]
    assert head[1:] == ["mae", "coverage 80", "mse scaled"]
    expected = report().rows
    assert [row[0] for row in rows] == [name.replace("_", " ") for name in expected]
    assert [row[1:] for row in rows] == [[figure(v) for v in metrics.values()] for metrics in expected.values()]


def test_the_page_marks_the_best():
    marked = re.findall(r'<td class="best"><strong>(.*?)</strong>', report().to_html())
    assert marked == ["0.8300", "2.500", "0.0001234"]


def test_the_page_begins_with_the_verdict_and_ends_with_what_the_figures_mean():
    page = report(draw=lambda: [picture()]).to_html()
    body = page[page.index("<body>") :]
    order = ["Use AutoETS: it is better.", "<table>", "<svg", "3 values had", "5,570", "mean absolute error"]
    assert sorted(order, key=body.index) == order
    assert "share that is right" not in body  # of a metric that is not there


def test_the_page_is_self_contained():
    page = report(title=NASTY, draw=lambda: [picture(label=NASTY)]).to_html()
    assert not re.search(r"https?:|url\(|@import|//", page)
    cells = Cells(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "b"} & set(cells.tags)
    names = {name for name, _ in cells.attributes}
    assert not {"src", "srcset", "style", "action", "xlink:href"} & names
    assert not [name for name in names if name.startswith("on")]
    assert all(value.startswith("#") for name, value in cells.attributes if name == "href")


def test_the_policy_admits_the_pages_style_and_nothing_else():
    page = report().to_html()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy


def test_clips_are_held_by_the_page_and_the_policy_admits_them():
    clip = Clip(NASTY, b"sound", (Passage("written", (("yes", 1.0),)),), picture("Spectrogram"))
    page = report(clips=(clip,), clips_title="The worst").to_html()
    cells = Cells(page)
    sources = [value for name, value in cells.attributes if name == "src"]
    assert sources == [f"data:audio/mpeg;base64,{base64.b64encode(b'sound').decode()}"]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "media-src data:;" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:|url\(|@import|://", page)
    assert page.index("The worst") < page.index('aria-label="Spectrogram') < page.index("How it was measured")
    assert '<mark class="for4">yes</mark>' in page
    assert "<b>" not in page
    assert "media-src" not in report().to_html()


def test_bars_of_each_method_are_as_high_as_its_figures():
    drawing = ElementTree.fromstring(
        grouped_bars("T", "C", ["a", "b"], {"model": [1.0, 2.0], "median": [3.0, 4.0]}, "mae").svg
    )
    heights = []
    for path in drawing.iter("{http://www.w3.org/2000/svg}path"):
        if path.get("fill") in ("#0072b2", "#d55e00"):
            ys = [float(y) for y in re.findall(r"[ML] ?-?[\d.]+ (-?[\d.]+)", path.get("d"))]
            heights.append(max(ys) - min(ys))
    bars = sorted(height for height in heights if height > 20)
    assert [round(bar / bars[0]) for bar in bars] == [1, 2, 3, 4]


@pytest.mark.parametrize("form", [Report.to_html, Report._repr_html_])
def test_a_users_text_is_escaped(form):
    nasty = report(title=NASTY, verdict=NASTY, notes=(NASTY,), facts={NASTY: NASTY}, baselines={NASTY: {"mae": 1.0}})
    text = form(nasty)
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "<b>a</b> & \"b\" 'c'" in unescape(text)


def test_a_row_that_lacks_a_metric_has_no_figure():
    rows = Cells(report(baselines={"median": {"mae": 1.0}}).to_html()).rows
    assert ["median", "1.000", "n/a", "n/a"] in rows


def test_the_notebooks_cell_shows_the_metrics_and_draws_nothing():
    def draw():
        raise AssertionError("drawn too early")

    lazy = report(draw=draw)
    cell = lazy._repr_html_()
    assert "2.981" in cell
    assert "Use AutoETS" in cell
    assert "<script" not in cell
    str(lazy)
    lazy.to_json()
    with pytest.raises(AssertionError, match="too early"):
        lazy.to_html()


def test_the_page_is_written_whole(tmp_path):
    path = tmp_path / "new" / "report.html"
    text = report(title="Größe").to_html(path)
    assert path.read_text(encoding="utf-8") == text
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    (tmp_path / "file").touch()
    with pytest.raises(BundleError, match="cannot save"):
        report().to_html(tmp_path / "file" / "report.html")


# Footnotes


def test_a_mae_above_the_rmse_is_explained_at_the_figure():
    beyond = "they judge the median and the mean"
    measures = (Measure("mae", "mean absolute error", most="rmse", beyond=beyond), Measure("rmse", "root"))
    figures = {"model": {"mae": 2.0, "rmse": 1.5}, "other": {"mae": 2.5, "rmse": 3.0}}
    made = report(metrics=figures["model"], baselines={"other": figures["other"]}, measures=measures)
    text = str(made)
    assert "2.000*†" in text
    assert "2.500†" not in text
    assert f"† {beyond}" in text
    page = made.to_html()
    assert page.count("<sup>†</sup>") == 1
    assert "2.000<sup>†</sup>" in page
    assert f"† {beyond}" in made._repr_html_()
    again = Report.from_dict(json.loads(made.to_json()), measures)
    assert "2.000*†" in str(again)
    told = card("t", "p", Results(made), data=[], settings={}, measures=measures, limits=[], use="")
    assert "2.000†" in told
    assert f"† {beyond}" in told
    plain = report(metrics=figures["other"], baselines={}, measures=measures)
    assert "†" not in str(plain) + plain.to_html()


# JSON


def test_json_there_and_back():
    text = report().to_json()
    content = json.loads(text)
    assert content == report().as_dict()
    assert content["metrics"]["mse_scaled"] is None
    back = Report.from_dict(content, MEASURES)
    assert math.isnan(back.metrics.pop("mse_scaled"))
    original = report()
    original.metrics.pop("mse_scaled")
    assert back == original
    assert str(Report.from_dict(content, MEASURES)) == str(report())


# Drawings


def test_a_drawing_is_xml_and_the_same_each_time():
    first, again = picture(label=NASTY), picture(label=NASTY)
    assert first == again
    root = ElementTree.fromstring(first.svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(NASTY.replace("\x1b", " ")) == 2
    assert root.get("role") == "img"
    assert root.get("aria-label") == "A line. How to read it"


def test_a_drawing_has_no_styles_and_only_references_within_itself():
    svg = picture().svg
    assert "style" not in svg
    assert svg.count("http") == 1  # the name of the language
    references = re.findall(r'href="#([^"]*)"', svg)
    assert references
    assert set(references) <= set(re.findall(r' id="([^"]*)"', svg))


def test_drawings_of_a_page_share_no_ids():
    ids = [set(re.findall(r' id="([^"]*)"', picture(title).svg)) for title in ("One", "Two")]
    assert not ids[0] & ids[1]


def test_every_colour_has_a_shade_for_the_dark():
    page = report(draw=lambda: [picture()]).to_html()
    used = set(re.findall(r'(?:fill|stroke)="(#\w+)"', page[page.index("<body>") :]))
    assert used
    assert used <= set(DARK)
    for colour in used:
        assert f'[stroke="{colour}"] {{ stroke: {DARK[colour]}; }}' in page


def test_a_drawing_ignores_and_leaves_the_users_settings():
    expected = picture()
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path"}):
        assert picture() == expected
        assert matplotlib.rcParams["font.size"] == 30


def test_a_drawing_on_white_is_still_xml():
    svg = Picture("t", "c", picture().svg).on_white()
    root = ElementTree.fromstring(svg)
    assert root[0].get("fill") == "#ffffff"

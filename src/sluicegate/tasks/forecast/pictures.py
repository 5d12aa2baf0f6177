"""The pictures of a forecast's report, drawn from its `details`."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.drawing import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, drawn
from sluicegate.tasks.report.figures import figure, plain, words

_MODEL: dict[str, Any] = {"color": BLUE, "linewidth": 1.8}
# Of the simple methods that are drawn, in the order of their errors.
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": ORANGE, "linewidth": 1.1},
    {"color": GREEN, "linewidth": 1.3, "linestyle": (0, (5, 2))},
    {"color": PURPLE, "linewidth": 1.3, "linestyle": (0, (1.5, 1.5))},
)
_MARKERS = ("D", "s", "^")
_BARS = 20  # series up to which each has its bar; of more, the curve of all and the worst are drawn
_WORST = 10
_POINTS = 400  # a drawing is about so many pixels wide


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give."""
    pictures = [_example(example, details["best"], details["axis"]) for example in details["examples"]]
    by_step, by_series = (
        {name: details[of][name] for name in details["shown"]} for of in ("mae_by_step", "mae_by_series")
    )
    if len(by_step["model"]) > 1:
        pictures.append(_by_step(by_step, details["axis"]))
    pictures += _by_series(by_series, details["scale_by_series"], details["examples"][0]["target"], details["axis"])
    if details["curve"]["steps"]:
        pictures.append(_learning_curve(details["curve"]))
    return pictures


def _example(example: dict[str, Any], best: str, axis: dict[str, Any]) -> Picture:
    before = example["before"]
    times = np.array(example["time"])
    if not axis["whole_numbers"]:
        times = times.astype("datetime64[us]")
    ahead = times[before:]
    truth = np.array(example["truth"], dtype=np.float64)
    low, median, high, simple = (np.array(example[name]) for name in ("low", "median", "high", "simple"))
    label = _label(f"{example['series']} {example['target']}".strip(), example["target"], axis)
    title = f"{_short(label, 60)} from {example['time'][before]} on"
    with drawn(title, _caption_of(example, truth[before:], median, simple, words(best))) as (picture, made):
        axes = picture.add_subplot()
        style: dict[str, Any] = {"marker": "o", "markersize": 4} if len(ahead) == 1 else {}
        axes.plot(times, truth, color=INK, linewidth=1.1, label="truth", zorder=3)
        if style:
            axes.vlines(ahead, low, high, color=BLUE, alpha=0.35, linewidth=5, label="80 % interval")
        else:
            axes.fill_between(*_thinned(ahead, low, high), color=BLUE, alpha=0.22, linewidth=0, label="80 % interval")
        axes.plot(ahead, median, label="median forecast", zorder=4, **_MODEL, **style)
        axes.plot(ahead, simple, label=words(best), zorder=2, **{**_STYLES[0], "linewidth": 0.8}, **style)
        axes.axvline(ahead[0], color=FAINT, linewidth=1, zorder=1)
        axes.set_ylabel(_short(example["target"]))
        _number_axes(axes)
        if axis["whole_numbers"]:
            axes.set_xlabel(_short(axis["time"]))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        else:
            dates = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(dates)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(dates))  # type: ignore[no-untyped-call]
        _legend(picture)
    return made[0]


def _caption_of(
    example: dict[str, Any],
    truth: Float64[np.ndarray, " horizon"],
    median: Float64[np.ndarray, " horizon"],
    simple: Float64[np.ndarray, " horizon"],
    best: str,
) -> str:
    known = np.isfinite(truth)
    if not known.any():
        return "All values of this window had been filled in."
    errors = [figure(float(np.abs(forecast - truth)[known].mean())) for forecast in (median, simple)]
    caption = f"Mean absolute error {errors[0]}, {best} {errors[1]}."
    rank, of = example["rank"], example["of"]
    if of == 1:
        return caption
    place = {1: "best", of: "worst"}.get(rank, f"number {rank:,} from the best")
    return f"{caption} By MASE, of {of:,} series this is the {place}."


def _by_step(errors: dict[str, list[float]], axis: dict[str, Any]) -> Picture:
    step = "" if axis["whole_numbers"] else f", {axis['step']} each"
    caption = "Mean absolute error of all windows, by how far ahead the step is: lower is better."
    if axis["same_phase"]:
        caption += " All windows begin at the same time of the season, which shows here."
    with drawn("Error by step ahead", caption) as (picture, made):
        axes = picture.add_subplot()
        for (name, values), style in zip(errors.items(), (_MODEL, *_STYLES), strict=False):
            axes.plot(np.arange(1, len(values) + 1), values, label=words(name), **style)
        axes.set_xlabel(f"steps ahead{step}")
        axes.set_ylabel("mean absolute error")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        _number_axes(axes)
        _legend(picture)
    return made[0]


def _by_series(
    errors: dict[str, dict[str, float]], scale: dict[str, float], target: str, axis: dict[str, Any]
) -> list[Picture]:
    """Errors in units of each series' own changes, so that large series do not hide the others."""
    names = list(errors["model"])
    divisor = np.array([scale[name] or np.nan for name in names])
    scaled = {method: np.array([row[name] for name in names]) / divisor for method, row in errors.items()}
    measured = np.isfinite(list(errors["model"].values()))
    known = np.isfinite(scaled["model"])
    if known.sum() < 2:
        return []
    left_out = int((measured & ~known).sum())
    caption = "Absolute error over the series' own mean change in a season (MASE): lower is better."
    if left_out:
        caption += f" {left_out} series that never changed have none."
    names = [_label(name, target, axis) for name in names]
    worst_first = np.argsort(-np.where(known, scaled["model"], -np.inf), kind="stable")[: int(known.sum())]
    if len(worst_first) <= _BARS:
        return [_bars("Error by series", caption, names, scaled, worst_first)]
    title = f"The {_WORST} worst of {len(worst_first):,} series"
    return [
        _spread(caption, {name: np.sort(values[known]) for name, values in scaled.items()}),
        _bars(title, "Their MASE, where the model does worst.", names, scaled, worst_first[:_WORST]),
    ]


def _bars(
    title: str, caption: str, names: list[str], values: dict[str, Float64[np.ndarray, " rows"]], rows: Any
) -> Picture:
    count = len(rows)
    with drawn(title, caption, (5.6, max(3.1, 0.9 + 0.22 * count))) as (picture, made):
        axes = picture.add_subplot()
        places = np.arange(count)
        marks: list[Any] = [
            axes.barh(places, values["model"][rows], height=min(0.62, 0.1 * count), color=BLUE, alpha=0.75)
        ]
        simple = [name for name in values if name != "model"]
        for name, style, marker in zip(simple, _STYLES, _MARKERS, strict=False):
            drawn_as = {"color": style["color"], "marker": marker, "linestyle": "none", "markersize": 5}
            marks += axes.plot(values[name][rows], places, **drawn_as)
        axes.set_yticks(places, [_short(names[row], 24) for row in rows])
        axes.set_ylim(count - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel("MASE")
        _number_axes(axes, "x")
        picture.legend(marks, [words(name) for name in values], loc="outside upper left", ncols=4)
    return made[0]


def _spread(caption: str, values: dict[str, Float64[np.ndarray, " series"]]) -> Picture:
    """How the error is spread over many series."""
    with drawn("Error over the series", caption + " Each method's series are in order of its own error.") as (
        picture,
        made,
    ):
        axes = picture.add_subplot()
        for (name, ordered), style in zip(values.items(), (_MODEL, *_STYLES), strict=False):
            some = np.linspace(0, len(ordered) - 1, min(len(ordered), _POINTS)).round().astype(int)
            axes.plot(100 * (some + 0.5) / len(ordered), ordered[some], label=words(name), **style)
        model = values["model"]
        if model[0] > 0 and model[-1] > 20 * np.median(model) and all(v[0] > 0 for v in values.values()):
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of the series, %")
        axes.set_ylabel("MASE")
        _number_axes(axes)
        _legend(picture)
    return made[0]


def _learning_curve(curve: dict[str, Any]) -> Picture:
    steps, validation = curve["steps"], curve["validation"]
    chosen = int(np.argmin(validation))
    caption = (
        "The weights at the ring are the model. The training loss is measured with dropout, by which it may lie above "
        "the other."
    )
    with drawn("Learning curve", caption) as (picture, made):
        axes = picture.add_subplot()
        axes.plot(steps, curve["training"], color=ORANGE, linewidth=1.1, marker=".", markersize=4, label="training")
        axes.plot(steps, validation, color=BLUE, linewidth=1.8, marker=".", markersize=5, label="validation")
        ring: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "markeredgecolor": INK}
        label = f"chosen, step {steps[chosen]:,}"
        axes.plot(steps[chosen], validation[chosen], linestyle="none", label=label, **ring)
        axes.set_xlabel("optimiser steps")
        axes.set_ylabel("loss, standardised")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _number_axes(axes)
        _legend(picture)
    return made[0]


def _label(name: str, target: str, axis: dict[str, Any]) -> str:
    """The series alone where there is one target, which every picture would repeat."""
    return (name.removesuffix(target).strip() if axis["targets"] == 1 else name) or name


def _number_axes(axes: Axes, which: str = "y") -> None:
    axes.grid(axis="x" if which == "x" else "y")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.spines["left"].set_visible(False)


def _tick(value: float) -> str:
    """A tick's number in full where that is short."""
    text = f"{value:,.10g}" if value == 0 or 1e-4 <= abs(value) < 1e9 else f"{value:.6g}"
    return text.replace("-", "−")  # noqa: RUF001 - a minus is as wide as a plus


def _legend(picture: Figure) -> None:
    picture.legend(loc="outside upper left", ncols=4)


def _short(text: str, most: int = 32) -> str:
    """A label with its middle left out where it is long."""
    text = plain(text)
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"


def _thinned(times: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    """A band with a point a pixel, no narrower anywhere; lines are thinned by matplotlib, bands are not."""
    if len(times) <= _POINTS:
        return times, low, high
    begins = np.linspace(0, len(times), _POINTS + 1).astype(int)[:-1]
    return times[begins], np.minimum.reduceat(low, begins), np.maximum.reduceat(high, begins)

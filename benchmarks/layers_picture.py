"""The figures of `layers.py` as a picture: how many times as fast as `torch.nn.GRU`, on a logarithmic scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layers_tables import OUR_LSTM, OURS, TORCH, Contender, Figures, name, named, rounds, size
from matplotlib.ticker import FuncFormatter, NullLocator
from peers.problem import MODES, Case, Mode

from sluicegate.tasks.report.drawing import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, drawn

# The colour-blind and those who print in grey go by the shape; ours is filled.
STYLES: dict[Contender, dict[str, Any]] = {
    OURS: {"marker": "o", "color": BLUE, "s": 52, "zorder": 4},
    TORCH: {"marker": "|", "color": INK, "s": 60, "linewidths": 1.6},
    ("jax", "gru"): {"marker": "^", "color": ORANGE},
    ("keras", "gru"): {"marker": "s", "color": GREEN},
    ("onnxruntime", "gru"): {"marker": "D", "color": PURPLE},
    ("openvino", "gru"): {"marker": "v", "color": INK},
    OUR_LSTM: {"marker": "o", "color": BLUE, "s": 40},
    ("torch", "lstm"): {"marker": "x", "color": INK, "s": 30, "linewidths": 1.2},
}
HOLLOW = {"^", "s", "D", "v"}
TITLES: dict[Mode, str] = {"forward": "forward: inference", "training": "training: forward and backward"}
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(figures: Figures, threads: int, path: Path) -> None:
    """Write the picture, on white, so that it can be read on a dark page too."""
    cases = list(dict.fromkeys(case for case, _, _ in figures))
    title = f"How many times as fast as torch.nn.GRU, {named(threads).lower()}, fp32"
    caption = "A dot is a library at a size, further right is faster; the scale is logarithmic."
    with drawn(title, caption, (8.4, 1.5 + 0.36 * len(cases))) as (figure, made):
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for panel, mode in zip(panels, MODES, strict=True):
            _draw_mode(panel, figures, cases, mode)
            _scale(panel, figures)
        panels[0].set_yticks(range(len(cases)), [size(case) for case in cases])
        panels[0].invert_yaxis()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        figure.legend(handles, labels, loc="outside lower center", ncols=4, handletextpad=0.3)
    path.write_text(made[0].on_white(), encoding="utf-8")


def _draw_mode(panel: Any, figures: Figures, cases: list[Case], mode: Mode) -> None:
    """One panel, each size a line and each contender a mark on it."""
    panel.set_title(TITLES[mode], loc="left", fontsize=9, color=INK)
    panel.axvline(1, color=INK, linewidth=0.8, zorder=1)
    panel.grid(axis="x", color=FAINT)
    panel.tick_params(axis="y", length=0)
    for contender, style_of in STYLES.items():
        speeds = {
            row: figures[case, mode, TORCH] / figures[case, mode, contender]
            for row, case in enumerate(cases)
            if (case, mode, contender) in figures
        }
        style = {"s": 26, "linewidths": 1.1, "zorder": 3, **style_of}
        if style_of["marker"] in HOLLOW or contender == OUR_LSTM:
            style |= {"facecolors": "#ffffff", "edgecolors": style.pop("color")}
        if speeds:
            panel.scatter(list(speeds.values()), list(speeds), label=name(contender), **style)
        for row, speed in speeds.items() if contender == OURS else ():
            panel.plot([1, speed], [row, row], color=BLUE, linewidth=2, zorder=2)
            panel.annotate(
                f"{speed:.1f}x", (speed, row), (0, 6), textcoords="offset points", ha="center", fontsize=8, color=BLUE
            )


def _scale(panel: Any, figures: Figures) -> None:
    """A logarithmic axis that holds every mark, with ticks at round numbers; both panels share it."""
    speeds = [
        figures[case, mode, TORCH] / seconds for (case, mode, other), seconds in figures.items() if not rounds(other)
    ]
    low, high = min(speeds) / 1.3, max(speeds) * 1.3
    panel.set_xscale("log")
    panel.set_xlim(low, high)
    panel.set_xticks([tick for tick in TICKS if low <= tick <= high])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    panel.xaxis.set_minor_locator(NullLocator())

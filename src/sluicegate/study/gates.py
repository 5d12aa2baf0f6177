"""Where the gates open: the update and the reset gates of a GRU that has learnt to forecast the weather."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from sluicegate.nn.gates import look
from sluicegate.tasks.report.drawing import INK, Picture, drawn
from sluicegate.tasks.report.gates_drawing import lines

from .finding import Finding, judged
from .network import Network

FIELDS = ("temp_max", "temp_min", "precipitation", "wind")


class Size(NamedTuple):
    """How large the experiment is."""

    hidden: int = 12
    steps: int = 1500
    shown: int = 150
    """Days in the picture."""


QUICK = Size(hidden=3, steps=5, shown=20)
WINDOW, ROWS = 120, 16
RATE = 5e-3


def series() -> tuple[str, Float[Tensor, "time 4"]]:
    """Seattle's weather where vega_datasets is installed, else a made-up year's wave; each column standardised."""
    try:
        from vega_datasets import data  # an optional extra
    except ImportError:
        days = np.arange(1461)[:, None]
        noise = np.random.default_rng(0).normal(size=(1461, len(FIELDS)))
        for day in range(1, len(noise)):
            noise[day] += 0.7 * noise[day - 1]
        name, values = (
            "a made-up series: a year's wave, and noise that fades",
            np.sin(2 * np.pi * days / 365.25) + 0.5 * noise,
        )
    else:
        name, values = "Seattle's daily weather, 2012 to 2015", data.seattle_weather()[list(FIELDS)].to_numpy(float)
    return name, torch.tensor((values - values.mean(0)) / values.std(0), dtype=torch.float32)


def trained(x: Float[Tensor, "time 4"], size: Size, seed: int) -> tuple[Network, float]:
    """A network that forecasts tomorrow's highest temperature, and its error over that of persistence.

    The last year is not seen in training; the errors are mean squared ones over it.
    """
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    network = Network("gru", len(FIELDS), size.hidden, 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=1e-4, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=size.steps)
    past = len(x) - 365
    for _ in range(size.steps):
        starts = torch.randint(past - WINDOW, (ROWS,), generator=draw).tolist()
        windows = torch.stack([x[start : start + WINDOW + 1] for start in starts], dim=1)
        optimiser.zero_grad()
        loss = F.mse_loss(network(windows[:-1])[20:, :, 0], windows[21:, :, 0])  # after some days to warm up
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        predicted = network(x[:-1].unsqueeze(1))[:, 0, 0]
    errors = (predicted - x[1:, 0]).square()[-365:].mean(), (x[:-1, 0] - x[1:, 0]).square()[-365:].mean()
    return network, float(errors[0] / errors[1])


def examine(size: Size = Size(), seed: int = 0) -> Finding:  # noqa: B008 - a tuple, immutable
    """Train a GRU and look at its gates over the last year."""
    name, x = series()
    network, error = trained(x, size, seed)
    parts = look(network.layer, x).parts
    update, reset = parts["update"][0, -365:], parts["reset"][0, -365:]
    kept = update.mean(0)
    spans = 1 / (1 - kept)
    order = spans.argsort()
    swing = update.std(0)
    together = float(torch.corrcoef(torch.stack([kept, reset.mean(0)]))[0, 1])
    rows = [
        [
            str(place + 1),
            f"{float(spans[unit]):.1f}",
            f"{float(kept[unit]):.2f} ± {float(swing[unit]):.2f}",
            f"{float(reset[:, unit].mean()):.2f} ± {float(reset[:, unit].std()):.2f}",
        ]
        for place, unit in enumerate(order.tolist())
    ]
    ratio = float(spans.max() / spans.min())
    moved = float(swing.max())
    outcome = (
        f"The units remember over {float(spans.min()):.1f} to {float(spans.max()):.1f} days, {ratio:.1f} times as "
        f"long in the slowest as in the fastest, and the gate that moves most does so by ±{moved:.2f} from day to day. "
        f"That slow units look at their state less, their reset gates being closed, is "
        f"{'borne out' if together < -0.3 else 'not borne out'}: over the units, the correlation of the two gates is "
        f"{together:+.2f}. Next to persistence, the same temperature as today, the forecast's squared error is "
        f"{error:.0%}."
    )
    return Finding(
        "gates",
        "Where the gates open",
        "Units that learn short spans have active reset gates, units that learn long ones active update gates (Cho et "
        "al. 2014): some remember for long, some not, and the gates open when there is something to learn.",
        f"A GRU of {size.hidden} units that reads {name} ({', '.join(FIELDS)}) and forecasts the next day's "
        f"{FIELDS[0]}, trained on all but the last year, {size.steps:,} steps of Adam; its gates over the last year, "
        "mean and standard deviation. With an update gate of z on average a unit remembers over about 1 / (1 - z) "
        "days.",
        [["unit", "remembers over, days", "update gate z, kept", "reset gate r, seen"], *rows],
        judged(ratio > 3, moved > 0.1, together < -0.3),
        outcome,
        (_picture(size, x[-365:, 0], (update, reset), order.tolist()),),
    )


def _picture(size: Size, series: Tensor, gates: tuple[Tensor, Tensor], order: list[int]) -> Picture:
    title = "The gates of a GRU that forecasts the weather"
    caption = (
        "Above the temperature that it reads, in standard deviations. In the middle how much of its state a unit "
        "keeps, below how much of it the new candidate may see, for the fastest, the middle and the slowest unit."
    )
    units = {"fastest": order[0], "middle": order[len(order) // 2], "slowest": order[-1]}
    with drawn(title, caption, (8.0, 4.6)) as (figure, made):
        axes = figure.subplots(3, 1, sharex=True, height_ratios=[1, 1.3, 1.3])
        days = range(size.shown)
        axes[0].plot(days, series[: size.shown].tolist(), color=INK, lw=1)
        axes[0].set_ylabel("temperature")
        for axis, gate, label in zip(axes[1:], gates, ("kept: z", "seen by the\ncandidate: r"), strict=True):
            lines(axis, gate[: size.shown].numpy(), units)
            axis.set_ylim(-0.03, 1.03)
            axis.set_ylabel(label)
        axes[2].set_xlabel("days")
        handles, labels = axes[1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return made[0]

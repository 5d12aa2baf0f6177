"""Draw the picture of a forecast that the README shows.

    python benchmarks/forecast_picture.py ETTh1.csv docs/images/forecast.svg

The table is ETTh1 (Zhou et al. 2021), two years of hourly readings of a transformer. The forecaster learns from the
first twelve months; the picture shows the next four, which chose when training stopped. The eight months behind these
are left for the benchmark, and never read here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from rich.console import Console

import sluicegate

MONTH = 30 * 24
TARGET = "HUFL"
SHOWN = 1  # of the windows that a report shows, spread evenly over the rows evaluated


def main(csv: str, out: str) -> None:
    """Train, evaluate and draw."""
    table = pl.read_csv(csv, try_parse_dates=True)[: 16 * MONTH]
    training, validation = table[: 12 * MONTH], table[12 * MONTH :]
    forecaster = sluicegate.Forecaster(horizon=96)
    forecaster.fit(training, time="date", target=TARGET, validation=validation)
    report = forecaster.evaluate(table, start=validation["date"][0], stride=24, baselines=())
    Console().print(report)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(report.draw()[SHOWN].on_white(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The forecaster on public data: how good its forecasts are, and how long they take.

    SLUICEGATE_DATA=path/to/data python benchmarks/forecasting.py [--seeds 3] [--only etth1 m4 ...] [--write FILE]

The data folder holds `forecasting/ETT/ETTh1.csv` (github.com/zhouhaoyi/ETDataset) and
`forecasting/M4-hourly/Hourly-{train,test}.csv` (github.com/Mcompetitions/M4-methods). There are sections etth1, m4,
speed, and counts, which is of demand that `demand.py` makes up.
"""

from __future__ import annotations

import csv
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from demand import AHEAD, CUT, DAYS, DEMAND, SERIES, demand
from document import measure_sections, on_data

import sluicegate
from sluicegate.metrics import owa

HORIZONS = (96, 192, 336, 720)
CONTEXT = 336
# Published with the same protocol: standardised by the training rows, every window of the test part, stride 1.
PUBLISHED = {
    "DLinear, context 336": (0.374, 0.408, 0.429, 0.440),
    "SegRNN, context 96": (0.368, 0.408, 0.444, 0.446),
    "PatchTST, context 96": (0.414, 0.460, 0.501, 0.500),
}
NAIVE2 = (18.383, 2.395)  # sMAPE and MASE of Naive2 on M4 hourly, as the competition published them


def etth1(data: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, list[str]]:
    """The whole table, its training and validation rows, and its seven variables."""
    table = pl.read_csv(data / "forecasting/ETT/ETTh1.csv")[:14_400]
    return table, table[:8640], table[8640:11_520], table.columns[1:]


def fit_etth1(data: Path, horizon: int, seed: int) -> tuple[sluicegate.Forecaster, pl.DataFrame, float]:
    """A forecaster trained on ETTh1, the whole table, and the seconds that training took."""
    table, train, validation, variables = etth1(data)
    forecaster = sluicegate.Forecaster(horizon=horizon, context=CONTEXT, seed=seed)
    begin = time.perf_counter()
    forecaster.fit(train, time="date", target=variables, validation=validation)
    return forecaster, table, time.perf_counter() - begin


def measure_etth1(data: Path, seeds: int) -> list[str]:
    """Errors, coverage and times on ETTh1, averaged over seeds."""
    rows = [
        "| ahead | mse_scaled | mae_scaled | coverage_80 | seasonal naive, mse_scaled | best simple, mse_scaled |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    errors, best_errors, verdict = [], [], ""
    for horizon in HORIZONS:
        runs: list[dict[str, float]] = []
        for seed in range(seeds):
            forecaster, table, _ = fit_etth1(data, horizon, seed)
            report = forecaster.evaluate(table, start="2017-10-24")
            name, best = best_simple(report, "mse_scaled")
            naive = report.baselines["seasonal_naive"]["mse_scaled"]
            runs.append({**report.metrics, "naive": naive, "best": best})
            verdict = verdict or report.verdict
            print(f"ETTh1 {horizon} seed {seed}: {runs[-1]}, {report.verdict}", file=sys.stderr, flush=True)
        mean = {name: statistics.mean(run[name] for run in runs) for name in runs[0]}
        spread = statistics.stdev(run["mse_scaled"] for run in runs) if seeds > 1 else 0.0
        errors.append(mean["mse_scaled"])
        rows.append(
            f"| {horizon} | {mean['mse_scaled']:.3f} ± {spread:.3f} | {mean['mae_scaled']:.3f} "
            f"| {mean['coverage_80']:.3f} | {mean['naive']:.3f} | {name}, {mean['best']:.3f} |"
        )
        best_errors.append(mean["best"])
    rows.append(f"| mean | **{statistics.mean(errors):.3f}** | | | | {statistics.mean(best_errors):.3f} |")
    rows += ["", f"The verdict on {HORIZONS[0]} ahead, seed 0: {verdict}"]
    rows += [
        "",
        "Published mse_scaled, same protocol:",
        "",
        "| | 96 | 192 | 336 | 720 | mean |",
        "| - | - | - | - | - | - |",
    ]
    rows += [
        f"| {name} | " + " | ".join(f"{value:.3f}" for value in (*values, statistics.mean(values))) + " |"
        for name, values in PUBLISHED.items()
    ]
    return rows


def best_simple(report: sluicegate.tasks.Report, metric: str) -> tuple[str, float]:
    """The simple method with the smallest figure, by its name for people, and the figure."""
    name = min(report.baselines, key=lambda name: report.baselines[name][metric])
    return name.replace("_", " "), report.baselines[name][metric]


def m4_table(path: Path, starts: list[int] | None = None) -> pl.DataFrame:
    """M4's wide file as a long table; each series' hours are numbered on from `starts`."""
    with path.open(newline="") as file:
        series = [(row[0], [float(v) for v in row[1:] if v]) for row in list(csv.reader(file))[1:]]
    starts = starts or [0] * len(series)
    return pl.DataFrame(
        {
            "series": np.repeat([name for name, _ in series], [len(values) for _, values in series]),
            "hour": np.concatenate([np.arange(len(v)) + s for (_, v), s in zip(series, starts, strict=True)]),
            "value": np.concatenate([values for _, values in series]),
        }
    )


def measure_m4(data: Path, seeds: int) -> list[str]:
    """OWA on M4 hourly: one model for all series, trained on nothing but their training part."""
    folder = data / "forecasting/M4-hourly"
    train = m4_table(folder / "Hourly-train.csv")
    lengths = train.group_by("series", maintain_order=True).len()["len"].to_list()
    whole = pl.concat([train, m4_table(folder / "Hourly-test.csv", lengths)])
    runs = []
    for seed in range(seeds):
        forecaster = sluicegate.Forecaster(horizon=48, seed=seed)
        begin = time.perf_counter()
        forecaster.fit(train, time="hour", target="value", series="series")
        took = time.perf_counter() - begin
        report = forecaster.evaluate(whole, baselines=[])
        figures = {
            name: (m["smape"], m["mase"], owa(m["smape"], m["mase"], *NAIVE2))
            for name, m in {"sluicegate": report.metrics, **report.baselines}.items()
        }
        runs.append((figures, took))
        print(f"M4 hourly seed {seed}: {figures}, fit {took:.0f} s, {report.verdict}", file=sys.stderr, flush=True)
    rows = ["| | sMAPE | MASE | OWA |", "| --- | --- | --- | --- |"]
    names = list(runs[0][0])
    best = min((name for name in names if name != "sluicegate"), key=lambda name: runs[0][0][name][2])
    for name in dict.fromkeys(("sluicegate", best, "seasonal_naive")):
        smape, mase, both = (statistics.mean(figures[name][i] for figures, _ in runs) for i in range(3))
        rows.append(f"| {name.replace('_', ' ')} | {smape:.2f} | {mase:.3f} | **{both:.3f}** |")
    rows += [
        "| ES-RNN, the competition's winner (published) | 9.33 | 0.893 | 0.440 |",
        "| the competition's RNN benchmark (published) | | | 1.036 |",
        "",
        f"`fit` took {statistics.mean(took for _, took in runs):.0f} s.",
    ]
    return rows


def median_of(call: Callable[[], Any], times: int) -> float:
    """The median time of a call, in seconds, after a few that are not counted."""
    for _ in range(5):
        call()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def measure_speed(data: Path, seeds: int) -> list[str]:
    """The times of `fit` and `evaluate` on ETTh1, and of `predict` for one series, the model loaded from its folder."""
    del seeds
    seven, table, fit_time = fit_etth1(data, 96, 0)
    begin = time.perf_counter()
    seven.evaluate(table, start="2017-10-24")
    evaluate_time = time.perf_counter() - begin
    table, train, validation, _ = etth1(data)
    forecaster = sluicegate.Forecaster(horizon=96, context=CONTEXT, steps=100)
    forecaster.fit(train, time="date", target="OT", validation=validation)
    with tempfile.TemporaryDirectory() as place:
        forecaster.save(Path(place) / "model")
        begin = time.perf_counter()
        model = sluicegate.load(Path(place) / "model")
        loading = time.perf_counter() - begin
    as_polars = table[:12_000].tail(CONTEXT).with_columns(pl.col("date").str.to_datetime())
    as_pandas = as_polars.to_pandas()
    rows = [
        "| what, 96 ahead | time |",
        "| --- | --- |",
        f"| `fit`, 7 variables, 8,640 rows | {fit_time:.0f} s |",
        f"| `evaluate`, all {(14_400 - 11_520 - 96 + 1) * 7:,} windows of the test part | {evaluate_time:.1f} s |",
    ]
    for kind, frame in (("polars", as_polars), ("pandas", as_pandas)):
        latency = median_of(lambda frame=frame: model.predict(frame), 200)
        rows.append(f"| `predict` of one series, {kind}, median of 200 | {1e3 * latency:.2f} ms |")
    rows.append(f"| `load`, once | {1e3 * loading:.0f} ms |")
    return rows


def measure_counts(data: Path, seeds: int) -> list[str]:
    """Bias and coverage on five kinds of demand that is often zero: six horizons after the training rows."""
    del data
    rows = [
        f"{SERIES} series of {CUT} days each, {AHEAD} ahead. The bias is that of the sum of all forecasts, against the "
        "sum of what the generator expects; that of the mean of each series' history tells how far chance went.",
        "",
        "| demand | share of zeros | bias of the mean | of the history's | coverage_80 | in the interval | above it "
        "| below it |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kind in DEMAND:
        runs = []
        for seed in range(seeds):
            table = demand(kind, seed)
            columns = table.select("day", "item", "units")
            forecaster = sluicegate.Forecaster(horizon=AHEAD, seed=seed)
            forecaster.fit(columns.filter(pl.col("day") < CUT), time="day", target="units", series="item")
            report = forecaster.evaluate(columns, start=CUT, stride=AHEAD, baselines=[])
            parts = [forecaster.predict(columns.filter(pl.col("day") < day)) for day in range(CUT, DAYS, AHEAD)]
            forecasts = pl.concat(parts).join(table, left_on=["series", "time"], right_on=["item", "day"])
            above, below = (
                (forecasts["units"] > forecasts["q90"]).mean(),
                (forecasts["units"] < forecasts["q10"]).mean(),
            )
            expected = forecasts["expected"].sum()
            history = table.filter(pl.col("day") < CUT)["units"].sum() * (DAYS - CUT) / CUT
            biases = forecasts["mean"].sum() / expected - 1, history / expected - 1
            shares = report.metrics["coverage_80"], 1 - above - below, above, below
            runs.append(((forecasts["units"] == 0).mean(), *biases, *shares))
            print(f"{kind} seed {seed}: {runs[-1]}", file=sys.stderr, flush=True)
        zeros, bias, past, *shares = (statistics.mean(values) for values in zip(*runs, strict=True))
        cells = [f"{zeros:.2f}", f"{100 * bias:+.1f} %", f"{100 * past:+.1f} %", *(f"{share:.3f}" for share in shares)]
        rows.append(f"| {kind} | " + " | ".join(cells) + " |")
    return rows


SECTIONS = {
    "forecasting:etth1": on_data(f"ETTh1, 7 variables, context {CONTEXT}, stride 1", measure_etth1),
    "forecasting:m4": on_data("M4 hourly, 414 series, one model, 48 ahead", measure_m4),
    "forecasting:counts": on_data("Demand that is often zero, 14 days ahead", measure_counts),
    "forecasting:speed": on_data("Times", measure_speed),
}


if __name__ == "__main__":
    measure_sections(SECTIONS, __doc__, seeds=3)

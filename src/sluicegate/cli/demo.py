"""`sluicegate demo`: the textbook's sine wave, in Keras too where that is installed, then four years of weather."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
import typer
from jaxtyping import Float
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from sluicegate.acceleration import accelerated
from sluicegate.errors import MissingExtra, SluicegateError
from sluicegate.nn import GRU
from sluicegate.tasks import Forecaster, Report
from sluicegate.training import progress_bar
from sluicegate.types import Cell

from .failures import note

POINTS, WINDOW, EPOCHS, BATCH = 1000, 50, 50, 32
GOOD = 1e-4
"""The loss below which the sine wave counts as learnt."""

HORIZON = 28
HELD_BACK = date(2015, 1, 1)
"""The first day that the models have not seen."""
CELLS: tuple[Cell, ...] = ("gru", "lstm", "rnn")


class SineForecaster(nn.Module):
    """The textbook's network: one GRU of 50 ReLU units, and a dense layer on its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = GRU(1, 50, activation="relu")
        self.dense = nn.Linear(50, 1)

    def forward(self, windows: Float[Tensor, "time batch 1"]) -> Float[Tensor, "batch 1"]:
        """The point that follows each window."""
        _, state = self.gru(windows)
        value: Tensor = self.dense(state[-1])
        return value


def run(folder: Path) -> None:
    """Run both parts, and write the model and the report of the second into a folder.

    Raises:
        MissingExtra: the weather is not installed.
        SluicegateError: the sine wave was not learnt.
    """
    weather = _weather()
    # One thread for both: the sine wave's products are too small to share out, two threads take longer; and so the
    # figures do not depend on the number of cores.
    with _threads(1):
        _run(weather, folder)


def _run(weather: pl.DataFrame, folder: Path) -> None:
    begun = time.perf_counter()
    loss = learn_sine()
    typer.echo(f"Sine wave: mean squared error {loss:.1e} after {EPOCHS} epochs, {_seconds(begun)}")
    if not loss < GOOD:
        raise SluicegateError(
            f"the sine wave was not learnt: its error is {loss:.1e}, and {GOOD:.0e} was expected; please report this"
        )
    begun = time.perf_counter()
    if (in_keras := learn_sine_in_keras()) is not None:
        typer.echo(f"The textbook's script in Keras, its GRU ours: {in_keras:.1e}, {_seconds(begun)}")
    begun = time.perf_counter()
    reports = compare_cells(weather, folder)
    typer.echo(
        f"\nSeattle's daily maximum temperature, {HORIZON} days ahead, from every day of {HELD_BACK.year}, which the "
        f"models have not seen, {_seconds(begun)}"
    )
    Console().print(_comparison(reports))
    typer.echo(reports["gru"].verdict)
    page = folder / "report.html"
    reports["gru"].to_html(page)
    typer.echo(f"The report on the GRU: {page.absolute()}")


def learn_sine(epochs: int = EPOCHS) -> float:
    """Train the textbook's network on windows of a sine wave.

    Returns:
        The mean squared error over all windows.
    """
    wave = torch.sin(torch.linspace(0, 100, POINTS))
    windows = wave.unfold(0, WINDOW, 1)[:-1].T[..., None].contiguous()
    truth = wave[WINDOW:, None]
    count = len(truth)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SineForecaster()
        adam = torch.optim.Adam(model.parameters(), fused=True)
        with progress_bar("a sine wave", epochs) as report:
            for epoch in range(epochs):
                for batch in torch.split(torch.randperm(count), BATCH):
                    adam.zero_grad()
                    loss = F.mse_loss(model(windows[:, batch]), truth[batch])
                    loss.backward()  # type: ignore[no-untyped-call]
                    adam.step()
                report(epoch + 1, f"loss {float(loss.detach()):.1e}")
        with torch.inference_mode():
            return float(F.mse_loss(model(windows), truth))


def learn_sine_in_keras(epochs: int = EPOCHS) -> float | None:
    """Train the same network by the textbook's script, in Keras on its torch backend.

    Returns:
        The mean squared error over all windows; None where Keras is not installed, or runs on another backend.
    """
    if find_spec("keras") is None:
        return None
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with accelerated(log=False):
        import keras

        if keras.backend.backend() != "torch":
            return None
        wave = np.sin(np.linspace(0, 100, POINTS))
        windows = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[:-1, :, None]
        with torch.random.fork_rng(devices=[]):
            keras.utils.set_random_seed(0)
            model = keras.Sequential(
                [keras.Input((WINDOW, 1)), keras.layers.GRU(50, activation="relu"), keras.layers.Dense(1)]
            )
            model.compile(optimizer="adam", loss="mse")
            model.fit(windows, wave[WINDOW:], epochs=epochs, batch_size=BATCH, verbose=0)
            return float(model.evaluate(windows, wave[WINDOW:], verbose=0))


def compare_cells(weather: pl.DataFrame, folder: Path) -> dict[Cell, Report]:
    """Train one forecaster for each cell on the years before, and evaluate it on the last one.

    Returns:
        The reports; the GRU is saved in the folder.
    """
    before = weather.filter(pl.col("date") < HELD_BACK)
    reports: dict[Cell, Report] = {}
    for cell in CELLS:
        note(f"training the {cell.upper()}")
        task = Forecaster(HORIZON, cell=cell)
        task.fit(before, time="date", target="temp_max", past=["temp_min", "precipitation", "wind"])
        reports[cell] = task.evaluate(weather, start=HELD_BACK, baselines=())
        if cell == "gru":
            task.save(folder / "model")
    return reports


def _weather() -> pl.DataFrame:
    try:
        from vega_datasets import local_data
    except ImportError as error:
        raise MissingExtra("vega_datasets", "demo", "the demo") from error
    table: Any = local_data.seattle_weather()
    weather: pl.DataFrame = pl.from_pandas(table)
    return weather.with_columns(pl.col("date").dt.date())


def _comparison(reports: dict[Cell, Report]) -> Table:
    """All on the same windows: one line for each cell, and one for each simple method."""
    some = next(iter(reports.values()))
    lines = {cell.upper(): report.metrics for cell, report in reports.items()} | some.baselines
    names = ("mae", "rmse", "smape", "mase", "wql", "coverage_80")
    table = Table("method", *names)
    for method, figures in lines.items():
        table.add_row(method.replace("_", " "), *(f"{figures[name]:.4g}" for name in names))
    return table


def _seconds(begun: float) -> str:
    return f"{time.perf_counter() - begun:.0f} s"


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

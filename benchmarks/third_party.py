"""Models that nobody here wrote: what their own training gains within `sluicegate.accelerated()`, unchanged.

    python -m venv elsewhere
    elsewhere/bin/pip install --constraint constraints.txt . darts neuralforecast lightning deepecho
    OMP_NUM_THREADS=1 elsewhere/bin/python benchmarks/third_party.py [--only darts ...] [--write docs/benchmarks.md]

Each package trains by its own `fit`, on a series made here: alone and within the block in turn, every time from the
same seed; the table holds the medians. Then the network that came out answers before and after
`sluicegate.accelerate`, by the package's own prediction, and the answers must agree. A package that is not installed
is left out. They are not among the extras, for they bring some sixty packages that nothing else here needs.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch
from document import machine, measure_sections

import sluicegate

TOLERANCE = 1e-5  # of outputs whose size is about 1
QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "enable_progress_bar": False,
}


@dataclass(frozen=True)
class Case:
    """A package's model: how to make it, train it, find the network in it, and ask it."""

    name: str
    settings: str
    make: Callable[[], Any]
    fit: Callable[[Any], object]
    network: Callable[[Any], torch.nn.Module]
    answer: Callable[[Any], np.ndarray]


def wave(hours: int) -> pd.DataFrame:
    """A daily and a weekly wave with noise, of mean 0 and size 1, in the columns that neuralforecast wants."""
    hour = np.arange(hours)
    noise = np.random.default_rng(0).normal(size=hours)
    value = np.sin(2 * np.pi * hour / 24) + 0.5 * np.sin(2 * np.pi * hour / 168) + 0.2 * noise
    times = pd.date_range("2024-01-01", periods=hours, freq="h")
    return pd.DataFrame({"unique_id": "wave", "ds": times, "y": (value / value.std()).astype(np.float32)})


def darts() -> Iterator[Case]:
    """BlockRNNModel and RNNModel; a series of float32, for darts makes its network of the series' type."""
    from darts import TimeSeries
    from darts.models import BlockRNNModel, RNNModel

    series = TimeSeries.from_dataframe(wave(2000), "ds", "y").astype(np.float32)
    common = {"n_epochs": 2, "batch_size": 32, "random_state": 0, "pl_trainer_kwargs": QUIET}

    def case(model: Callable[..., Any], cell: str, settings: str, **options: Any) -> Case:
        return Case(
            f"darts `{model.__name__}`, {cell}",
            settings,
            lambda: model(model=cell, **options, **common),
            lambda made: made.fit(series),
            lambda made: made.model,
            lambda made: made.predict(24, verbose=False).values(),
        )

    for cell in ("GRU", "LSTM"):
        sizes = {"input_chunk_length": 48, "output_chunk_length": 24, "hidden_dim": 64, "n_rnn_layers": 2}
        yield case(BlockRNNModel, cell, "hidden 64, 2 layers, 48 steps, batch 32", **sizes)
    sizes = {"input_chunk_length": 48, "training_length": 72, "hidden_dim": 50}
    yield case(RNNModel, "GRU", "hidden 50, 72 steps, batch 32", **sizes)


def neuralforecast() -> Iterator[Case]:
    """GRU and LSTM with the package's default sizes."""
    from neuralforecast import NeuralForecast
    from neuralforecast.models import GRU, LSTM

    table = wave(2000)

    def case(model: Callable[..., Any], hidden: int) -> Case:
        def make() -> Any:
            options = {"h": 24, "input_size": 72, "max_steps": 20, "random_seed": 0, **QUIET}
            return NeuralForecast([model(**options)], freq="h")

        return Case(
            f"neuralforecast `{model.__name__}`",
            f"hidden {hidden}, 2 layers, 72 steps, batch 128",
            make,
            lambda made: made.fit(table),
            lambda made: made.models[0],
            lambda made: made.predict(verbose=False)[model.__name__].to_numpy(),
        )

    yield case(GRU, 200)
    yield case(LSTM, 128)


def deepecho() -> Iterator[Case]:
    """PAR, which draws made-up sequences like those it has seen; it packs sequences of several lengths."""
    from deepecho.models.par import PARModel

    values = wave(64 * 100)["y"].to_numpy().reshape(64, 100)
    sequences = [{"context": [], "data": [row[: 60 + number % 40].tolist()]} for number, row in enumerate(values)]

    def make() -> Any:
        torch.manual_seed(0)
        return PARModel(epochs=10, cuda=False, verbose=False)

    def answer(made: Any) -> np.ndarray:
        x = torch.nn.utils.rnn.pack_sequence([made._data_to_tensor(sequence["data"]) for sequence in sequences[:1]])
        with torch.no_grad():
            return made._model(x, None).data.numpy()

    settings = "hidden 32, 60 to 99 steps, batch 64"
    fit = lambda made: made.fit_sequences(sequences, [], ["continuous"])  # noqa: E731 - one of a row of them
    yield Case("deepecho `PARModel`, GRU", settings, make, fit, lambda made: made._model, answer)


PACKAGES: dict[str, Callable[[], Iterator[Case]]] = {
    "darts": darts,
    "neuralforecast": neuralforecast,
    "deepecho": deepecho,
}


def trained(case: Case, swapped: bool) -> tuple[Any, float]:
    """A trained model, and the seconds that its `fit` took."""
    made = case.make()
    with sluicegate.accelerated(log=False) if swapped else nullcontext() as summary:
        begin = time.perf_counter()
        case.fit(made)
        taken = time.perf_counter() - begin
    if summary is not None and not summary.swapped:
        sys.exit(f"{case.name}: {summary}")
    return made, taken


def difference(case: Case, made: Any) -> float:
    """The most by which the package's own predictions differ after `accelerate`, with the same weights."""
    network = case.network(made)
    before = case.answer(made).copy()
    sluicegate.accelerate(network)
    return float(np.abs(case.answer(made) - before).max())


def measure(case: Case, rounds: int) -> str:
    """A row of the table."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    for round_ in range(rounds + 1):
        for swapped, times in taken.items():
            made, seconds = trained(case, swapped)
            if round_ > 0:  # the first warms up
                times.append(seconds)
    alone, within = (statistics.median(times) for times in taken.values())
    differs = difference(case, made)
    if differs > TOLERANCE:
        sys.exit(f"{case.name}: outputs differ by {differs:.1e}, which is more than {TOLERANCE:.0e}")
    print(
        f"{case.name}: alone {taken[False]}, within {taken[True]}, outputs differ by {differs:.1e}",
        file=sys.stderr,
        flush=True,
    )
    speed_up = f"**{alone / within:.2f}**"
    return f"| {case.name} | {case.settings} | {alone:.2f} s | {within:.2f} s | {speed_up} | {differs:.0e} |"


def table(options: Namespace) -> Iterator[str]:
    """A row for each model of the packages that are installed."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)  # Lightning tells of every run
    yield "| model | | `fit` alone | within `accelerated()` | speed-up | outputs differ by |"
    yield "| --- | --- | --- | --- | --- | --- |"
    versions = []
    for name in options.only:
        try:
            cases = list(PACKAGES[name]())
        except ImportError as error:
            print(f"{name} is not installed ({error}): its rows are left out", file=sys.stderr)
            continue
        versions.append(f"{name} {version(name)}")
        yield from (measure(case, options.rounds) for case in cases)
    if not versions:
        sys.exit("none of the packages is installed: see the top of this file")
    yield from ("", f"Medians of {options.rounds} rounds with {', '.join(versions)}, measured on {machine()}.")


if __name__ == "__main__":
    measure_sections({"third-party": table}, __doc__, only=tuple(PACKAGES), rounds=5)

"""What the tasks do, to the bit: `python tests/behaviour.py > before.json`, and again after a change of the form alone.

Small models of every task, by every cell, with rows to validate given and held back, with one network and with several,
and two seeds: the sha256 of each of their files and of what they predict; the messages of the tests of bad input; and
the help of every command. `diff before.json after.json` then says what has changed.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import torch
import typer

import sluicegate
from sluicegate.cli.app import app

sys.path.insert(0, str(Path(__file__).parent / "tasks"))

from saved_models import texts, waves

CELLS, SEEDS = ("gru", "lstm", "rnn", "mingru", "ligru"), (0, 1)


def forecasts():
    """Forecasters of waves and of counts, and what they are asked."""
    table = waves(150)
    late = table.filter(pl.int_range(pl.len()).over("id") >= 110)
    counts = table.with_columns(sales=(pl.col("sales") % 3).floor())
    for cell, given, seed in product(CELLS, (False, True), SEEDS):
        task = sluicegate.Forecaster(6, cell=cell, hidden=4, steps=40, batch=32, seed=seed)
        rows = table.filter(pl.int_range(pl.len()).over("id") < 110) if given else table
        task.fit(
            rows,
            time="time",
            target="sales",
            series="id",
            past=["wind"],
            validation=late if given else None,
            progress=False,
        )
        task.evaluate(table, start=table["time"][120], stride=6, baselines=[], progress=False)
        yield f"forecast {cell} {'given' if given else 'held back'} {seed}", task, task.predict(table)
    task = sluicegate.Forecaster(6, hidden=4, steps=40, batch=32)
    task.fit(counts, time="time", target=["sales", "visits"], series="id", known=["price"], progress=False)
    yield "forecast counts", task, task.predict(counts.filter(pl.col("time") < late["time"][30]), future=counts)


def classified_texts():
    """Classifiers of texts, and what they are asked."""
    table = pl.DataFrame(texts(), schema=["text", "label"], orient="row")
    for cell, (folds, given), seed in product(CELLS, ((1, False), (1, True), (2, False)), SEEDS):
        task = sluicegate.TextClassifier(cell=cell, folds=folds, hidden=4, embedding=4, epochs=4, batch=16, seed=seed)
        task.fit(table, validation=table[::5] if given else None, progress=False)
        task.evaluate(table[::3])
        yield f"text {cell} {folds} {'given' if given else 'held back'} {seed}", task, task.predict(table)


def classified_series():
    """Classifiers of recordings, and what they are asked."""
    lengths = np.arange(12, 36)
    recordings = [
        np.round(np.stack([np.sin(t * (0.3 if n % 2 else 0.9)), t % 3], axis=1), 4)
        for n, t in enumerate(map(np.arange, lengths))
    ]
    labels = ["fast", "slow"] * (len(lengths) // 2)
    for cell, (folds, given), seed in product(CELLS, ((1, False), (1, True), (2, False)), SEEDS):
        task = sluicegate.SeriesClassifier(cell=cell, folds=folds, hidden=4, steps=30, batch=8, seed=seed)
        validation = (recordings[:6], labels[:6]) if given else None
        task.fit(recordings, labels, validation=validation, progress=False)
        task.evaluate(recordings[3:], labels[3:])
        yield f"series {cell} {folds} {'given' if given else 'held back'} {seed}", task, task.predict(recordings)


def sums():
    """The sha256 of every file and every prediction."""
    found = {}
    for name, task, said in (*forecasts(), *classified_texts(), *classified_series()):
        contents = {**task.files(), "predicted": said.write_csv().encode()}
        found[name] = {file: hashlib.sha256(content).hexdigest() for file, content in sorted(contents.items())}
    return found


def messages():
    """What the tests of bad input are told."""
    folder = Path(__file__).parent
    files = sorted(str(path) for path in folder.rglob("test_*bad_input.py"))
    with tempfile.TemporaryDirectory() as place:
        found = Path(place) / "messages.json"
        options = ["-q", "-p", "messages", "--messages", str(found), "-p", "no:cacheprovider", "-p", "no:xdist"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, *files],
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdout=sys.stderr,
            check=True,
        )
        return json.loads(found.read_text())


def helps():
    """The help of every command."""
    found = {}

    def walk(command, name, parent):
        context = command.make_context(name, [], parent=parent, resilient_parsing=True)
        found[context.command_path] = command.get_help(context)
        for below, inner in sorted(getattr(command, "commands", {}).items()):
            walk(inner, below, context)

    walk(typer.main.get_command(app), "sluicegate", None)
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    json.dump({"help": helps(), "messages": messages(), "models": sums()}, sys.stdout, indent=1)

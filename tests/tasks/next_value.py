"""The next value of a column: a task in one short file that nobody exports, to hold the house to what it promises."""

import hashlib

import polars as pl
import torch
import torch.nn.functional as F

from sluicegate.data.columns import select
from sluicegate.nn.layers import LAYERS
from sluicegate.streaming import LayerStream
from sluicegate.tasks.arguments import DATA, Argument
from sluicegate.tasks.config import CellKnob, Positive, Seed, TaskConfig
from sluicegate.tasks.plain import PlainTask
from sluicegate.tasks.report import Measure
from sluicegate.tasks.task import Run
from sluicegate.tasks.trained import TrainedNetwork
from sluicegate.training import Part, Schedule


class NextValueConfig(TaskConfig):
    """Settings of a `NextValue`."""

    cell: CellKnob = "gru"
    seed: Seed = 0
    hidden: Positive = 4


class Trained(TrainedNetwork):
    """A recurrent layer, the mean of whose outputs is the next value."""

    config = NextValueConfig

    @classmethod
    def build(cls, config):
        return LAYERS[config.cell](1, config.hidden)


class NextValueStream(LayerStream):
    """A value in, the next one out."""

    def push(self, x):
        if isinstance(x, list):
            return [self.push(value) for value in x]
        return {"next": float(super().push(torch.tensor([x])).mean(-1))}


class NextValue(PlainTask[NextValueConfig, Trained]):
    """Says the next value of a column."""

    name = "next-value"
    trained_as = Trained
    measures = (Measure("mae", "mean absolute error"),)
    arguments = (DATA, Argument("value", "the column of values", required=True))

    def _read(self, data, columns, source):
        return torch.tensor(select(data, [columns["value"]], source)[columns["value"]].to_list()).float()

    def _prepare(self, examples, held_back, columns):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            model = Trained.build(self.config)

        def loss(*_):
            return F.mse_loss(said(model, examples)[:-1], examples[1:])

        def finish(curve):
            trained = Trained(model, columns, curve)
            return trained, self._report(trained, examples if held_back is None else held_back, "validation")

        schedule = Schedule(steps=20, every=10, patience=2, learning_rate=0.05)
        digest = hashlib.sha256(self.config.model_dump_json().encode() + examples.numpy().tobytes()).hexdigest()
        return Run(model, [Part(model, loss, lambda: float(loss().detach()))], schedule, digest, finish)

    def _compared(self, trained, examples):
        methods = {"model": said(trained.model, examples)[:-1], "last_value": examples[:-1]}
        return {name: {"mae": float((values - examples[1:]).abs().mean())} for name, values in methods.items()}

    def _predicted(self, trained, examples):
        return pl.DataFrame({"next": said(trained.model, examples).tolist()})

    def open_stream(self):
        return NextValueStream(self.trained.model)


def said(model, values):
    """What follows each value."""
    with torch.set_grad_enabled(model.training):
        return model(values[:, None])[0].mean(-1)

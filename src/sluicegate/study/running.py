"""One run of a study, in a process of its own: train a model, and note what it cost and how good it is.

python -m sluicegate.study.running RUN.json [the module that has the task]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from sluicegate.atomic import write_atomic
from sluicegate.collection import collect_rarely
from sluicegate.errors import SluicegateError
from sluicegate.nn.layers import Layer
from sluicegate.tasks import Report
from sluicegate.tasks.registry import task_class
from sluicegate.training import Curve, peak_memory, watched

_STEPS = 500  # of a stream that are timed


@dataclass(frozen=True)
class Run:
    """What is trained on what.

    Args:
        task: its name.
        cell: `rnn`, `lstm`, `gru`, `mingru` or `ligru`.
        hidden: units of the recurrent layer.
        seed: of the task.
        knobs: further settings of the task.
        data: the file that it is trained on.
        columns: what `fit` is told of them.
        test: the file that it is measured on; None takes what the rows that validated say.
        threads: to compute with.
    """

    task: str
    cell: str
    hidden: int
    seed: int
    knobs: dict[str, Any]
    data: str
    columns: dict[str, Any]
    test: str | None = None
    threads: int = 1


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Args:
        parameters: weights of a network.
        recurrent: those of its recurrent layers.
        seconds_per_epoch: of training, validation checks included.
        epochs: up to the best validation check.
        memory: what training added to the most memory held, in bytes.
        step: seconds of a step of a stream in the recurrent layer, one row.
        metrics: of the task.
        curve: training and validation losses.
    """

    parameters: int
    recurrent: int
    seconds_per_epoch: float
    epochs: float
    memory: int
    step: float
    metrics: dict[str, float]
    curve: dict[str, list[float]] = field(default_factory=dict)


def run(plan: Run) -> Outcome:
    """Train, measure, and time the steps of a stream."""
    torch.set_num_threads(plan.threads)
    task = task_class(plan.task)(**plan.knobs, cell=plan.cell, hidden=plan.hidden, seed=plan.seed)
    data, beside = task.open_training_file(Path(plan.data), plan.columns)
    before = peak_memory()
    with watched() as cost:
        task.fit(data, **beside, progress=False)
    report = task.report
    if plan.test is not None:
        arrays = {
            of.name: plan.columns[of.name] for of in task.arguments if of.kind == "array" and of.name in plan.columns
        }
        rows, beside = task.open_file(Path(plan.test), labelled=True, arrays=arrays)
        report = task.evaluate(rows, **beside)
    assert isinstance(report, Report)
    model, curve = task.trained.model, task.trained.curve
    layers = [part for part in model.modules() if isinstance(part, Layer)]
    best = curve.steps[min(range(len(curve.steps)), key=curve.validation.__getitem__)]
    return Outcome(
        parameters=_weights(model) // _networks(model),
        recurrent=sum(_weights(layer) for layer in layers) // _networks(model),
        seconds_per_epoch=cost.seconds / cost.steps * cost.epoch,
        epochs=best / cost.epoch,
        memory=cost.peak - before,
        step=step_seconds(layers[0]),
        metrics=report.metrics,
        curve=_by_epoch(curve, cost.epoch),
    )


def step_seconds(layer: Layer) -> float:
    """The median time of a step of a stream in a layer of these sizes, one way, with one row."""
    one_way = type(layer)(layer.input_size, layer.hidden_size, layer.num_layers, batch_first=True)
    x, state, times = torch.randn(1, 1, layer.input_size), None, []
    with torch.inference_mode():
        for _ in range(_STEPS):
            begin = time.perf_counter()
            _, state = one_way(x, state)
            times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _weights(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def _networks(model: torch.nn.Module) -> int:
    """How many networks of one shape a model averages."""
    members = getattr(model, "members", None)
    return len(members) if isinstance(members, torch.nn.ModuleList) else 1


def _by_epoch(curve: Curve, epoch: int) -> dict[str, list[float]]:
    return {
        "epochs": [step / epoch for step in curve.steps],
        "training": list(curve.training),
        "validation": list(curve.validation),
    }


def outcome_of(content: Mapping[str, Any]) -> Outcome:
    """What `main` wrote; figures that could not be measured are NaN again."""
    metrics = {name: float("nan") if value is None else value for name, value in content["metrics"].items()}
    return Outcome(**{**content, "metrics": metrics})


def main(path: Path) -> None:
    """Run what a file asks for, and write the outcome beside it, whole or not at all."""
    outcome = asdict(run(Run(**json.loads(path.read_text(encoding="utf-8")))))
    outcome["metrics"] = {name: value if value == value else None for name, value in outcome["metrics"].items()}
    write_atomic(outcome_path(path), json.dumps(outcome, indent=1, allow_nan=False).encode())


def outcome_path(path: Path) -> Path:
    """Where the outcome of a run goes."""
    return path.with_suffix(".outcome.json")


if __name__ == "__main__":
    collect_rarely()
    try:
        for module in sys.argv[2:]:
            import_module(module)
        main(Path(sys.argv[1]))
    except SluicegateError as error:
        sys.exit(" ".join(str(error).split()))

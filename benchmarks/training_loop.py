"""What the training loop costs beside the step itself, for a small and for the default forecaster.

    python benchmarks/training_loop.py [--write docs/benchmarks.md]

Three loops take the same steps in turn: the bare one (batch, forward, backward, AdamW), Sluicegate's (with its
schedule, clipping, averaged weights, seeding and progress), and, where the package `lightning` is installed, Lightning
Fabric's with nothing but its wrappers around the bare one.
"""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Iterator

import torch
from document import machine, measure_sections
from torch import Tensor, nn

from sluicegate.tasks.forecast.model import SegmentForecaster, Shape, loss
from sluicegate.training import Part, Schedule, train

STEPS, ROUNDS = 60, 7
QUANTILES = torch.tensor([0.1, 0.5, 0.9])
Loss = Callable[[torch.Generator], Tensor]


def problem(hidden: int, batch: int) -> tuple[nn.Module, Loss]:
    """A forecaster of 96 hours from 336, and its loss on random windows."""
    model = SegmentForecaster(Shape(336, 96, 24, 0, 0, 10, 4, 2, "gru", hidden, 1, 0.3))
    calendar = torch.randn(batch, 18, 10)
    past, known = torch.zeros(batch, 0, 336), torch.zeros(batch, 0, 432)

    def mean_loss(_: int, draw: torch.Generator) -> Tensor:
        window = torch.randn(batch, 432, generator=draw)
        context, truth = window[:, :336], window[:, 336:]
        return loss(model(context, past, known, calendar), truth, truth, QUANTILES)

    return model, mean_loss


def bare(model: nn.Module, mean_loss: Loss) -> None:
    """The step and nothing else."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    draw = torch.Generator()
    model.train()
    for _ in range(STEPS):
        optimiser.zero_grad()
        mean_loss(0, draw).backward()
        optimiser.step()


def ours(model: nn.Module, mean_loss: Loss) -> None:
    """Sluicegate's loop; the validation checks are not steps and are left out."""
    train(model, [Part(model, mean_loss, lambda: 0.0)], Schedule(STEPS, STEPS, 1, 1e-3), seed=0, progress=True)


def fabric(model: nn.Module, mean_loss: Loss) -> None:
    """Lightning Fabric's wrappers around the bare step."""
    from lightning.fabric import Fabric

    wrapper = Fabric(accelerator="cpu", devices=1)
    wrapped, optimiser = wrapper.setup(model, torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True))
    draw = torch.Generator()
    wrapped.train()
    for _ in range(STEPS):
        optimiser.zero_grad()
        wrapper.backward(mean_loss(0, draw))
        optimiser.step()


def table(_: Namespace) -> Iterator[str]:
    """The median time of a step in each loop, the loops taking turns."""
    loops: dict[str, Callable[[nn.Module, Loss], None]] = {"bare step": bare, "Sluicegate's loop": ours}
    try:
        import lightning.fabric  # noqa: F401 - to know whether it is there
    except ImportError:
        print("lightning is not installed: its row is left out")
    else:
        loops["Lightning Fabric"] = fabric
    yield "| loop | hidden 32, batch 32 | hidden 128, batch 256 |"
    yield "| --- | --- | --- |"
    columns: list[dict[str, float]] = []
    for hidden, batch in ((32, 32), (128, 256)):
        taken: dict[str, list[float]] = {name: [] for name in loops}
        for round_ in range(ROUNDS + 1):
            for name, loop in loops.items():
                model, mean_loss = problem(hidden, batch)
                begin = time.perf_counter()
                loop(model, mean_loss)
                if round_ > 0:  # the first warms up
                    taken[name].append((time.perf_counter() - begin) / STEPS)
        columns.append({name: statistics.median(times) for name, times in taken.items()})
    for name in loops:
        cells = [f"{1e3 * c[name]:.2f} ms ({c[name] / c['bare step'] - 1:+.0%})" for c in columns]
        yield f"| {name} | {' | '.join(cells)} |"
    yield from ("", f"Median of {ROUNDS} rounds of {STEPS} steps, measured on {machine()}.")


if __name__ == "__main__":
    measure_sections({"training-loop": table}, __doc__)

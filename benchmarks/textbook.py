"""The textbook's example, from the first batch to the last: how long a GRU takes to learn a sine wave.

    python benchmarks/textbook.py [--threads 1,2] [--write docs/benchmarks.md]

950 windows of 50 points, a GRU of 50 units with ReLU and a dense layer on its last state, Adam, batches of 32, 50
epochs: 1,500 steps. Ours goes through the training loop that every task uses, with its schedule, clipping, averaged
weights and progress, and through the bare step; PyTorch's GRU, which has no ReLU and so takes tanh, through the bare
step. They take turns.
"""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from document import machine, measure_sections
from torch import Tensor, nn

import sluicegate.nn
from sluicegate.training import Part, Schedule, train

POINTS, WINDOW, UNITS, BATCH, EPOCHS, ROUNDS = 1000, 50, 50, 32, 50, 5
RATE = 1e-3


class Textbook(nn.Module):
    """A recurrent layer, and a dense one on its last state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.dense = nn.Linear(UNITS, 1)

    def forward(self, windows: Tensor) -> Tensor:
        """The point that follows each window."""
        _, state = self.layer(windows)
        value: Tensor = self.dense(state[-1])
        return value


def sine() -> tuple[Tensor, Tensor]:
    """Every window of the wave, `[time window 1]`, and the point after it."""
    wave = torch.sin(torch.arange(POINTS) * 0.1)
    windows = wave.unfold(0, WINDOW + 1, 1)
    return windows[:, :WINDOW].T.unsqueeze(-1).contiguous(), windows[:, WINDOW:]


def through_the_loop(model: nn.Module, x: Tensor, y: Tensor) -> None:
    """Sluicegate's loop, with a validation check on all windows every ten epochs."""
    rows, per_epoch = x.shape[1], -(-x.shape[1] // BATCH)

    def loss(_: int, draw: torch.Generator) -> Tensor:
        chosen = torch.randint(rows, (BATCH,), generator=draw)
        return F.mse_loss(model(x[:, chosen]), y[chosen])

    def validate() -> float:
        return F.mse_loss(model(x), y).item()

    schedule = Schedule(EPOCHS * per_epoch, 10 * per_epoch, EPOCHS, RATE)
    train(model, [Part(model, loss, validate)], schedule, seed=0, progress=True)


def bare(model: nn.Module, x: Tensor, y: Tensor) -> None:
    """The step and nothing else."""
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(x.shape[1]).split(BATCH):
            optimiser.zero_grad()
            F.mse_loss(model(x[:, chosen]), y[chosen]).backward()
            optimiser.step()


CONTENDERS: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module, Tensor, Tensor], None]]] = {
    "Sluicegate, ReLU, its loop": (lambda: sluicegate.nn.GRU(1, UNITS, activation="relu"), through_the_loop),
    "Sluicegate, ReLU, bare steps": (lambda: sluicegate.nn.GRU(1, UNITS, activation="relu"), bare),
    "PyTorch, tanh, bare steps": (lambda: nn.GRU(1, UNITS), bare),
}


def measure(threads: int) -> dict[str, tuple[float, float]]:
    """The median time of each in seconds, and the loss that it ended with."""
    torch.set_num_threads(threads)
    x, y = sine()
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    losses = {}
    for _ in range(ROUNDS):
        for name, (layer, run) in CONTENDERS.items():
            torch.manual_seed(0)
            model = Textbook(layer())
            begun = time.perf_counter()
            run(model, x, y)
            times[name].append(time.perf_counter() - begun)
            with torch.no_grad():
                losses[name] = F.mse_loss(model(x), y).item()
    return {name: (statistics.median(times[name]), losses[name]) for name in CONTENDERS}


def table(options: Namespace) -> Iterator[str]:
    """A row for each contender, a column for each number of threads."""
    found = [measure(threads) for threads in options.threads]
    yield f"| | {' | '.join(f'threads: {n}' for n in options.threads)} | loss at the end |"
    yield f"| --- | {'--- | ' * (len(found) + 1)}".rstrip()
    for name in CONTENDERS:
        seconds = " | ".join(f"{figures[name][0]:.2f} s" for figures in found)
        yield f"| {name} | {seconds} | {found[0][name][1]:.1e} |"
    yield from ("", f"Medians of {ROUNDS} rounds, measured on {machine()}.")


if __name__ == "__main__":
    measure_sections({"textbook": table}, __doc__, threads=(1, 2))

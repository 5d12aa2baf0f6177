"""Handwritten digits, read one point after the other: how accurate each kind of layer is."""

from __future__ import annotations

import statistics
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from sluicegate.types import Cell

from .finding import Finding, judged, listed
from .network import CLAIMED, NAMES, Network


class Size(NamedTuple):
    """How large the experiment is."""

    hidden: int = 64
    epochs: int = 40
    seeds: int = 3
    rows: int = 64
    images: int | None = None
    """So many of the data set's, or all 1,797."""


QUICK = Size(hidden=8, epochs=1, seeds=2, images=200)
RATE = 5e-3
TIE = 0.01
"""Accuracies that differ by less than this are called the same: on 360 test images one is 0.003."""


class Digits(NamedTuple):
    """Images as sequences of their 64 points from 0 to 1, row by row, and the digits that they show."""

    train: Float[Tensor, "64 train 1"]
    train_digits: Int[Tensor, " train"]
    test: Float[Tensor, "64 test 1"]
    test_digits: Int[Tensor, " test"]


def digits(size: Size, *, permuted: bool) -> Digits:
    """A fifth of scikit-learn's images for the test, chosen and permuted by the same seed each time."""
    images, labels = load_digits(return_X_y=True)
    chance = np.random.default_rng(0)
    chosen = chance.permutation(len(images))[: size.images]
    points = chance.permutation(64) if permuted else np.arange(64)
    x = torch.tensor(images[chosen][:, points] / 16, dtype=torch.float32).T.unsqueeze(-1)
    y = torch.tensor(labels[chosen])
    tests = len(chosen) // 5
    return Digits(x[:, tests:], y[tests:], x[:, :tests], y[:tests])


def accuracy(kind: Cell, data: Digits, size: Size, seed: int) -> float:
    """Train a network and return the share of test images that it reads right."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    network = Network(kind, 1, size.hidden, 10, num_layers=2 if kind == "mingru" else 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    rows = data.train.shape[1]
    batches = -(-rows // size.rows)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=size.epochs * batches)
    for _ in range(size.epochs):
        for chosen in torch.randperm(rows, generator=draw).split(size.rows):  # type: ignore[no-untyped-call]
            optimiser.zero_grad()
            loss = F.cross_entropy(network(data.train[:, chosen], 1)[0], data.train_digits[chosen])
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        return float((network(data.test, 1)[0].argmax(-1) == data.test_digits).float().mean())


def logistic(data: Digits) -> float:
    """The share that logistic regression on all 64 points at once reads right."""
    model = LogisticRegression(max_iter=2000).fit(data.train.squeeze(-1).T.numpy(), data.train_digits.numpy())
    return float(model.score(data.test.squeeze(-1).T.numpy(), data.test_digits.numpy()))


def examine(size: Size = Size()) -> Finding:  # noqa: B008 - a tuple, immutable
    """Train each kind of layer on the digits row by row, and on the same points in an order drawn at random."""
    orders = {"row by row": digits(size, permuted=False), "permuted": digits(size, permuted=True)}
    found = {
        (kind, order): [accuracy(kind, data, size, seed) for seed in range(size.seeds)]
        for order, data in orders.items()
        for kind in CLAIMED
    }
    table = [["layer", *(f"{order}: test images right" for order in orders), "parameters"]]
    for kind in CLAIMED:
        network = Network(kind, 1, size.hidden, 10, num_layers=2 if kind == "mingru" else 1)
        count = sum(weight.numel() for weight in network.parameters())
        table.append([NAMES[kind], *(_spread(found[kind, order]) for order in orders), f"{count:,}"])
    simple = logistic(orders["row by row"])
    table.append(["logistic regression on all 64 points at once", f"{simple:.1%}", f"{simple:.1%}", "650"])
    means = {key: statistics.mean(values) for key, values in found.items()}
    as_good = [order for order in orders if means["gru", order] > means["lstm", order] - TIE]
    differences = listed([f"{100 * (means['gru', o] - means['lstm', o]):+.1f} points {o}" for o in orders])
    worse = [f"{NAMES[kind]} {order}" for (kind, order), mean in means.items() if mean < simple]
    outcome = (
        f"The GRU is as accurate as the LSTM or better {listed(as_good)} ({differences}). Logistic regression, which "
        f"has no memory and needs none, as it sees all points at once, reads {simple:.1%} right: better than "
        f"{listed(worse)}."
    )
    return Finding(
        "digits",
        "Digits, one point after the other",
        "A GRU is as accurate as an LSTM on most tasks.",
        f"scikit-learn's {len(orders['permuted'].train_digits) + len(orders['permuted'].test_digits):,} images of 8 x "
        f"8 points as sequences of 64 steps of one number, a fifth of them for the test; {size.hidden} units (the "
        f"MinGRU in two layers), {size.epochs} epochs of Adam, means and ranges of {size.seeds} seeds. {TIE:.0%} "
        "counts as the same.",
        table,
        judged(*(order in as_good for order in orders)),
        outcome,
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.1%} ({min(values):.1%} to {max(values):.1%})"

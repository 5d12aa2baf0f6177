"""Demand that is often zero, made up: five kinds, each of series with levels of their own, and what is expected."""

from __future__ import annotations

import numpy as np
import polars as pl

SERIES, DAYS, CUT, AHEAD = 200, 420, 336, 14  # of each kind of demand, and where training ends


def _week(rng: np.random.Generator) -> np.ndarray:
    return 1 + 0.6 * np.sin(2 * np.pi * (np.arange(DAYS) + rng.integers(7)) / 7)


def _bursts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    share, size = rng.uniform(0.06, 0.14), rng.uniform(2, 6)
    return (rng.random(DAYS) < share) * rng.poisson(size, DAYS), np.full(DAYS, share * size)


def _negative_binomial(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    mean = rng.uniform(0.8, 2.4) * _week(rng)
    return rng.negative_binomial(1, 1 / (1 + mean)), mean


def _amounts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    share, level, sigma = rng.uniform(0.2, 0.4), np.exp(rng.normal(3, 1.2)), rng.uniform(0.5, 1.2)
    values = (rng.random(DAYS) < share) * level * np.exp(sigma * rng.normal(size=DAYS))
    return values, np.full(DAYS, share * level * np.exp(sigma**2 / 2))


def _trend(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    mean = np.exp(rng.normal(-1, 0.8)) * np.linspace(1, rng.uniform(0.5, 2.0), DAYS) * _week(rng)
    return rng.poisson(mean), mean


def _rare(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    share = 0.05 * _week(rng)
    return (rng.random(DAYS) < share) * (1 + rng.geometric(0.3, DAYS)), share * (1 + 1 / 0.3)


DEMAND = {
    "bursts: Bernoulli x Poisson": _bursts,
    "negative binomial, weekly": _negative_binomial,
    "amounts: Bernoulli x lognormal": _amounts,
    "Poisson, weekly, with a trend": _trend,
    "rare: weekly Bernoulli x geometric": _rare,
}


def demand(kind: str, seed: int) -> pl.DataFrame:
    """Series of demand of one kind, each with levels of its own, and what is expected of each day."""
    parts = []
    for i in range(SERIES):
        units, expected = DEMAND[kind](np.random.default_rng([seed, i, list(DEMAND).index(kind)]))
        parts.append(
            pl.DataFrame({"day": range(DAYS), "item": str(i), "units": units * 1.0, "expected": expected * 1.0})
        )
    return pl.concat(parts)

import numpy as np
import polars as pl
import pytest
import torch

from sluicegate import Forecaster
from sluicegate.tasks.forecast import refining


def trained(table, **options):
    return Forecaster(horizon=6, context=24, hidden=8, steps=50).fit(table, time="t", target="y", **options)._trained


@pytest.fixture(scope="module")
def table():
    return pl.DataFrame(
        {"t": range(400), "y": np.sin(np.arange(400) / 4) + np.random.default_rng(0).normal(0, 0.1, 400)}
    )


def test_rows_that_were_held_back_are_trained_on_at_last(table, monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.forecast.objective.Objective.share", lambda *arguments: 1.0)
    taken, real = [], refining.refine
    monkeypatch.setattr(refining, "refine", lambda *arguments, steps, **others: taken.append(steps))
    plain = trained(table)
    monkeypatch.setattr(refining, "refine", real)
    refined = trained(table)
    assert taken == [10]
    assert not torch.equal(plain.model.shortcut, refined.model.shortcut)
    assert (refined.trained_until == refined.ends).all()


def test_rows_given_to_validate_are_never_trained_on(table, monkeypatch):
    monkeypatch.setattr(refining, "refine", lambda *arguments, **others: pytest.fail("trained on validation rows"))
    kept = trained(table[:300], validation=table[300:])
    assert (kept.trained_until == 299).all()
    assert (kept.ends == 399).all()


def test_what_did_not_hold_is_not_learnt_further(table, monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.forecast.objective.Objective.share", lambda *arguments: 0.0)
    monkeypatch.setattr(refining, "refine", lambda *arguments, **others: pytest.fail("the linear forecast was right"))
    kept = trained(table)
    assert (kept.trained_until < kept.ends).all()


def loss_of(model, x):
    return (model(x) - 3).square().mean().item()


def test_small_steps_lower_the_loss_and_leave_chance_alone():
    model = torch.nn.Linear(1, 1)
    x = torch.linspace(-1, 1, 20)[:, None]
    state = torch.get_rng_state()

    def loss(generator):
        return (model(x[torch.randint(20, (8,), generator=generator)]) - 3).square().mean()

    before = loss_of(model, x)
    refining.refine(model, loss, steps=100, learning_rate=0.1, seed=0)
    assert loss_of(model, x) < 0.5 * before
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    assert refining.most(100) == 20
    assert refining.most(10_000) == 400


def test_the_rate_of_the_small_steps_falls_to_nothing():
    steps, rate = 10, 0.02
    first, slope = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0)) / 100  # too short to be clipped
    ours, theirs = (torch.nn.ParameterList([first.clone()]) for _ in range(2))
    refining.refine(ours, lambda _: (ours[0] * slope).sum(), steps=steps, learning_rate=rate, seed=0)
    optimizer = torch.optim.AdamW(theirs.parameters(), weight_decay=0.0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.3 * rate * (1 - step / steps)
        theirs[0].grad = slope.clone()
        optimizer.step()
    assert torch.equal(ours[0], theirs[0])

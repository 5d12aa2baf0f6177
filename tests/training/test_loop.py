"""The loop learns, stops when it should, and goes on to the bit where it was stopped."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from sluicegate.errors import BundleError, ConfigError, DataError
from sluicegate.training import Part, Schedule, train
from sluicegate.training.optimizer import _clip

SCHEDULE = Schedule(steps=120, every=10, patience=100, learning_rate=0.02, average=0.9)
TRUTH = torch.tensor([[1.0, -2.0, 0.5]])


def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.1), nn.Tanh(), nn.Linear(8, 1))


class Normalised(nn.Module):
    """Has statistics that training changes, and numbers that two places share and no training does."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.last = nn.BatchNorm1d(3), nn.Linear(3, 1)
        shared = torch.ones(3)
        for name in ("one", "other"):
            self.register_buffer(name, shared.view(3), persistent=False)

    def forward(self, x):
        return self.last(self.norm(x) * self.one + self.other)


def run(model, schedule=SCHEDULE, **options):
    held_back = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))

    def loss(_, generator):
        x = torch.randn(32, 3, generator=generator)
        return (model(x) - x @ TRUTH.T).square().mean()

    def validate():
        return float((model(held_back) - held_back @ TRUTH.T).square().mean().detach())

    options = {"seed": 5, "progress": False, **options}
    return train(model, [Part(model, loss, validate)], schedule, **options)


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def test_learns():
    model = make()
    curve = run(model)
    assert curve.steps == list(range(10, 121, 10))
    assert min(curve.validation) < 0.2 * curve.validation[0]


@pytest.mark.parametrize("make", [make, Normalised])
def test_ends_with_the_best_weights(make):
    model = make()
    curve = run(model)
    held_back = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
    final = float((model(held_back) - held_back @ TRUTH.T).square().mean().detach())
    assert final == pytest.approx(min(curve.validation), rel=1e-6)


@pytest.mark.parametrize(("min_delta", "stopped"), [(0.0, 7), (0.6, 5)])
def test_stops_when_nothing_gets_better(min_delta, stopped):
    model = make()
    looks = iter([1.0, 2.0, 0.5, *[3.0] * 50])
    curve = train(
        model,
        [
            Part(
                model,
                lambda _, generator: model(torch.randn(4, 3, generator=generator)).square().mean(),
                lambda: next(looks),
            )
        ],
        Schedule(steps=400, every=10, patience=4, learning_rate=0.01, min_delta=min_delta),
        seed=0,
        progress=False,
    )
    assert curve.validation == [1.0, 2.0, 0.5, 3.0, 3.0, 3.0, 3.0][:stopped]


@pytest.mark.parametrize("make", [make, Normalised])
@pytest.mark.parametrize("stopped_at", [1, 4, 11])
def test_resumed_run_ends_with_the_same_bits(tmp_path, stopped_at, make):
    whole = make()
    curve = run(whole, fingerprint="a")
    part, path, looks = make(), tmp_path / "state", []

    class KilledError(Exception):
        pass

    def stop_after_a_look():
        looks.append(1)
        if len(looks) > stopped_at:
            raise KilledError
        held_back = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))
        return float((part(held_back) - held_back @ TRUTH.T).square().mean().detach())

    def loss(_, generator):
        x = torch.randn(32, 3, generator=generator)
        return (part(x) - x @ TRUTH.T).square().mean()

    with pytest.raises(KilledError):
        train(
            part,
            [Part(part, loss, stop_after_a_look)],
            SCHEDULE,
            seed=5,
            fingerprint="a",
            checkpoint=path,
            progress=False,
        )
    torch.manual_seed(99)  # nothing may hang on what the process drew before
    part = make()
    resumed = run(part, fingerprint="a", checkpoint=path, resume=True)
    assert resumed == curve
    state = part.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in whole.state_dict().items())


class Pair(nn.Module):
    """Two networks that have nothing to do with each other."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.members = nn.ModuleList(nn.Linear(3, 1) for _ in range(2))

    def parts(self, stop=lambda: None):
        held_back = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))

        def loss(member, _, generator):
            x = torch.randn(32, 3, generator=generator)
            return (member(x) - x @ TRUTH.T).square().mean()

        def validate(member):
            stop()
            with torch.no_grad():
                return float((member(held_back) - held_back @ TRUTH.T).square().mean())

        return [Part(member, partial(loss, member), partial(validate, member)) for member in self.members]


def test_a_part_that_nothing_validates_ends_at_the_step_that_is_best_for_the_others():
    bare, beside = Pair(), Pair()
    schedule = replace(SCHEDULE, steps=60, every=10)
    curve = train(
        beside, [beside.parts()[0], beside.parts()[1]._replace(validate=None)], schedule, seed=0, progress=False
    )
    alone = train(bare.members[0], bare.parts()[:1], schedule, seed=0, progress=False)
    assert curve.validation == alone.validation
    assert not torch.equal(beside.members[1].weight, Pair().members[1].weight), "it is trained"


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_a_part_is_trained_as_it_would_be_alone(threads):
    pair, alone = Pair(), Pair()
    train(pair, pair.parts(), SCHEDULE, seed=5, progress=False)
    (first, _), (other, _) = pair.members, alone.members
    train(other, alone.parts()[:1], SCHEDULE, seed=5, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(other), strict=True))


def test_parts_have_the_same_bits_on_any_number_of_threads():
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        pair = Pair()
        curve = train(pair, pair.parts(), SCHEDULE, seed=5, progress=False)
        found.append((curve, weights(pair)))
    torch.set_num_threads(before)
    assert found[0][0] == found[1][0]
    assert all(torch.equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))


def test_each_part_draws_its_own():
    pair, drawn = Pair(), []

    def loss(member, _, generator):
        drawn.append(float(torch.rand((), generator=generator)))
        return member(torch.ones(1, 3)).mean()

    parts = [part._replace(loss=partial(loss, part.model)) for part in pair.parts()]
    train(pair, parts, Schedule(steps=4, every=2, patience=9, learning_rate=0.01), seed=0, progress=False)
    assert len(set(drawn)) == 8


def test_several_parts_are_resumed_to_the_same_bits(tmp_path, threads):
    class KilledError(Exception):
        pass

    whole, part, looks = Pair(), Pair(), []
    curve = train(whole, whole.parts(), SCHEDULE, seed=5, progress=False)

    def stop_after_a_look():
        looks.append(1)
        if len(looks) > 7:
            raise KilledError

    with pytest.raises(KilledError):
        train(part, part.parts(stop_after_a_look), SCHEDULE, seed=5, checkpoint=tmp_path / "state", progress=False)
    part = Pair()
    resumed = train(part, part.parts(), SCHEDULE, seed=5, checkpoint=tmp_path / "state", resume=True, progress=False)
    assert resumed == curve
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(part), strict=True))


def test_each_seed_and_each_step_draw_anew():
    drawn = []
    for seed in (0, 1, 2**31 - 1):
        model, schedule = make(), Schedule(steps=4, every=2, patience=9, learning_rate=0.01)

        def loss(_, generator, model=model):
            drawn.append((float(torch.rand((), generator=generator)), float(torch.rand(()))))
            return model(torch.ones(1, 3)).mean()

        train(model, [Part(model, loss, lambda: 1.0)], schedule, seed=seed, progress=False)
    of_batches, of_dropout = zip(*drawn, strict=True)
    assert len(set(of_batches)) == len(set(of_dropout)) == 12


def test_leaves_the_callers_chance_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    model = make()
    torch.manual_seed(7)
    run(model)
    assert torch.equal(torch.rand(3), expected)


def test_checkpoint_of_another_run_is_refused(tmp_path):
    run(make(), fingerprint="a", checkpoint=tmp_path / "state")
    with pytest.raises(ConfigError, match="other data or settings"):
        run(make(), fingerprint="b", checkpoint=tmp_path / "state", resume=True)


def test_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "state"
    run(make(), fingerprint="a", checkpoint=path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BundleError, match="damaged"):
        run(make(), fingerprint="a", checkpoint=path, resume=True)


def test_a_loss_that_is_no_number_is_named():
    model = make()
    with pytest.raises(DataError, match="lost its way"):
        train(
            model,
            [Part(model, lambda _, generator: model(torch.full((2, 3), float("nan"))).mean(), lambda: 1.0)],
            SCHEDULE,
            seed=0,
            progress=False,
        )


@pytest.mark.parametrize("size", [0.01, 3.0, float("nan")])
def test_the_gradient_is_shortened_as_pytorch_does(size):
    models = [nn.Linear(3, 2) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    for model in models:
        (model(torch.ones(1, 3)).sum() * size).backward()
    _clip([*models[0].parameters(), nn.Parameter(torch.ones(4))], 1.0)
    nn.utils.clip_grad_norm_(models[1].parameters(), 1.0)
    for mine, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=0, atol=0, equal_nan=True)


def test_the_rate_rises_then_falls():
    rates = [SCHEDULE.rate(step) for step in range(120)]
    top = rates.index(max(rates))
    assert 0 < top < 60
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.05 * max(rates)


def test_each_step_is_that_of_adamw_at_the_rate_of_the_schedule():
    """With a gradient that no weight changes, and averages that keep nothing of the past."""
    schedule = Schedule(steps=60, every=60, patience=1, learning_rate=0.02, average=0.0)
    slope = torch.tensor([0.3, -0.2, 0.1])
    ours, theirs = nn.ParameterList([torch.ones(3)]), nn.ParameterList([torch.ones(3)])
    train(ours, [Part(ours, lambda *_: (ours[0] * slope).sum(), lambda: 0.0)], schedule, seed=0, progress=False)
    optimizer = torch.optim.AdamW(theirs.parameters(), weight_decay=schedule.weight_decay, fused=True)
    for step in range(schedule.steps):
        optimizer.param_groups[0]["lr"] = schedule.rate(step)
        theirs[0].grad = slope.clone()
        optimizer.step()
    assert torch.equal(ours[0], theirs[0])

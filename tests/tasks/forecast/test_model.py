"""What is left of training when it is tempered: by the outputs, and weight by weight for a network of one unit."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.forecast.model import SegmentForecaster, Shape, temper

CONTEXT, HORIZON, MEDIAN = 7, 5, 3
MEAN, QUANTILES = 0, [1, 2, 3, 4]


def shape(**other):
    """Two segments ahead, of which the second is longer than what is left of the horizon."""
    sizes = {"context": CONTEXT, "horizon": HORIZON, "segment": 3, "past": 1, "known": 0, "calendar": 0}
    network = {"outputs": 5, "median": MEDIAN, "cell": "gru", "hidden": 4, "layers": 1, "dropout": 0.5}
    return Shape(**sizes | network | other)


@pytest.fixture
def model():
    """A network that has moved far from its start, everywhere."""
    torch.manual_seed(0)
    model = SegmentForecaster(shape()).eval()
    with torch.no_grad():
        for values in model.parameters():
            values.copy_(torch.randn(values.shape))
    return model


@pytest.fixture
def start():
    return torch.randn(HORIZON, CONTEXT, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(2)
    context, past = (torch.randn(*size, generator=generator) for size in ((9, CONTEXT), (9, 1, CONTEXT)))
    return context, past, torch.zeros(9, 0, CONTEXT + HORIZON), torch.zeros(9, 5, 0)


def outputs_of(model, inputs):
    with torch.no_grad():
        return model(*inputs).double().numpy()


def linear_forecast(start, context):
    """The last value, and the map of what the context was above it."""
    context, start = context.double().numpy(), start.double().numpy()
    last = context[:, -1:]
    return last + np.array([[row @ (window - window[-1]) for row in start] for window in context])


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9, 1.0])
def test_mean_and_median_are_mixed_with_the_start_and_the_distances_stay(model, start, inputs, share):
    linear, before = linear_forecast(start, inputs[0]), outputs_of(model, inputs)
    temper(model, share, start)
    after = outputs_of(model, inputs)
    for output in (MEAN, MEDIAN):
        np.testing.assert_allclose(
            after[..., output], (1 - share) * linear + share * before[..., output], rtol=1e-4, atol=1e-4
        )
    for output in QUANTILES:
        np.testing.assert_allclose(
            after[..., output] - after[..., MEDIAN], before[..., output] - before[..., MEDIAN], rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("median", [1, 2])
def test_weight_by_weight(median):
    """One unit, segments of two steps, a mean and two quantiles, the first or the second of which is the median."""
    model = SegmentForecaster(shape(context=2, horizon=2, segment=2, outputs=3, median=median, hidden=1))
    with torch.no_grad():
        model.shortcut.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        model.head.weight.copy_(torch.tensor([[8.0], [4.0], [12.0], [16.0], [-4.0], [20.0]]))
        model.head.bias.copy_(torch.tensor([4.0, 8.0, 0.0, -8.0, 4.0, 12.0]))
    temper(model, 0.25, torch.tensor([[5.0, 2.0], [-1.0, 0.0]]))
    assert model.shortcut.tolist() == [[4.0, 2.0], [0.0, 1.0]]
    # Of each step the mean is a quarter, and three quarters of the median are taken off both quantiles.
    weight, bias = {
        1: ([2.0, 1.0, 9.0, 4.0, -1.0, 23.0], [1.0, 2.0, -6.0, -2.0, 1.0, 9.0]),
        2: ([2.0, -5.0, 3.0, 4.0, -19.0, 5.0], [1.0, 8.0, 0.0, -2.0, -5.0, 3.0]),
    }[median]
    assert model.head.weight.flatten().tolist() == weight
    assert model.head.bias.tolist() == bias


def test_of_none_the_linear_forecast_is_left(model, start, inputs):
    temper(model, 0.0, start)
    assert torch.equal(model.shortcut, start)
    after, linear = outputs_of(model, inputs), linear_forecast(start, inputs[0])
    np.testing.assert_allclose(after[..., MEAN], linear, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(after[..., MEDIAN], linear, rtol=1e-5, atol=1e-5)


def test_of_all_nothing_is_taken(model, start, inputs):
    head = [values.clone() for values in (model.head.weight, model.head.bias)]
    before = outputs_of(model, inputs)
    temper(model, 1.0, start)
    assert torch.equal(model.head.weight, head[0])
    assert torch.equal(model.head.bias, head[1])
    np.testing.assert_allclose(outputs_of(model, inputs), before, rtol=1e-5, atol=1e-5)


def test_a_context_that_never_changed_keeps_the_distances_alone(model, start):
    """There the linear forecast is the level, whatever its map."""
    context = torch.full((1, CONTEXT), 3.0)
    inputs = context, torch.zeros(1, 1, CONTEXT), torch.zeros(1, 0, CONTEXT + HORIZON), torch.zeros(1, 5, 0)
    before = outputs_of(model, inputs)
    temper(model, 0.5, start)
    after = outputs_of(model, inputs)
    for output in (MEAN, MEDIAN):
        np.testing.assert_allclose(after[..., output] - 3, (before[..., output] - 3) / 2, rtol=1e-4, atol=1e-5)


def test_the_parameters_stay_the_ones_that_they_were(model, start):
    """What is not of the head or the shortcut is left, the start is too, and training could go on."""
    untouched = {name: values.clone() for name, values in model.named_parameters()}
    before, places = start.clone(), {name: id(values) for name, values in model.named_parameters()}
    temper(model, 0.5, start)
    changed = {name for name, values in model.named_parameters() if not torch.equal(values, untouched[name])}
    assert changed == {"shortcut", "head.weight", "head.bias"}
    assert torch.equal(start, before)
    assert {name: id(values) for name, values in model.named_parameters()} == places
    assert all(values.requires_grad and values.is_leaf for values in model.parameters())

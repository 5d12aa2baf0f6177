"""Keras' layers within a block put out what they do without, and have the same gradients."""

import numpy as np
import pytest
import torch

import sluicegate

keras = pytest.importorskip("keras", reason="keras is not installed: `make test-adapters` installs it")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend: set KERAS_BACKEND=torch", allow_module_level=True)
layers = keras.layers

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
TOLERANCE = {"rtol": 1e-5, "atol": 3e-6}  # gradients are sums of up to some 100 numbers

MASKS = {
    "padded": [[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0]],
    "leading": [[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 1]],
    "holes": [[1, 0, 1, 1, 0, 1], [0, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0]],
    "all of a row": [[0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]],
    "all": [[0] * STEPS] * BATCH,
}


def cells(**options):
    return [layers.GRUCell(UNITS, **options), layers.LSTMCell(4), layers.SimpleRNNCell(UNITS, activation="relu")]


FORMS = {
    "GRU": lambda **o: layers.GRU(UNITS, **o),
    "GRU, ReLU": lambda **o: layers.GRU(UNITS, activation="relu", **o),
    "GRU, reset before": lambda **o: layers.GRU(UNITS, reset_after=False, **o),
    "GRU, no bias": lambda **o: layers.GRU(UNITS, use_bias=False, **o),
    "GRU, reset before, no bias, ReLU": lambda **o: layers.GRU(
        UNITS, reset_after=False, use_bias=False, activation="relu", **o
    ),
    "LSTM": lambda **o: layers.LSTM(UNITS, **o),
    "LSTM, ReLU": lambda **o: layers.LSTM(UNITS, activation="relu", **o),
    "LSTM, no bias": lambda **o: layers.LSTM(UNITS, use_bias=False, **o),
    "SimpleRNN": lambda **o: layers.SimpleRNN(UNITS, **o),
    "SimpleRNN, ReLU, no bias": lambda **o: layers.SimpleRNN(UNITS, activation="relu", use_bias=False, **o),
    "RNN over a GRUCell": lambda **o: layers.RNN(layers.GRUCell(UNITS, reset_after=False), **o),
    "RNN over an LSTMCell": lambda **o: layers.RNN(layers.LSTMCell(UNITS), **o),
    "RNN over several cells": lambda **o: layers.RNN(cells(), **o),
}


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def tensors(found):
    return [t for t in keras.tree.flatten(found) if t is not None]


def computed(layer, mask=None, states=None, training=False, x=None):
    """What a layer puts out, and the gradients of its weights, its input and its initial state."""
    x = (drawn(BATCH, STEPS, FEATURES) if x is None else x).clone().requires_grad_()
    states = None if states is None else [s.clone().requires_grad_() for s in states]
    given = {} if states is None else {"initial_state": states}
    found = tensors(layer(x, mask=mask, training=training, **given))
    loss = sum((t * drawn(*t.shape, seed=number)).sum() for number, t in enumerate(found))
    inputs = [v.value for v in layer.trainable_variables] + [x] + (states or [])
    return [t.detach() for t in found], torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)


def with_drawn_weights(layer):
    layer.build((BATCH, STEPS, FEATURES))
    layer.set_weights([0.5 * drawn(*w.shape, seed=n).numpy() for n, w in enumerate(layer.get_weights())])
    return layer


def check(layer, **call):
    """Compare both ways, and see that it was ours that computed the second."""
    if not layer.built:
        with_drawn_weights(layer)
    expected = computed(layer, **call)
    with sluicegate.accelerated(log=False) as summary:
        found = computed(layer, **call)
    assert summary.swapped
    assert not summary.left
    for one, other in zip(expected, found, strict=True):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(b, a, **TOLERANCE)


def mask_of(name):
    return torch.tensor(MASKS[name], dtype=torch.bool)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"return_state": True, "go_backwards": True}])
def test_every_form(form, options):
    check(FORMS[form](**options))


@pytest.mark.parametrize("form", ["GRU, reset before", "LSTM", "SimpleRNN", "RNN over several cells"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("zeros", [True, False])
@pytest.mark.parametrize("sequences", [True, False])
def test_masks(form, mask, zeros, sequences):
    """Also with holes, and of rows that are masked throughout."""
    layer = FORMS[form](return_sequences=sequences, return_state=True, zero_output_for_mask=zeros)
    check(layer, mask=mask_of(mask))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("backwards", [True, False])
def test_masks_with_an_initial_state(mask, backwards):
    layer = layers.LSTM(UNITS, return_sequences=True, return_state=True, go_backwards=backwards)
    check(layer, mask=mask_of(mask), states=[drawn(BATCH, UNITS), drawn(BATCH, UNITS, seed=1)])


def test_an_initial_state():
    check(layers.GRU(UNITS, return_state=True), states=[drawn(BATCH, UNITS)])
    check(layers.SimpleRNN(UNITS, unroll=True), states=[drawn(BATCH, UNITS)])


@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave", None])
def test_both_directions(merge):
    check(layers.Bidirectional(layers.GRU(UNITS, return_sequences=True), merge_mode=merge), mask=mask_of("padded"))


def test_a_mask_of_a_model():
    model = keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.GRU(UNITS), layers.Dense(2)])
    words = torch.tensor([[3, 1, 4, 1, 0, 0], [5, 9 - 1, 2, 6, 5, 3]])
    expected = model(words)
    with sluicegate.accelerated(log=False) as summary:
        torch.testing.assert_close(model(words), expected, **TOLERANCE)
    assert [swap.kind for swap in summary.swapped] == ["GRU"]


DROPPING = {"dropout": {"dropout": 0.5}, "recurrent": {"recurrent_dropout": 0.3}}
DROPPING |= {"both": {"dropout": 0.4, "recurrent_dropout": 0.5}}


@pytest.mark.parametrize("form", ["GRU, ReLU", "GRU, reset before, no bias, ReLU", "LSTM", "SimpleRNN"])
@pytest.mark.parametrize("rates", DROPPING)
@pytest.mark.parametrize("mask", [None, "holes"])
def test_dropout_draws_the_same_numbers(form, rates, mask):
    layer = with_drawn_weights(FORMS[form](**DROPPING[rates], seed=3, return_sequences=True))
    given = {"mask": None if mask is None else mask_of(mask), "training": True}
    before = layer.cell.seed_generator.state.numpy().copy()
    expected, gradients = computed(layer, **given)
    layer.cell.seed_generator.state.assign(before)
    with sluicegate.accelerated(log=False) as summary:
        found, same = computed(layer, **given)
    assert len(summary.swapped) == 1
    torch.testing.assert_close([*found, *same], [*expected, *gradients], **TOLERANCE)


def test_dropout_is_not_in_force_outside_of_training():
    check(layers.GRU(UNITS, recurrent_dropout=0.3, dropout=0.2))


def test_a_stateful_layer_goes_on():
    """Keras on its own writes over the state before the backward pass has read it, so that it has no gradients."""
    one, other = (layers.GRU(UNITS, stateful=True, return_sequences=True) for _ in range(2))
    free = with_drawn_weights(layers.GRU(UNITS, return_sequences=True))
    with_drawn_weights(one)
    with_drawn_weights(other)
    state = torch.zeros(BATCH, UNITS)
    for seed in range(3):
        x = drawn(BATCH, STEPS, FEATURES, seed=seed)
        expected, gradients = computed(free, x=x, states=[state])
        torch.testing.assert_close(one(x).detach(), expected[0], **TOLERANCE)
        with sluicegate.accelerated(log=False):
            found, same = computed(other, x=x)
        torch.testing.assert_close([*found, *same], [*expected, *gradients[:-1]], **TOLERANCE)
        state = expected[0][:, -1]


def test_weights_that_change_are_noticed():
    layer, x = with_drawn_weights(layers.GRU(UNITS)), drawn(BATCH, STEPS, FEATURES)
    with sluicegate.accelerated(log=False), torch.no_grad():
        before = layer(x)
        torch.testing.assert_close(layer(x), before, rtol=0, atol=0)
        layer.cell.recurrent_kernel.value.data.mul_(2)
        after = layer(x)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, layer(x).detach(), **TOLERANCE)


def test_second_derivatives():
    layer, x = with_drawn_weights(layers.GRU(UNITS)), drawn(2, 3, FEATURES).requires_grad_()

    def second():
        (first,) = torch.autograd.grad(layer(x).pow(2).sum(), x, create_graph=True)
        return torch.autograd.grad(first.pow(2).sum(), [x, layer.cell.kernel.value, layer.cell.bias.value])

    expected = second()
    with sluicegate.accelerated(log=False):
        torch.testing.assert_close(second(), expected, **TOLERANCE)


def test_whole_numbers():
    layer, x = with_drawn_weights(layers.SimpleRNN(UNITS)), torch.ones(BATCH, STEPS, FEATURES, dtype=torch.int64)
    expected = layer(x)
    with sluicegate.accelerated(log=False):
        torch.testing.assert_close(layer(x), expected, **TOLERANCE)


def test_training_ends_with_the_same_losses():
    x, y = drawn(64, STEPS, FEATURES).numpy(), drawn(64, 1, seed=1).numpy()

    def model():
        keras.utils.set_random_seed(0)
        made = keras.Sequential([keras.Input((STEPS, FEATURES)), layers.GRU(8, activation="relu"), layers.Dense(1)])
        made.compile(optimizer="adam", loss="mse")
        return made

    def losses(model):
        torch.manual_seed(0)
        return model.fit(x, y, epochs=3, verbose=0).history["loss"]

    expected, another = losses(model()), model()
    with sluicegate.accelerated(log=False) as summary:
        found = losses(another)
    assert len(summary.swapped) == 1
    np.testing.assert_allclose(found, expected, rtol=1e-6)

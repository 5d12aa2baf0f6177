"""Within a block every layer that runs is computed by ours, and nothing is changed for it."""

import copy
import gc
import logging
import pickle
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
import torch
import torch.utils.checkpoint
from torch.nn import GRU as IMPORTED_LONG_AGO
from torch.nn.utils import parametrize

import sluicegate
from sluicegate import nn
from sluicegate.nn.made_classes import OURS
from sluicegate.nn.patch import name_of
from sluicegate.swaps import Summary, Swap

KINDS = list(OURS)
FORWARDS = {kind: kind.forward for kind in KINDS}
CELLS = (torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.ModuleDict({"gru": torch.nn.GRU(3, 4)})
        self.cell = torch.nn.LSTMCell(4, 4)

    def forward(self, x):
        return self.cell(self.encoder["gru"](x)[0][-1])[0]


class Scaled(torch.nn.LSTM):
    def forward(self, x, hx=None):
        output, state = super().forward(x, hx)
        return 2 * output, state


class Doubled(torch.nn.Module):
    def forward(self, weight):
        return 2 * weight


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _all_is_as_before():
    yield
    assert {kind: kind.forward for kind in KINDS} == FORWARDS


def x_for(kind):
    return torch.randn(5, 3) if issubclass(kind, CELLS) else torch.randn(7, 5, 3)


def tensors(value):
    return [value] if isinstance(value, torch.Tensor) else [t for part in value for t in tensors(part)]


def run(module, x):
    results = tensors(module(x))
    weights = torch.Generator().manual_seed(1)
    loss = sum((t * torch.randn(t.shape, generator=weights)).sum() for t in results)
    return results, torch.autograd.grad(loss, list(module.parameters()))


def close(mine, yours):
    torch.testing.assert_close(mine, yours, rtol=1e-5, atol=1e-5)


# What runs


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_from_before_the_block(ran, kind):
    layer, x = kind(3, 4), x_for(kind)
    expected = run(layer, x)
    assert ran == []
    with sluicegate.accelerated() as summary:
        assert type(layer) is kind
        close(run(layer, x), expected)
        layer(x)
    assert ran == [OURS[kind]] * 2
    layer(x)
    assert len(ran) == 2
    assert [(swap.kind, swap.reason) for swap in summary.swapped] == [(kind.__name__, None)]
    assert summary.left == []


def test_a_layer_made_in_the_block_by_a_name_from_before_it(ran):
    with sluicegate.accelerated():
        layer = IMPORTED_LONG_AGO(3, 4)
        assert type(layer) is torch.nn.GRU
        layer(x_for(torch.nn.GRU))
    assert ran == [nn.GRU]


def test_the_very_same_layer_is_trained_in_and_out_of_the_block():
    model, x = Net(), torch.randn(7, 5, 3)
    other = copy.deepcopy(model)
    losses = {}
    for trained in (model, other):
        optimizer = torch.optim.SGD(trained.parameters(), lr=0.5)
        losses[trained] = []

        def step(trained=trained, optimizer=optimizer):
            loss = trained(x).pow(2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[trained].append(loss.item())

        for number in range(9):
            if trained is model and 3 <= number < 6:
                with sluicegate.accelerated():
                    step()
            else:
                step()
    assert losses[model] == pytest.approx(losses[other], rel=1e-4)


def test_mode_and_weights_are_the_layers_own():
    """What is set on the layer after its first run in the block holds in the next."""
    layer, x = torch.nn.GRU(3, 4, num_layers=2, dropout=0.9), x_for(torch.nn.GRU)
    with sluicegate.accelerated():
        layer(x)
        layer.eval()
        layer.weight_hh_l0 = torch.nn.Parameter(torch.randn(12, 4))
        mine = layer(x)
    close(mine, layer(x))


def test_a_subclass_that_goes_on_from_pytorchs_forward(ran):
    layer, x = Scaled(3, 4), torch.randn(7, 2, 3)
    expected = run(layer, x)
    with sluicegate.accelerated() as summary:
        close(run(layer, x), expected)
    assert len(ran) == 1
    assert issubclass(ran[0], nn.LSTM)
    assert [swap.kind for swap in summary.swapped] == ["LSTM"]


def test_parametrised_weights():
    layer, x = torch.nn.GRU(3, 4), torch.randn(7, 2, 3)
    with sluicegate.accelerated() as summary:
        layer(x)
        for name in ("weight_hh_l0", "bias_ih_l0"):
            parametrize.register_parametrization(layer, name, Doubled())
            mine = run(layer, x)
            with monkeypatched_forwards():
                expected = run(layer, x)
            close(mine, expected)
    assert len(summary.swapped) == 1


class monkeypatched_forwards:  # noqa: N801 - reads as a function
    """PyTorch's own `forward`s for a while, within a block."""

    def __enter__(self):
        self.ours = {kind: kind.forward for kind in KINDS}
        for kind in KINDS:
            kind.forward = FORWARDS[kind]

    def __exit__(self, *error):
        for kind in KINDS:
            kind.forward = self.ours[kind]


def test_layers_of_ours_are_not_counted():
    layer = nn.GRU(3, 4)
    with sluicegate.accelerated() as summary:
        layer(torch.randn(7, 2, 3))
    assert summary.swapped == summary.left == []


def test_an_error_is_pytorchs():
    layer = torch.nn.GRU(3, 4)
    with pytest.raises(RuntimeError) as theirs:
        layer(torch.randn(7, 2, 5))
    with sluicegate.accelerated(), pytest.raises(RuntimeError) as ours:
        layer(torch.randn(7, 2, 5))
    assert str(ours.value) == str(theirs.value)


# What a program may do with a layer, and goes on to do


def second_gradient(layer, x):
    x = x.requires_grad_()
    (slope,) = torch.autograd.grad(outputs(layer(x)).sum(), x, create_graph=True)
    return torch.autograd.grad(slope.pow(2).sum(), next(layer.parameters()))


def functional_gradient(layer, x):
    def loss(parameters):
        return outputs(torch.func.functional_call(layer, parameters, (x,))).sum()

    return torch.func.grad(loss)(dict(layer.named_parameters()))


def forward_gradient(layer, x):
    return torch.func.jvp(lambda x: outputs(layer(x)), (x,), (torch.ones_like(x),))


def ensemble(layer, x):
    parameters = {name: torch.stack([p, 2 * p]) for name, p in layer.named_parameters()}
    return torch.func.vmap(lambda p: outputs(torch.func.functional_call(layer, p, (x,))))(parameters)


def changed_in_place(layer, x):
    result = outputs(layer(x.requires_grad_()))
    result += 1
    return torch.autograd.grad(result.pow(2).sum(), x)


def computed_twice(layer, x):
    x = x.requires_grad_()
    result = outputs(torch.utils.checkpoint.checkpoint(layer, x, use_reentrant=False))
    return torch.autograd.grad(result.pow(2).sum(), [x, *layer.parameters()])


def rounded(layer, x):
    with torch.autocast("cpu", torch.bfloat16):
        return outputs(layer(x))


def without_gradients(layer, x):
    with torch.inference_mode():
        return outputs(layer(x))


def outputs(result):
    return result[0] if isinstance(result, tuple) else result


# PyTorch hands its LSTM to oneDNN under autocast, which refuses bfloat16 on processors without AVX-512 or its like.
REFUSES_BF16 = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="PyTorch's own LSTM has no bfloat16 on this processor"
)

# Not all of them work with all of PyTorch's own layers.
DEEDS = [
    *((kind, second_gradient) for kind in KINDS),
    *((kind, functional_gradient) for kind in KINDS),
    *((kind, forward_gradient) for kind in (torch.nn.GRU, torch.nn.RNN, torch.nn.GRUCell, torch.nn.RNNCell)),
    *((kind, ensemble) for kind in (torch.nn.GRUCell, torch.nn.RNNCell)),
    *((kind, changed_in_place) for kind in (torch.nn.GRU, torch.nn.RNN, torch.nn.GRUCell)),
    *((kind, computed_twice) for kind in KINDS),
    *(pytest.param(kind, rounded, marks=REFUSES_BF16 if kind is torch.nn.LSTM else ()) for kind in KINDS),
    *((kind, without_gradients) for kind in KINDS),
]


@pytest.mark.filterwarnings("ignore:There is a performance drop", "ignore:.*deprecated")  # of PyTorch, on itself
@pytest.mark.parametrize(("kind", "deed"), DEEDS)
def test_a_program_goes_on_to(kind, deed):
    layer, x = kind(3, 4), x_for(kind)
    expected = deed(layer, x.clone())
    with sluicegate.accelerated():
        mine = deed(layer, x.clone())
    for one, other in zip(values(mine), values(expected), strict=True):
        assert one.dtype == other.dtype
        tolerance = 0.02 if deed is rounded else 1e-5
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def values(result):
    return tensors(list(result.values()) if isinstance(result, dict) else result)


# What is left


class OwnStep(torch.nn.GRU):
    def permute_hidden(self, hx, permutation):
        return super().permute_hidden(hx, permutation)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: torch.nn.GRU(3, 4, dtype=torch.float64), "float64"),
        (lambda: torch.nn.LSTM(3, 4, proj_size=2, dtype=torch.float32), "a projection (proj_size=2)"),
        (lambda: torch.nn.LSTM(3, 4, device="meta"), "on meta"),
        (lambda: OwnStep(3, 4), "OwnStep has a `permute_hidden` of its own"),
    ],
)
def test_left_and_why(ran, caplog, make, reason):
    layer = make()
    x = torch.randn(7, 2, 3).to(layer.weight_ih_l0)
    with sluicegate.accelerated() as summary:
        layer(x)
        layer(x)
    assert ran == []
    assert summary.swapped == []
    assert [swap.reason for swap in summary.left] == [reason]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("left to PyTorch: test_patch.py:")
    assert record.getMessage().endswith(f", {reason}")


def test_a_layer_is_judged_anew_when_it_changes(ran):
    layer = torch.nn.GRU(3, 4).double()
    x = torch.randn(7, 2, 3)
    with sluicegate.accelerated() as summary:
        layer(x.double())
        assert [swap.reason for swap in summary.left] == ["float64"]
        layer.float()(x)
        assert ran == [nn.GRU]
        assert summary.left == []
        layer.double()(x.double())
    assert ran == [nn.GRU]
    assert summary.swapped == []


def test_it_can_be_silent(caplog):
    caplog.set_level(logging.INFO, "sluicegate")
    with sluicegate.accelerated(log=False):
        torch.nn.GRU(3, 4, dtype=torch.float64)(torch.randn(7, 2, 3, dtype=torch.float64))
    assert caplog.records == []


def test_layers_are_told_by_name_and_place():
    net = torch.nn.Sequential(torch.nn.Tanh(), Net())
    lone = torch.nn.GRU(3, 4)
    with sluicegate.accelerated() as summary:
        net(torch.randn(7, 5, 3))
        lone(torch.randn(7, 5, 3))
    line = test_layers_are_told_by_name_and_place.__code__.co_firstlineno + 5
    assert summary.swapped == [
        Swap("1.encoder.gru", "GRU"),
        Swap("1.cell", "LSTMCell"),
        Swap(f"{Path(__file__).name}:{line}", "GRU"),
    ]


def test_the_summary_in_a_sentence():
    summary = Summary()
    assert str(summary) == "no GRU, LSTM or RNN layer of PyTorch's ran"
    layers = [torch.nn.GRU(3, 4), torch.nn.LSTM(3, 4), torch.nn.GRU(3, 4), *(torch.nn.RNN(3, 4) for _ in range(8))]
    net = torch.nn.ModuleList(layers)

    class Caller(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def record(self, number, reason):
            layer = net[number]
            summary.record(layer, type(layer).__name__, reason, lambda: name_of(layer))

    caller = Caller()
    caller.record(0, None)
    assert str(summary) == "1 layer swapped (1 GRU)"
    caller.record(1, None)
    caller.record(2, None)
    assert str(summary) == "3 layers swapped (2 GRU, 1 LSTM)"
    caller.record(3, "float64")
    assert str(summary) == "3 layers swapped (2 GRU, 1 LSTM); 1 left: net.3 (RNN), float64"
    for number in range(4, 11):
        caller.record(number, "on meta")
    assert str(summary).startswith(
        "3 layers swapped (2 GRU, 1 LSTM); 8 left: net.3 (RNN), float64; net.4 (RNN), on meta"
    )
    assert str(summary).endswith("; net.7 (RNN), on meta; and 3 more")


def test_alike_are_told_once():
    layers = [torch.nn.GRU(3, 4, dtype=torch.float64) for _ in range(3)]
    with sluicegate.accelerated() as summary:
        for layer in layers:
            layer(torch.randn(7, 2, 3, dtype=torch.float64))
    line = test_alike_are_told_once.__code__.co_firstlineno + 4
    assert str(summary) == f"no layers swapped; 3 left: test_patch.py:{line} (GRU), float64 (x3)"


# Beginning and end


def test_an_exception_ends_the_block(ran):
    with pytest.raises(ZeroDivisionError), sluicegate.accelerated():
        1 / 0  # noqa: B018
    torch.nn.GRU(3, 4)(torch.randn(7, 2, 3))
    assert ran == []


def test_blocks_in_blocks(ran):
    layer, x = torch.nn.GRU(3, 4), torch.randn(7, 2, 3)
    with sluicegate.accelerated() as outer:
        layer(x)
        with sluicegate.accelerated() as inner:
            layer(x)
            torch.nn.LSTM(3, 4)(x)
        layer(x)
        torch.nn.RNN(3, 4)(x)
    assert len(ran) == 5
    assert [swap.kind for swap in inner.swapped] == ["GRU", "LSTM"]
    assert [swap.kind for swap in outer.swapped] == ["GRU", "LSTM", "RNN"]


def test_blocks_that_overlap(ran):
    layer, x = torch.nn.GRU(3, 4), torch.randn(7, 2, 3)
    first, second = sluicegate.accelerated(), sluicegate.accelerated()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    layer(x)
    second.__exit__(None, None, None)
    layer(x)
    assert ran == [nn.GRU]


def test_threads(ran):
    """A block holds for every thread; many layers run for the first time at once."""
    x, results, barrier = torch.randn(7, 2, 3), {}, threading.Barrier(4)
    layers = [torch.nn.GRU(3, 4) for _ in range(20)]
    expected = [layer(x)[0] for layer in layers]

    def work(number):
        barrier.wait()
        results[number] = [layer(x)[0] for layer in layers]

    with sluicegate.accelerated() as summary:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ran) == 80
    for number in range(4):
        close(results[number], expected)
    assert len(summary.swapped) == 20


def test_each_thread_its_own_blocks():
    x, errors = torch.randn(7, 2, 3), []

    def work():
        try:
            layer = torch.nn.GRU(3, 4)
            expected = layer(x)[0]
            for _ in range(30):
                with sluicegate.accelerated() as summary:
                    close(layer(x)[0], expected)
                    assert layer in summary._numbers
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_what_others_put_on_top_stays(ran):
    """And it may go on to call ours when the block is over."""
    layer, x = torch.nn.GRU(3, 4), torch.randn(7, 2, 3)
    before = torch.nn.GRU.forward
    calls = []
    with sluicegate.accelerated():
        ours = torch.nn.GRU.forward

        def theirs(self, x, hx=None):
            if type(self) is torch.nn.GRU:
                calls.append(x)
            return ours(self, x, hx)

        torch.nn.GRU.forward = theirs
        layer(x)
    try:
        assert torch.nn.GRU.forward is theirs
        layer(x)
    finally:
        torch.nn.GRU.forward = before
    assert len(calls) == 2
    assert ran == [nn.GRU]


def test_nothing_keeps_a_layer_alive():
    with sluicegate.accelerated() as summary:
        layer = torch.nn.GRU(3, 4)
        gone = weakref.ref(layer)
        layer(torch.randn(7, 2, 3))
        del layer
        gc.collect()
        assert gone() is None
    assert len(summary.swapped) == 1


# Copies, files, compilers


def test_a_layer_is_not_changed():
    model, x = Net(), torch.randn(7, 5, 3)
    model(x)
    names, before, described = [list(vars(m)) for m in model.modules()], pickle.dumps(model), repr(model)
    with sluicegate.accelerated():
        model(x).sum().backward()
        model.zero_grad()
        assert pickle.dumps(model) == before
        assert repr(model) == described
    assert [list(vars(m)) for m in model.modules()] == names
    assert pickle.dumps(model) == before


def test_a_copy_made_in_the_block(ran):
    model, x = Net(), torch.randn(7, 5, 3)
    with sluicegate.accelerated():
        expected = model(x)
        again = copy.deepcopy(model)
        assert type(again.encoder["gru"]) is torch.nn.GRU
        close(again(x), expected)
        again.cell.weight_ih.data.zero_()
        assert not torch.equal(again(x), expected)
        close(model(x), expected)
    assert ran == [nn.GRU, nn.LSTMCell] * 4


def test_what_is_saved_in_the_block_is_read_without_sluicegate(tmp_path):
    model = torch.nn.Sequential(torch.nn.GRU(3, 4), torch.nn.Identity())
    x = torch.randn(7, 5, 3)
    with sluicegate.accelerated():
        expected = model(x)[0]
        torch.save(model, tmp_path / "model.pt")
    torch.save((x, expected), tmp_path / "example.pt")
    code = """
import sys
sys.modules["sluicegate"] = None  # importing it fails
import torch
model, (x, expected) = torch.load("model.pt", weights_only=False), torch.load("example.pt")
assert type(model[0]) is torch.nn.GRU
assert torch.allclose(model(x)[0], expected, atol=1e-5)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


class Outputs(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.LSTM(3, 4)

    def forward(self, x: torch.Tensor):
        return self.layer(x)[0]


@pytest.mark.filterwarnings("ignore:.*deprecated", "ignore:The tensor attributes", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize(
    "compiled",
    [
        lambda model, x: torch.jit.script(model),
        lambda model, x: torch.jit.trace(model, (x,), check_trace=False),
        lambda model, x: torch.export.export(model, (x,), strict=False).module(),
    ],
    ids=["script", "trace", "export"],
)
def test_compilers_see_pytorchs_layers(ran, compiled):
    model, x = Outputs(), torch.randn(7, 5, 3)
    with sluicegate.accelerated():
        made = compiled(model, x)
        model.layer.weight_ih_l0.data += 1  # a constant in the place of the layer would not follow
        mine = made(x)
    assert ran == []
    close(mine, model(x))

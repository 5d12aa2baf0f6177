"""Streams of layers: the bits of the layer itself, however they are pushed, and nothing of it when refused."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import parametrize

import sluicegate
from sluicegate import _core, nn
from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError
from sluicegate.streaming import LayerStream, StreamBatch

BEYOND = {
    "projection": lambda: nn.LSTM(5, 7, 2, proj_size=3),
    "layer norm": lambda: nn.LSTM(5, 7, 2, layer_norm=True),
    "layer norm before": lambda: nn.GRU(5, 7, layer_norm=True, reset="before"),
    "double": lambda: nn.GRU(5, 17, 2, dtype=torch.float64),
    "double rnn": lambda: nn.RNN(5, 17, nonlinearity="relu", dtype=torch.float64),
    "double mingru": lambda: nn.MinGRU(5, 17, 2, bias=False, dtype=torch.float64),
    "double ligru": lambda: nn.LiGRU(5, 17, 2, bias=False, dtype=torch.float64),
}
"""What the fused kernels do not know."""


def freed(size):
    x = torch.zeros(size)
    x.untyped_storage().resize_(0)
    return x


def pushed(stream, x, cuts, ways):
    """The outputs of a sequence pushed in these chunks, each in one of several ways."""
    found = [stream.push(x[:0])]
    for (begin, end), way in zip(cuts, ways, strict=False):
        chunk = x[begin:end]
        if way == "steps":
            found += [stream.push(step)[None] for step in chunk]
        elif way == "arrays":
            found += [torch.from_numpy(stream.push(step.numpy()))[None] for step in chunk]
        elif way == "array":
            found.append(torch.from_numpy(stream.push(chunk.numpy())))
        elif way == "apart":  # neither rows nor numbers follow each other
            found.append(stream.push(chunk.T.contiguous().T))
        else:
            found.append(stream.push(chunk))
    return torch.cat(found)


WAYS = st.lists(st.sampled_from(["steps", "arrays", "array", "apart", "chunk"]), min_size=6, max_size=6)


@pytest.mark.usefixtures("unchecked")
def test_pushed_in_any_way_is_the_layer(isa, drawn):
    @settings(max_examples=150)
    @given(st.data(), drawn.layers(), st.integers(0, 30), WAYS)
    def check(data, layer, steps, ways):
        x, stream = drawn.sequences(layer, steps), LayerStream(layer)
        outputs, last = drawn.offline(layer, x)
        cuts, middle = data.draw(drawn.chunks(steps)), data.draw(st.integers(0, 6))
        first = pushed(stream, x, cuts[:middle], ways)
        other = LayerStream(copy.deepcopy(layer))
        other.push(x)
        other.restore(stream.snapshot())
        for one in (stream, other, copy.copy(stream)):
            rest = pushed(one, x, cuts[middle:], ways[middle:])
            assert torch.equal(torch.cat([first, rest]), outputs)
            assert all(map(torch.equal, drawn.parts(one.state), last))
            assert all(map(torch.equal, drawn.parts(one.finish()), last))

    check()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("hidden", [128, 257])
def test_threads_change_no_bit(threads, hidden, drawn):
    torch.manual_seed(0)
    for layer in (nn.GRU(17, hidden, 2), nn.LSTM(17, hidden), nn.MinGRU(17, hidden, 2)):
        x = drawn.sequences(layer, 5)
        outputs, _ = drawn.offline(layer, x)
        torch.set_num_threads(threads)
        stream = LayerStream(layer)
        assert torch.equal(torch.stack([stream.push(step) for step in x]), outputs)
        torch.set_num_threads(1)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("beyond", BEYOND)
def test_what_the_kernels_do_not_know(beyond, drawn):
    torch.manual_seed(0)
    layer = BEYOND[beyond]()
    x = drawn.sequences(layer, 9)
    outputs, last = drawn.offline(layer, x)
    stream, other = LayerStream(layer), LayerStream(layer)
    whole = stream.push(x)
    exact = 1e-12 if x.dtype == torch.float64 else 1e-6
    torch.testing.assert_close(whole, outputs, rtol=0, atol=exact)
    for one, state in zip(drawn.parts(stream.state), last, strict=True):
        torch.testing.assert_close(one, state, rtol=0, atol=exact)
    first = pushed(other, x, [(0, 4), (4, 4), (4, 7)], ["steps", "chunk", "array"])
    third = LayerStream(layer)
    third.restore(other.snapshot())
    assert torch.equal(torch.cat([first, pushed(third, x, [(7, 9)], ["arrays"])]), whole)
    with torch.autocast("cpu"):
        other.reset()
        assert torch.equal(other.push(x), whole)


def test_outputs_are_of_the_kind_of_the_input():
    layer = nn.LSTM(3, 5)
    stream = LayerStream(layer)
    x = torch.zeros(3, requires_grad=True)
    step, array = stream.push(x), stream.push(np.zeros((2, 3), np.float32))
    assert type(step) is torch.Tensor
    assert not step.requires_grad
    assert type(array) is np.ndarray
    assert array.shape == (2, 5)
    kept = step.clone()
    stream.push(torch.ones(3))
    assert torch.equal(step, kept)  # in memory of its own
    for pushed_one, same in [
        (torch.nn.Parameter(torch.ones(3)), torch.ones(3)),
        (torch.ones(3)._neg_view(), -torch.ones(3)),
        (torch.ones(1).expand(3), torch.ones(3)),
        (torch.arange(6.0)[::2], torch.tensor([0.0, 2.0, 4.0])),
        (torch.ones(3, 2).T[1], torch.ones(3)),
        (np.arange(6, dtype=np.float32)[::2], torch.tensor([0.0, 2.0, 4.0])),
        (np.arange(3, dtype=np.float32)[::-1], torch.tensor([2.0, 1.0, 0.0])),
        (np.frombuffer(b"\0" + np.arange(3, dtype=np.float32).tobytes(), np.float32, offset=1), torch.arange(3.0)),
    ]:
        assert torch.equal(torch.as_tensor(LayerStream(layer).push(pushed_one)), LayerStream(layer).push(same))


@pytest.mark.parametrize(
    ("x", "why"),
    [
        (torch.zeros(4), r"the shape \(4,\), and must be `\[input\]`, a step, or .* with an input of 3"),
        (torch.zeros(2, 4), r"the shape \(2, 4\)"),
        (torch.zeros(2, 1, 3), r"the shape \(2, 1, 3\)"),
        (torch.zeros(()), r"the shape \(\)"),
        (
            torch.zeros(3, dtype=torch.float64),
            r"of the type torch\.float64, and the layer of float32: convert it to torch\.",
        ),
        (np.zeros(3), r"of the type float64, and the layer of float32: convert it to np\.float32"),
        (np.zeros(3, ">f4"), "of the type >f4"),
        (np.zeros(3, int), "of the type int64"),
        (np.ma.masked_array(np.zeros(3, np.float32), [True, False, False]), "of type MaskedArray"),
        (torch.zeros(3, device="meta"), "on the device 'meta'"),
        (torch.zeros(3).to_sparse(), r"a torch\.sparse_coo tensor"),
        (freed(3), "whose memory was freed"),
    ],
)
def test_what_is_refused_leaves_the_state(x, why):
    stream = LayerStream(nn.GRU(3, 5, 2))
    stream.push(torch.ones(4, 3))
    before = stream.snapshot()
    with pytest.raises(DataError, match=why):
        stream.push(x)
    assert stream.snapshot() == before


@pytest.mark.usefixtures("unchecked")
def test_a_list_is_refused():
    with pytest.raises(DataError, match="of type NoneType"):
        LayerStream(nn.GRU(3, 5)).push(None)
    with pytest.raises(DataError, match="of type list"):
        LayerStream(nn.GRU(3, 5)).push([0.0, 0.0, 0.0])


def test_an_array_that_begins_between_two_floats():
    layer, x = nn.GRU(3, 5), np.ones((4, 3), np.float32)
    odd = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(4, 3)
    assert not odd.flags.aligned
    assert (LayerStream(layer).push(odd) == LayerStream(layer).push(x)).all()


def test_nan_is_computed_with_as_in_the_layer(drawn):
    layer = nn.GRU(3, 5)
    x = drawn.sequences(layer, 4)
    x[1, 0] = torch.nan
    stream = LayerStream(layer)
    found = stream.push(x)
    assert torch.equal(found.isnan(), drawn.offline(layer, x)[0].isnan())
    other = LayerStream(layer)
    other.restore(stream.snapshot())
    assert other.state.isnan().all()
    other.reset()
    assert torch.equal(other.push(x[:1]), found[:1])


def test_a_finished_stream_takes_nothing_more():
    stream = LayerStream(nn.LSTM(3, 5, 2))
    running = stream.snapshot()
    outputs = stream.push(torch.ones(4, 3))
    h, c = stream.finish()
    assert h.shape == c.shape == (2, 5)
    assert torch.equal(h[-1], outputs[-1])
    for refused in (lambda: stream.push(torch.ones(3)), lambda: stream.push(np.ones((1, 3), "f4")), stream.finish):
        with pytest.raises(StreamError, match="was finished"):
            refused()
    ended = stream.snapshot()
    stream.restore(running)
    assert torch.equal(stream.push(torch.ones(4, 3)), outputs)
    stream.restore(ended)
    assert stream.finished
    assert stream.copy().finished
    with pytest.raises(StreamError):
        stream.push(torch.ones(3))
    stream.reset()
    assert torch.equal(stream.push(torch.ones(4, 3)), outputs)


class Doubled(nn.GRU):
    """A layer with a `forward` of its own."""

    def forward(self, x, hx=None, *, lengths=None):
        return super().forward(2 * x, hx, lengths=lengths)


def hooked():
    layer = nn.GRU(3, 5)
    layer.register_forward_hook(lambda *_: None)
    return layer


def altered(name, value):
    layer = nn.GRU(3, 5, 2)
    setattr(layer, name, value)
    return layer


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: altered("hidden_size", 500), r"bias_hh_l0 of the shape \(1500,\), and it is of the shape \(15,\)"),
        (lambda: altered("input_size", 4), r"weight_ih_l0 of the shape \(15, 4\)"),
        (lambda: altered("bias_hh_l1", None), r"bias_hh_l1 of the shape \(15,\), and it is of the shape None"),
        (lambda: altered("weight_hh_l1", torch.nn.Parameter(torch.ones(15, 4))), r"it is of the shape \(15, 4\)"),
        (lambda: torch.nn.GRU(3, 5), r"a GRU\) must be .*`sluicegate\.accelerate\(layer\)`"),
        (lambda: torch.nn.Linear(3, 5), r"a Linear\) must be"),
        (lambda: nn.GRUCell(3, 5), r"a GRUCell\) must be"),
        (lambda: nn.LSTM(3, 5, bidirectional=True), "`bidirectional=True`, and to read backwards"),
        (lambda: nn.GRU(3, 5, device="meta"), r"on the device 'meta', .*: use `layer\.to\('cpu'"),
        (lambda: nn.GRU(3, 5, dtype=torch.bfloat16), r"weights of torch\.bfloat16"),
        (lambda: Doubled(3, 5), "a `forward` or hooks of its own"),
        (hooked, "a `forward` or hooks of its own"),
    ],
)
def test_layers_that_cannot_be_streamed(make, why):
    with pytest.raises(ConfigError, match=why):
        LayerStream(make())


def test_pytorchs_layers_once_accelerated(drawn):
    layer = torch.nn.LSTM(7, 17, 2)
    x = drawn.sequences(layer, 6)
    sluicegate.accelerate(layer)
    assert torch.equal(LayerStream(layer).push(x), drawn.offline(layer, x)[0])


def test_parametrised_weights(drawn):
    layer = nn.GRU(3, 5)

    class Half(torch.nn.Module):
        def forward(self, w):
            return w / 2

    parametrize.register_parametrization(layer, "weight_hh_l0", Half())
    x = drawn.sequences(layer, 6)
    with torch.no_grad():
        assert torch.equal(LayerStream(layer).push(x), layer.eval()(x)[0])


def test_streams_of_a_layer_share_its_weights_and_let_them_go():
    layer = nn.GRU(3, 5)
    one, other = LayerStream(layer), LayerStream(layer)
    assert one._model is other._model
    shared = weakref.ref(one._model)
    del one, other, layer
    gc.collect()
    assert shared() is None


def test_weights_that_change_later_make_another_model(drawn):
    layer = nn.GRU(3, 5)
    x = drawn.sequences(layer, 6)
    stream, (before, _) = LayerStream(layer), drawn.offline(layer, x)
    with torch.no_grad():
        layer.weight_hh_l0[0, 0] += 1
    assert torch.equal(stream.push(x), before)
    changed = LayerStream(layer)
    assert torch.equal(changed.push(x), drawn.offline(layer, x)[0])
    assert not torch.equal(changed.push(x), before)
    with pytest.raises(SnapshotError, match="another model"):
        changed.restore(stream.snapshot())


def test_a_snapshot_of_another_model_is_refused():
    torch.manual_seed(0)
    layer = nn.GRU(3, 5)
    stream = LayerStream(layer)
    stream.push(torch.ones(3))
    before = stream.snapshot()
    torch.manual_seed(0)
    other = nn.GRU(3, 5, activation="relu")
    deeper = nn.GRU(3, 5, 2)
    deeper.load_state_dict(layer.state_dict(), strict=False)
    for taken in (LayerStream(other), LayerStream(deeper), LayerStream(nn.LSTM(3, 5))):
        with pytest.raises(SnapshotError, match="another model"):
            stream.restore(taken.snapshot())
    with pytest.raises(SnapshotError, match="cut short"):
        stream.restore(before[:-1])
    assert stream.snapshot() == before
    LayerStream(copy.deepcopy(layer).double().float()).restore(before)  # the same weights again


def test_the_fingerprint_is_the_same_everywhere():
    layer = nn.GRU(2, 2, reset="before")
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(torch.arange(weight.numel()).reshape(weight.shape))
    assert LayerStream(layer).fingerprint == "aac7b30c5619badafe4efe8c3d11ed997579714906d83fa3c8646ebc1ad0ae4e"


def test_streams_of_a_layer_in_several_threads(drawn):
    layer = nn.GRU(17, 65, 2)
    inputs = [drawn.sequences(layer, 200, seed=seed) for seed in range(4)]
    expected = [drawn.offline(layer, x)[0] for x in inputs]
    found = [None] * 4

    def run(number):
        stream = LayerStream(layer)
        found[number] = torch.stack([stream.push(step) for step in inputs[number]])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(torch.equal, found, expected))


def test_an_interrupted_push_leaves_the_state(monkeypatch):
    stream = LayerStream(nn.LSTM(3, 5, 3))
    stream.push(torch.ones(3))
    before, calls, forward = stream.snapshot(), [], _core.forward

    def interrupted(*arguments):
        forward(*arguments)
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_core, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stream.push(torch.ones(2, 3))
    assert stream.snapshot() == before


def test_a_step_for_which_there_is_no_memory_leaves_the_state(monkeypatch):
    layer = nn.LSTM(3, 5, 3)
    stream = LayerStream(layer)
    stream.push(torch.ones(2, 3))
    before = stream.snapshot()

    def refused(*_arguments, **_options):
        raise MemoryError

    for library, x in ((torch, torch.ones(3)), (np, np.ones(3, np.float32))):
        with monkeypatch.context() as patch:
            patch.setattr(library, "empty", refused)
            with pytest.raises(MemoryError):
                stream.push(x)
        assert stream.snapshot() == before
        other = LayerStream(layer)
        assert torch.equal(torch.as_tensor(stream.push(x)), other.push(torch.ones(3, 3))[2])
        stream.restore(before)


def test_other_kernels_are_refused_and_not_fed_with_weights_laid_out_for_these():
    before = _core.isa()
    if before == "scalar":
        pytest.skip("this processor has one instruction set alone")
    stream = LayerStream(nn.GRU(3, 5))
    _core.use_isa("scalar")
    try:
        with pytest.raises(ConfigError, match=f"kernels for '{before}', and those for 'scalar' are now in use"):
            stream.push(torch.ones(2, 3))
    finally:
        _core.use_isa(before)


def test_a_stream_is_not_pickled():
    for stream in (LayerStream(nn.GRU(3, 5)), StreamBatch(nn.GRU(3, 5), 2)):
        with pytest.raises(TypeError, match="send a `snapshot`"):
            pickle.dumps(stream)


def test_tensors_can_be_trained_with_after_a_push_in_inference_mode():
    stream = LayerStream(nn.GRU(3, 5))
    with torch.inference_mode():
        stream.push(torch.ones(3))
    weight = torch.ones(5, requires_grad=True)
    (weight * stream.push(torch.ones(3))).sum().backward()
    assert weight.grad is not None


def test_outputs_share_no_memory():
    stream = LayerStream(nn.GRU(3, 5))
    outputs = [stream.push(torch.ones(3)) for _ in range(40)]
    assert len({output.data_ptr() for output in outputs}) == 40
    assert all(output.untyped_storage().nbytes() == 5 * 4 for output in outputs)


@pytest.mark.parametrize("cut", ["chunk", "step"])
def test_two_threads_at_once_are_one_too_many(monkeypatch, cut):
    layer, x = nn.GRU(3, 5), torch.randn(4, 3)
    stream, begun, go_on = LayerStream(layer), threading.Event(), threading.Event()
    push = stream._push_any

    def slow(given):
        begun.set()
        assert go_on.wait(10)
        return push(given)

    monkeypatch.setattr(stream, "_push_any", slow)
    thread = threading.Thread(target=stream.push, args=(x,))
    thread.start()
    assert begun.wait(10)
    before = stream.snapshot()
    calls = [lambda: stream.push(x[0] if cut == "step" else x), stream.finish, stream.reset]
    for call in [*calls, lambda: stream.restore(before)]:
        with pytest.raises(StreamError, match="pushed from another thread"):
            call()
    assert stream.snapshot() == before
    go_on.set()
    thread.join()
    assert torch.equal(stream.state, layer(x)[1])

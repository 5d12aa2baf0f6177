"""Layers in ONNX: what they are there, and that ONNX Runtime computes what they compute."""

import copy
import io
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.export import Dim
from torch.nn.utils.rnn import pack_padded_sequence

import sluicegate
from sluicegate import nn
from sluicegate.errors import ConfigError

# PyTorch's exporter copies a description of the inputs, of a class that PyTorch itself has marked as old.
pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.. is deprecated:FutureWarning")

INPUT, HIDDEN = 3, 4
FIRST_TWO = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


class Call(torch.nn.Module):
    """Modules, and what is to be done with them."""

    def __init__(self, call, *modules):
        super().__init__()
        self.call, self.parts = call, torch.nn.ModuleList(modules)

    def forward(self, *inputs):
        return self.call(*self.parts, *inputs)


def tensors(value):
    return [value] if isinstance(value, torch.Tensor) else [t for part in value for t in tensors(part)]


def export(model, *inputs, axes=None, **options):
    """Export a model, with the axes of its inputs that may change."""
    model = model.eval() if isinstance(model, torch.nn.Module) else model
    shapes = None if axes is None else (tuple(axes),) if isinstance(model, Call) else tuple(axes)
    program = torch.onnx.export(model, inputs, dynamo=True, verbose=False, dynamic_shapes=shapes, **options)
    onnx.checker.check_model(program.model_proto, full_check=True)
    return program.model_proto


def nodes(proto):
    return [node.op_type for node in proto.graph.node]


def agree(proto, model, *runs):
    """Hold ONNX Runtime to a model, on several sets of inputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    for inputs in runs:
        names = [i.name for i in session.get_inputs()]
        found = session.run(None, {n: t.numpy() for n, t in zip(names, tensors(inputs), strict=True)})
        with torch.no_grad():
            expected = tensors(model(*inputs))
        for mine, yours in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, yours.numpy(), rtol=0, atol=1e-5)


CELLS = [
    *((nn.GRU, {"reset": reset, "activation": act}) for reset in ("after", "before") for act in ("tanh", "relu")),
    *((nn.LSTM, {"activation": act}) for act in ("tanh", "relu")),
    *((nn.RNN, {"nonlinearity": act}) for act in ("tanh", "relu")),
]


def test_every_cell():
    """From nothing in one direction, and from a state, with lengths, in both."""
    layers = [
        kind(INPUT, HIDDEN, **options, bidirectional=two, bias=not two)
        for two in (False, True)
        for kind, options in CELLS
    ]

    def call(*arguments):
        x, lengths, h, c = arguments[len(layers) :]
        states = {"gru": h, "lstm": (h, c), "rnn": h}
        return [
            layer(x, states[layer.kind], lengths=lengths) if layer.bidirectional else layer(x)
            for layer in arguments[: len(layers)]
        ]

    def inputs(time, lengths):
        rows = len(lengths)
        return torch.randn(time, rows, INPUT), torch.tensor(lengths), *torch.randn(2, 2, rows, HIDDEN)

    model, first = Call(call, *layers), inputs(5, [2, 5, 3])
    proto = export(model, *first, axes=[FIRST_TWO, {0: Dim.DYNAMIC}, {1: Dim.DYNAMIC}, {1: Dim.DYNAMIC}])
    assert [nodes(proto).count(kind) for kind in ("GRU", "LSTM", "RNN")] == [8, 4, 4]
    agree(proto, model, first, inputs(7, [0, 7, 4, 1]), inputs(1, [1]))


def test_every_shape():
    layers = [
        nn.GRU(INPUT, HIDDEN, num_layers=2, bidirectional=True, batch_first=True, dropout=0.5),
        nn.LSTM(INPUT, HIDDEN, num_layers=2, batch_first=True),
        nn.LSTM(INPUT, HIDDEN, bidirectional=True),
        nn.GRU(INPUT, HIDDEN),
    ]

    def call(deep, lstm, both, gru, x, lengths, h):
        return [
            deep(x, h, lengths=lengths),
            lstm(x, (h[:2], h[2:])),
            both(x.transpose(0, 1)),
            gru(x.transpose(0, 1), lengths=lengths),
        ]

    def inputs(time, lengths):
        rows = len(lengths)
        return torch.randn(rows, time, INPUT), torch.tensor(lengths, dtype=torch.int32), torch.randn(4, rows, HIDDEN)

    model, first = Call(call, *layers), inputs(5, [2, 5, 3])
    proto = export(model, *first, axes=[FIRST_TWO, {0: Dim.DYNAMIC}, {1: Dim.DYNAMIC}])
    assert [nodes(proto).count(kind) for kind in ("GRU", "LSTM")] == [3, 3]
    agree(proto, model, first, inputs(7, [0, 7, 4, 1]))


def test_cells_and_a_single_row():
    cells = [
        nn.GRUCell(INPUT, HIDDEN, reset="before", bias=False),
        nn.RNNCell(INPUT, HIDDEN, nonlinearity="relu"),
        nn.LSTMCell(INPUT, HIDDEN, activation="relu"),
    ]

    def call(gru, rnn, lstm, layer, x, h):
        batches = [gru(x, h), rnn(x), lstm(x, (h, torch.tanh(h)))]
        return [*batches, lstm(x[0], (h[0], h[1])), layer(x, torch.stack([h[0]] * 2))]

    model = Call(call, *cells, nn.GRU(INPUT, HIDDEN, bidirectional=True))
    proto = export(model, torch.randn(3, INPUT), torch.randn(3, HIDDEN), axes=[{0: Dim.DYNAMIC}] * 2)
    assert [nodes(proto).count(kind) for kind in ("GRU", "LSTM", "RNN")] == [2, 2, 1]
    agree(proto, model, (torch.randn(2, INPUT), torch.randn(2, HIDDEN)))


def test_a_layer_is_one_node_with_weights_as_onnx_has_them():
    layer = nn.GRU(INPUT, HIDDEN)
    graph = export(layer, torch.randn(5, 2, INPUT), axes=[FIRST_TWO]).graph
    assert [node.op_type for node in graph.node] == ["GRU", "Squeeze"]
    weights = {w.name: onnx.numpy_helper.to_array(w) for w in graph.initializer}
    w, r, b = (weights[name] for name in graph.node[0].input[1:4])
    ours = layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0
    zrh = [torch.cat([p.detach().chunk(3)[gate] for gate in (1, 0, 2)]).numpy() for p in ours]
    for found, expected in ((w, zrh[0]), (r, zrh[1]), (b, np.concatenate(zrh[2:]))):
        np.testing.assert_array_equal(found, expected[np.newaxis])


def test_two_layers_in_both_directions():
    layer = nn.LSTM(INPUT, HIDDEN, num_layers=2, bidirectional=True, batch_first=True)
    proto = export(layer, torch.randn(2, 5, INPUT), axes=[FIRST_TWO])
    one = ["Transpose", "LSTM", "Transpose", "Reshape"]
    assert sorted(nodes(proto)) == sorted([*one, *one, "Concat", "Concat"])


@pytest.mark.parametrize("version", [17, 18])
def test_older_versions_of_onnx(version):
    layer = nn.LSTM(INPUT, HIDDEN, bidirectional=True)
    proto = export(layer, torch.randn(5, 2, INPUT), axes=[FIRST_TWO], opset_version=version)
    assert [opset.version for opset in proto.opset_import] == [version]
    agree(proto, layer, (torch.randn(3, 4, INPUT),))


def test_a_mingru_is_a_gru_whose_gates_do_not_look_at_the_memory():
    layers = [
        nn.MinGRU(INPUT, HIDDEN),
        nn.MinGRU(INPUT, HIDDEN, 2, bidirectional=True, bias=False),
        nn.MinGRUCell(INPUT, HIDDEN),
    ]

    def call(plain, deep, cell, x, lengths, h):
        return [*plain(x), *deep(x, h, lengths=lengths), cell(x[0]), cell(x[0], h[0])]

    def inputs(time, lengths):
        rows = len(lengths)
        return 3 * torch.randn(time, rows, INPUT), torch.tensor(lengths), torch.randn(4, rows, HIDDEN)

    model, first = Call(call, *layers), inputs(5, [2, 5, 3])
    proto = export(model, *first, axes=[FIRST_TWO, {0: Dim.DYNAMIC}, {1: Dim.DYNAMIC}])
    assert nodes(proto).count("GRU") == 5
    agree(proto, model, first, inputs(7, [0, 7, 4, 1]))


def test_a_ligru_is_a_gru_whose_reset_gate_is_open():
    layers = [
        nn.LiGRU(INPUT, HIDDEN),
        nn.LiGRU(INPUT, HIDDEN, 2, bidirectional=True, bias=False, normalization=None, nonlinearity="tanh"),
    ]
    layers[0](torch.randn(9, 4, INPUT))  # its running statistics are no longer those of the beginning

    def call(plain, deep, x, lengths, h):
        return [*plain(x), *deep(x, h, lengths=lengths)]

    def inputs(time, lengths):
        rows = len(lengths)
        return 3 * torch.randn(time, rows, INPUT), torch.tensor(lengths), torch.randn(4, rows, HIDDEN)

    model, first = Call(call, *layers).eval(), inputs(5, [2, 5, 3])
    proto = export(model, *first, axes=[FIRST_TWO, {0: Dim.DYNAMIC}, {1: Dim.DYNAMIC}])
    assert nodes(proto).count("GRU") == 3
    agree(proto, model, first, inputs(7, [0, 7, 4, 1]))


def test_a_program_that_was_exported_before():
    """Of weights so large that PyTorch leaves it to ONNX Runtime to put them in order."""

    def call(layer, x, lengths):
        return layer(x, lengths=lengths)

    model = Call(call, nn.GRU(INPUT, 70, bidirectional=True, batch_first=True)).eval()
    inputs = torch.randn(3, 5, INPUT), torch.tensor([2, 5, 0])
    program = torch.export.export(model, inputs, dynamic_shapes=((FIRST_TWO, {0: Dim.DYNAMIC}),))
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    again = torch.export.load(file)
    others = torch.randn(4, 6, INPUT), torch.tensor([6, 1, 1, 4])
    assert torch.equal(again.module()(*others)[0], model(*others)[0])
    proto = export(again)
    assert nodes(proto).count("GRU") == 1
    agree(proto, model, inputs, others)


def test_inference_mode_autocast_and_training_change_nothing():
    layer = nn.GRU(INPUT, HIDDEN)
    x = torch.randn(5, 2, INPUT)
    with torch.inference_mode():
        assert nodes(export(layer, x)) == ["GRU", "Squeeze"]
    model = torch.nn.Sequential(torch.nn.Linear(INPUT, INPUT), layer)
    with torch.autocast("cpu"):
        proto = export(model, x)
    assert "GRU" in nodes(proto)
    assert {output.type.tensor_type.elem_type for output in proto.graph.output} == {onnx.TensorProto.FLOAT}
    with pytest.warns(UserWarning, match="training mode"):
        program = torch.onnx.export(layer.train(), (x,), dynamo=True, verbose=False)
    agree(program.model_proto, layer, (x,))


def test_an_accelerated_model():
    model = torch.nn.Sequential(torch.nn.GRU(INPUT, HIDDEN))
    ours = sluicegate.accelerate(copy.deepcopy(model))
    proto = export(ours, torch.randn(5, 2, INPUT), axes=[FIRST_TWO])
    assert nodes(proto) == ["GRU", "Squeeze"]
    agree(proto, model, (torch.randn(3, 4, INPUT),))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_what_onnx_lacks_becomes_plain_arithmetic_of_so_many_steps(unchecked):
    def call(normalised, projected, x, lengths):
        return [normalised(x), projected(x), projected(x, lengths=lengths)]

    model = Call(call, nn.RNN(INPUT, HIDDEN, layer_norm=True), nn.LSTM(INPUT, HIDDEN, proj_size=2))
    proto = export(model, torch.randn(2, 3, INPUT), torch.tensor([2, 0, 1]), axes=[{1: Dim.DYNAMIC}, {0: Dim.DYNAMIC}])
    assert not {"GRU", "LSTM", "RNN"} & set(nodes(proto))
    agree(proto, model, (torch.randn(2, 4, INPUT), torch.tensor([1, 2, 0, 1])))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda layer, x: layer(pack_padded_sequence(x, [2, 1]))[1],
            "`input` is a PackedSequence, which ONNX does not",
        ),
        (lambda layer, x: layer(x, lengths=[3, 1])[1], r"`lengths\[0\]` \(=3\) must be from 0 to 2"),
    ],
)
def test_what_cannot_be_exported_is_told(call, message):
    with pytest.raises(torch.onnx.OnnxExporterError) as caught:
        export(Call(call, nn.GRU(INPUT, HIDDEN)), torch.randn(2, 2, INPUT))
    assert isinstance(caught.value.__cause__, ConfigError)
    assert re.match(message, str(caught.value.__cause__))

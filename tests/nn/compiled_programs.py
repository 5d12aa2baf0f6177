"""What `test_graphs.py` has done by a program of its own, where the compilers see none of our tests' checks.

One program does it all: to load PyTorch and its compilers, and to compile a first model, takes half of its time.
"""

import copy
import json
import logging
import traceback
import warnings

import torch
import torch._dynamo
from torch import nn

import sluicegate
from sluicegate.nn import GRUCell

X, STEP = torch.randn(2, 2, 3), torch.randn(2, 3)


class Compiled:
    """A model compiled, run forward and backward: with which results, operators of ours, and warnings."""

    def __init__(self, model, *inputs, backend="aot_eager", **options):
        self.graphs = []
        records = Records()
        torch._dynamo.reset()
        make = torch._dynamo.lookup_backend(backend)
        compiled = torch.compile(
            model, backend=lambda graph, example: self.graphs.append(graph) or make(graph, example), **options
        )
        with warnings.catch_warnings(record=True) as caught, records:
            warnings.simplefilter("always")
            self.output = first(compiled(*inputs))
            self.gradients = torch.autograd.grad(self.output.float().square().sum(), weights_of(model))
        # What the compiler's own files leave open is told whenever memory is cleared up.
        told = {str(w.message) for w in caught if w.category is not ResourceWarning}
        self.warnings = sorted(told | set(records.messages))
        self.nodes = sum(str(each.graph).count("sluicegate.layer") for each in self.graphs)
        self.run = compiled


class Records(logging.Handler):
    """The warnings of PyTorch's loggers."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())

    def __enter__(self):
        logging.getLogger("torch").addHandler(self)

    def __exit__(self, *_):
        logging.getLogger("torch").removeHandler(self)


def first(result):
    while isinstance(result, tuple):
        result = result[0]
    return result


def weights_of(model):
    return list(model.parameters()) if isinstance(model, nn.Module) else []


def same(found, model, *inputs):
    """Compare what a compiled model gave to what it gives as it is."""
    output = first(model(*inputs))
    assert torch.equal(found.output, output)
    gradients = torch.autograd.grad(output.float().square().sum(), weights_of(model))
    assert all(torch.equal(a, b) for a, b in zip(found.gradients, gradients, strict=True))


def both(kind):
    theirs = kind(3, 4)
    return theirs, sluicegate.accelerate(copy.deepcopy(theirs))


def cells():
    theirs, ours = both(nn.LSTMCell)
    inputs = STEP, (torch.randn(2, 4), torch.randn(2, 4))
    found = Compiled(ours, *inputs, fullgraph=True)
    assert found.nodes == 1
    same(found, ours, *inputs)
    expected = Compiled(theirs, *inputs, fullgraph=True)
    assert found.warnings == expected.warnings
    with sluicegate.accelerated(log=False):
        within = Compiled(theirs, *inputs, fullgraph=True)
    assert within.warnings == expected.warnings
    assert within.nodes == 0


def cells_under_autocast():
    _, ours = both(nn.RNNCell)
    with torch.autocast("cpu", torch.bfloat16):
        found = Compiled(ours, STEP, fullgraph=True)
        assert found.nodes == 1
        same(found, ours, STEP)
        with torch.no_grad():
            assert torch.equal(found.run(STEP), ours(STEP))


def cells_with_options():
    for options, nodes in (({"reset": "before"}, 1), ({"layer_norm": True}, 0)):
        cell = GRUCell(3, 4, **options)
        found = Compiled(cell, STEP, backend="eager", fullgraph=True)
        assert found.nodes == nodes
        torch.testing.assert_close(found.output, cell(STEP), rtol=0, atol=1e-6)


def cells_mapped():
    cell = sluicegate.accelerate(nn.RNNCell(3, 4))
    graphs = []
    mapped = torch.func.vmap(lambda x: cell(x))
    compiled = torch.compile(mapped, backend=lambda graph, _: graphs.append(graph) or graph, fullgraph=True)
    torch.testing.assert_close(compiled(X), mapped(X), rtol=0, atol=1e-6)
    assert "sluicegate" not in str(graphs[0].graph)


def layers():
    theirs, ours = both(nn.GRU)
    for model in (theirs, ours):
        try:
            Compiled(model, X, fullgraph=True)
        except torch._dynamo.exc.Unsupported as error:
            assert "RNN, GRU, or LSTM" in str(error)  # noqa: PT017 - without pytest here
        else:
            raise AssertionError("PyTorch takes layers now: say so in docs/accelerate.md")
    expected = Compiled(theirs, X).warnings
    assert Compiled(ours, X).warnings == expected
    with sluicegate.accelerated(log=False):
        assert Compiled(theirs, X).warnings == expected
    with torch._dynamo.config.patch(allow_rnn=True):
        found = Compiled(ours, X, fullgraph=True)
        assert found.nodes == 1
        same(found, ours, X)


def exported():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, x in ((nn.GRU, X), (nn.LSTM, X), (nn.LSTMCell, STEP)):
            theirs, ours = both(kind)
            programs = torch.export.export(ours, (x,), strict=True), torch.export.draft_export(ours, (x,))
            # A draft is of PyTorch's operators.
            assert [str(each.graph).count("sluicegate.layer.default") for each in programs] == [1, 0]
            for each in programs:
                torch.testing.assert_close(first(each.module()(x)), first(theirs(x)), rtol=0, atol=2e-6)


def exported_with_lengths():
    x, lengths = X[:1], torch.tensor([1, 0])
    for layer in (sluicegate.GRU(3, 4), sluicegate.GRU(3, 4, layer_norm=True)):
        program = torch.export.export(layer, (x,), {"lengths": lengths}, strict=True)
        found, expected = (f(x, lengths=lengths)[0] for f in (program.module(), layer))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


PARTS = (cells, cells_under_autocast, cells_with_options, cells_mapped, layers, exported, exported_with_lengths)


def outcome(part):
    """Where a part failed, or nothing."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    try:
        part()
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({part.__name__: outcome(part) for part in PARTS}))  # noqa: T201 - the result

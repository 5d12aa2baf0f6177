"""Layers in programs of their own: compiled, exported, with threads, forked, idle, and short of memory."""

import os
import subprocess
import sys

PREAMBLE = """
import torch
from sluicegate import nn

torch.manual_seed(0)

def parts(state):
    return state if isinstance(state, tuple) else (state,)

def gradients(module, result):
    return torch.autograd.grad(result.square().sum(), list(module.parameters()))

def same(ones, others):
    ones, others = list(ones), list(others)
    assert len(ones) == len(others)
    assert all(torch.equal(a, b) for a, b in zip(ones, others))
"""


def run(program, timeout=120, threads=1):
    """Run a program without the run-time checks of the tests; one that hangs is ended."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        # torch.compile looks at the gradient of what a layer returned, and is warned by PyTorch itself.
        [sys.executable, "-W", "error", "-W", "ignore:The .grad attribute", "-c", PREAMBLE + program],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


MODEL = """
class Model(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.inner = torch.nn.Linear(4, 3)
        self.layer = kind(3, 8, num_layers=2, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(16, 2)

    def forward(self, x, lengths=None):
        y, _ = self.layer(torch.tanh(self.inner(x)), lengths=lengths)
        return self.head(y)
"""


def test_torch_compile_changes_no_bit():
    run(
        MODEL
        + """
x, some = torch.randn(5, 7, 4), torch.tensor([7, 1, 3, 0, 2])
for kind in (nn.GRU, nn.LSTM, nn.RNN):
    model = Model(kind)
    for backend in ("eager", "aot_eager"):
        compiled = torch.compile(model, backend=backend)
        for lengths in (None, some):
            expected, found = model(x, lengths), compiled(x, lengths)
            assert torch.equal(found, expected), (kind, backend)
            same(gradients(model, found), gradients(model, expected))
            with torch.no_grad():
                assert torch.equal(compiled(x, lengths), expected)
        torch._dynamo.reset()

# The operator itself goes into a graph whole.
from sluicegate.ops import native

def forward(x, h, *weights):
    options = ("gru", "tanh", True, False, 0)
    output, after, _ = native.layer(torch.tanh(x), h, None, list(weights), (None, None, None), options)
    return output.square().sum() + after.sum()

inputs = [torch.randn(5, 2, 3), torch.randn(1, 2, 8), *nn.GRU(3, 8).parameters()]
inputs = [t.detach().requires_grad_() for t in inputs]
expected, found = (f(*inputs) for f in (forward, torch.compile(forward, backend="aot_eager", fullgraph=True)))
assert torch.equal(found, expected)
same(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs))
"""
    )


def test_torch_compile_of_a_cell_changes_no_bit():
    run(
        """
for kind in (nn.GRUCell, nn.LSTMCell, nn.RNNCell):
    cell, x = kind(3, 5), torch.randn(2, 3)
    expected, found = (parts(f(x))[0] for f in (cell, torch.compile(cell, backend="aot_eager")))
    assert torch.equal(found, expected), kind
    same(gradients(cell, found), gradients(cell, expected))
"""
    )


def test_torch_export_gives_a_program_for_every_size():
    run(
        MODEL
        + """
import io

for kind in (nn.GRU, nn.LSTM):
    model, x = Model(kind), torch.randn(5, 7, 4)
    sizes = {0: torch.export.Dim("rows", max=64), 1: torch.export.Dim("steps", max=1000)}
    program = torch.export.export(model, (x,), dynamic_shapes=(sizes,))
    assert str(program.graph).count("sluicegate.layer.default") == 2
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    for again in (program, torch.export.load(file)):
        for shape in ((5, 7, 4), (3, 11, 4), (2, 300, 4)):
            x = torch.randn(shape)
            assert torch.equal(again.module()(x), model(x))
"""
    )


def test_threads_of_python_compute_the_same_bits():
    run(
        """
from concurrent.futures import ThreadPoolExecutor

torch.set_num_threads(2)
jobs = []
for hidden, rows in ((20, 5), (150, 1), (64, 70), (300, 2)):
    for kind in (nn.GRU, nn.LSTM):
        layer, x = kind(7, hidden), torch.randn(9, rows, 7)
        jobs += [(layer, x, train) for train in (False, True)]

def compute(job):
    layer, x, train = job
    torch.set_num_threads(2)
    with torch.set_grad_enabled(train):
        output, _ = layer(x)
    return [output, *(gradients(layer, output) if train else ())]

serial = [compute(job) for job in jobs]
with ThreadPoolExecutor(4) as pool:
    for _ in range(3):
        for found, expected in zip(pool.map(compute, jobs), serial):
            same(found, expected)
"""
    )


# PyTorch's own sums of many numbers hang in a child whose parent had them computed by two threads of OpenMP: the
# gradients of the results come from NumPy.
FORKING = """
import numpy

layers = [nn.GRU(7, 40), nn.LSTM(7, 200)]
x = torch.randn(30, 20, 7)

def compute():
    found = []
    for layer in layers:
        for rows in (1, 20):
            output, _ = layer(x[:, :rows])
            ones = torch.from_numpy(numpy.ones(output.shape, numpy.float32))
            found += [output, *torch.autograd.grad(output, list(layer.parameters()), ones)]
        with torch.no_grad():
            found.append(layer(x)[0])
    return [t.detach().numpy().tobytes() for t in found]
"""


def test_a_forked_child_computes_the_same_bits():
    run(
        FORKING
        + """
import os

torch.set_num_threads(2)
expected = compute()
for generation in range(3):
    child = os.fork()
    if child == 0:
        good = compute() == expected
        if generation == 2:
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0 if compute() == expected else 4)
            good = good and os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 0
        os._exit(0 if good else 3)
    assert compute() == expected
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
        timeout=60,
    )


def test_multiprocessing_may_fork():
    run(
        FORKING
        + """
import multiprocessing

torch.set_num_threads(2)
expected = compute()

def work(_):
    return compute()

with multiprocessing.get_context("fork").Pool(2) as pool:
    for found in pool.map(work, range(4)):
        assert found == expected
assert compute() == expected
""",
        timeout=60,
    )


def test_workers_of_a_data_loader_run_layers():
    run(
        """
from torch.utils.data import DataLoader, Dataset

torch.set_num_threads(2)
layer, x = nn.GRU(3, 150), torch.randn(8, 20, 3)
with torch.no_grad():
    expected = [layer(row)[0] for row in x]

class Encoded(Dataset):
    def __len__(self):
        return len(x)

    def __getitem__(self, i):
        torch.set_num_threads(2)
        with torch.no_grad():
            return layer(x[i])[0]

for _ in range(2):
    found = list(DataLoader(Encoded(), batch_size=None, num_workers=2, multiprocessing_context="fork"))
    same(found, expected)
""",
        timeout=60,
    )


def test_an_idle_program_burns_no_time():
    run(
        """
import time

torch.set_num_threads(2)
for layer in (nn.GRU(8, 300), nn.GRU(8, 32)):
    output, _ = layer(torch.randn(40, 9, 8))
    output.sum().backward()
    layer(torch.randn(40, 1, 8))
time.sleep(0.3)  # whoever else waits with his eyes open, such as OpenMP, falls asleep meanwhile
begin = time.process_time()
time.sleep(0.5)
assert time.process_time() - begin < 0.05
"""
    )


def test_more_threads_than_the_machine_has():
    """Sizes are not limited by what a group of rows holds, however many threads were asked for."""
    run(
        """
for hidden, rows in ((128, 1), (128, 70), (20, 70), (130, 79)):
    layer, x = nn.GRU(5, hidden), torch.randn(3, rows, 5, requires_grad=True)
    found = []
    for threads in (1, 8, 40):
        torch.set_num_threads(threads)
        output, _ = layer(x)
        found.append([output, *torch.autograd.grad(output.square().sum(), x)])
    same(found[0], found[1])
    same(found[0], found[2])
""",
        timeout=60,
    )


def test_checkpoints_train_a_long_sequence_in_little_memory():
    """Without them it takes 490 MB, of which 205 are the outputs and what the loss makes of them."""
    taken = run(
        """
import resource

layer, x = nn.GRU(128, 128, checkpoint_every=100), torch.randn(100_000, 1, 128)
layer(x[:200])[0].square().mean().backward()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
layer(x)[0].square().mean().backward()
assert all(p.grad.isfinite().all() for p in layer.parameters())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    )
    assert int(taken) < 320 * 1024

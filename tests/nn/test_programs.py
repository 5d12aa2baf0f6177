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

def peak():
    # In kB, of this program: `resource` also counts what the one had that started it.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

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
for kind in (nn.GRU, nn.LSTM, nn.RNN, nn.MinGRU):
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
    options = ("gru", "tanh", True, False, 0, "fp32")
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


def test_a_tensor_without_memory_is_not_read():
    """A weight or a state that only passes on what is done to it, and weights that only have a shape."""
    run(
        """
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_map

class Wrapper(torch.Tensor):
    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype, strides=held.stride())

    def __init__(self, held):
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        args, kwargs = tree_map(lambda t: t.held if isinstance(t, Wrapper) else t, (args, kwargs or {}))
        result = function(*args, **kwargs)
        return Wrapper(result) if function is torch.ops.aten.detach.default else result

x = torch.randn(5, 2, 3)
for kind in (nn.GRU, nn.LSTM, nn.RNN):
    layer, h = kind(3, 4), torch.randn(1, 2, 4)
    state, wrapped = ((h, h), (h, Wrapper(h))) if kind is nn.LSTM else (h, Wrapper(h))
    expected = layer(x, state)[0]
    for keep in (True, False):
        with torch.set_grad_enabled(keep):
            same([layer(x, wrapped)[0]], [expected])
    layer.weight_hh_l0 = torch.nn.Parameter(Wrapper(layer.weight_hh_l0.detach()), requires_grad=False)
    for keep in (True, False):
        with torch.set_grad_enabled(keep):  # PyTorch computes it, which knows what such a class does
            torch.testing.assert_close(layer(x, state)[0], expected)

with FakeTensorMode(allow_non_fake_inputs=True):
    layer = nn.GRU(3, 4)
assert layer(x)[0].shape == (5, 2, 4)
"""
    )


def test_the_operators_refuse_what_leads_out_of_their_arrays():
    run(
        """
def refused(operator, *arguments):
    try:
        operator(*arguments)
    except RuntimeError as error:
        assert "the fused kernels take" in str(error), error
    else:
        raise AssertionError(arguments)

operators, numbers = torch.ops.sluicegate, torch.tensor
weights, options = [w.detach() for w in nn.GRU(3, 4).parameters()], ("gru", "tanh", True, False, 0, "fp32")
x, packed, far = torch.ones(5, 2, 3), torch.ones(7, 3), 10**7
two, offsets = numbers([0, 1]), numbers([0, 2, 4, 5, 6])
good = [
    (x, None, None, None),
    (x, numbers([5, 2]), None, None),
    (x, numbers([5, 2]), two.flip(0), None),
    (x, numbers([[5, 0], [2, 0]])[:, 0], two, None),
    (packed, numbers([5, 2]), None, offsets),
    (packed[:2], None, None, None),
]
bad = [
    (x, numbers([5, 2], dtype=torch.int32), two, None),
    (x, numbers([5.0, 2.0]), two, None),
    (x, numbers([far, 2]), two, None),
    (x, numbers([5, -far]), two, None),
    (x, numbers([2, 5]), two, None),
    (x, numbers([5]), numbers([0]), None),
    (x, numbers([5, 2]), numbers([0, far]), None),
    (x, numbers([5, 2]), numbers([1, 1]), None),
    (x, numbers([5, 2]), numbers([0]), None),
    (x, None, two, None),
    (packed, numbers([5, 2]), None, offsets + far),
    (packed, numbers([5, 2]), None, offsets[:4]),
    (packed[:6], numbers([5, 2]), None, offsets),
    (packed[:2], numbers([5, 2]), None, None),
    (x[0, 0], None, None, None),
]
for every in (0, 2):
    options = ("gru", "tanh", True, False, every, "fp32")
    for x, *rows in good:
        output, h, _, saved = operators.layer(x, None, None, weights, *rows, *options, True)
        back = (output, h, None, x, None, None, weights, output, saved, *rows, *options, [True] * 7)
        gradients = operators.layer_backward(*back)
        assert all(g.isfinite().all() for g in (gradients[0], *gradients[3]))
        for i in (0, 1, 3, 7 if every else 8):
            for other in (back[i].double(), back[i][..., :-1], back[i].to_sparse()):
                try:
                    operators.layer_backward(*back[:i], other, *back[i + 1 :])
                except RuntimeError:
                    continue
                raise AssertionError((rows, i, other))
    for x, *rows in bad:
        refused(operators.layer, x, None, None, weights, *rows, *options, False)
        way_back = (output, h, None, x, None, None, weights, output, saved, *rows, *options, [True] * 7)
        refused(operators.layer_backward, *way_back)
x = torch.ones(5, 2, 3)
for some, every in ((weights[:3], 0), (weights * 3, 0), (weights, -1)):
    refused(operators.layer, x, None, None, some, None, None, None, "gru", "tanh", True, False, every, "fp32", True)
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


def test_a_child_forked_in_the_middle_of_a_call_computes():
    """Another thread looks for its weights laid out, and OpenMP's threads, which the child lacks, have been at work."""
    run(
        """
import os
import signal
import threading

from sluicegate.ops import packing

class Slow(type(packing._kept)):
    def get(self, *arguments):
        begun.set()
        go_on.wait()
        return super().get(*arguments)

torch.set_num_threads(2)
torch.ones(1 << 20).mul(2)
begun, go_on, x = threading.Event(), threading.Event(), torch.ones(9, 1, 4)  # fewer steps do without
layer = nn.LSTM(4, 200).requires_grad_(False)
expected = layer(x)[0].numpy().tobytes()
packing._kept = Slow()
thread = threading.Thread(target=layer, args=(x,))
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    go_on.set()
    os._exit(0 if layer(x)[0].numpy().tobytes() == expected else 3)
status = os.waitpid(child, 0)[1]
go_on.set()
thread.join()
assert os.waitstatus_to_exitcode(status) == 0
""",
        timeout=30,
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
    found = list(DataLoader(Encoded(), batch_size=None, num_workers=1, multiprocessing_context="fork"))
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


def test_a_layer_that_is_called_now_and_then_burns_no_time_in_between():
    """Whoever helped with a call is asleep long before the next one."""
    run(
        """
import time

layer, x = nn.GRU(8, 128), torch.randn(100, 32, 8)
torch.set_num_threads(2)
burnt = 0.0
for _ in range(25):
    with torch.inference_mode():
        layer(x)
    time.sleep(0.03)
    begin = time.process_time()
    time.sleep(0.03)
    burnt += time.process_time() - begin
assert burnt < 0.1, burnt  # of 0.75 seconds; a helper that waits with its eyes open takes them all
"""
    )


def test_pytorchs_own_threads_help_while_they_are_awake():
    """They come and go with PyTorch's operations on large tensors, whichever thread of Python asks."""
    run(
        """
from concurrent.futures import ThreadPoolExecutor
import time

layers = [nn.GRU(7, 150), nn.LSTM(7, 64)]
x, large = torch.randn(20, 33, 7), torch.randn(300, 300)

def compute(threads):
    torch.set_num_threads(threads)
    found = []
    for round in range(20):
        for layer in layers:
            for rows in (1, 33):
                output, _ = layer(x[:, :rows])
                found.append(output)
                if threads > 1:
                    large.exp()  # wakes them
                    if round % 5 == 4:
                        time.sleep(0.01)  # and they fall asleep again
    return found

expected = compute(1)
with ThreadPoolExecutor(3) as pool:
    for found in pool.map(compute, [2, 3, 2, 2]):
        same(found, expected)
same(compute(2), expected)
""",
        threads=2,
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


def test_a_hundred_thousand_steps_of_the_usual_size_take_little_memory():
    """Of which the outputs are 26 MB, and as much is the input."""
    for layer in ("GRU(64, 64, checkpoint_every=300)", "LSTM(64, 64, checkpoint_every=300)", "MinGRU(64, 64)"):
        taken = run(
            f"""
layer = nn.{layer}
parts(layer(torch.randn(200, 1, 64))[1])[0].square().mean().backward()
before = peak()
parts(layer(torch.randn(100_000, 1, 64))[1])[0].square().mean().backward()
print(peak() - before)
"""
        )
        assert int(taken) < 100 * 1024, layer


def test_checkpoints_train_a_long_sequence_in_little_memory():
    """Without them it takes 490 MB, of which 205 are the outputs and what the loss makes of them."""
    taken = run(
        """
layer, x = nn.GRU(128, 128, checkpoint_every=100), torch.randn(100_000, 1, 128)
layer(x[:200])[0].square().mean().backward()
before = peak()
layer(x)[0].square().mean().backward()
assert all(p.grad.isfinite().all() for p in layer.parameters())
print(peak() - before)
"""
    )
    assert int(taken) < 320 * 1024

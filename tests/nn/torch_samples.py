"""A program: hold the layers and cells to PyTorch's own samples of its modules, those that it tests them with.

It prints what does not hold, a line each, and at the end how much it tried. It is a program of its own because
importing PyTorch's test code changes global settings, and because the run-time checks of our tests would refuse wrong
shapes before the layers do.
"""

import sys
import types
import unittest

import torch

from sluicegate import nn

KINDS = ("RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell")


def database():
    stub = types.ModuleType("expecttest")  # PyTorch's test code imports it, for tests that are not run here
    stub.TestCase = unittest.TestCase
    sys.modules.setdefault("expecttest", stub)
    from torch.testing._internal.common_modules import module_db

    return {info.module_cls: info for info in module_db if info.module_cls.__name__ in KINDS}


def flatten(value):
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []  # a PackedSequence has indices
    if isinstance(value, tuple | list):
        return [t for part in value for t in flatten(part)]
    return []


def compute(module, arguments, keywords):
    """Give the results, and the gradients of a weighted sum of them in all that takes one."""
    results = flatten(module(*arguments, **keywords))
    weights = torch.Generator().manual_seed(0)
    loss = sum((r * torch.randn(r.shape, generator=weights, dtype=r.dtype)).sum() for r in results)
    leaves = [t for t in flatten([*arguments, *keywords.values()]) if t.requires_grad] + list(module.parameters())
    return results, torch.autograd.grad(loss, leaves)


def differences(theirs, ours, arguments, keywords, dtype):
    forward, back = (2e-6, 1e-5) if dtype == torch.float32 else (1e-12, 1e-12)
    ours.load_state_dict(theirs.state_dict())
    found, expected = (compute(module, arguments, keywords) for module in (ours, theirs))
    for what, mine, yours, bound in zip(("results", "gradients"), found, expected, (forward, back), strict=True):
        for i, (a, b) in enumerate(zip(mine, yours, strict=True)):
            scale = b.abs().max().item()
            error = (a - b).abs().max().item()
            # The samples reach ±9, where tanh is full: what 1 - h² is of it has the absolute error of h, 4e-7 at most.
            allowed = bound * max(1.0, scale) if what == "results" else max(bound * scale, 0.05 * bound)
            if a.shape != b.shape or a.dtype != b.dtype or not error <= allowed:
                yield f"{what} {i}: {error} where the largest is {scale}"


def samples_of(info, function, dtype, training, **more):
    torch.manual_seed(0)
    return function(info, device="cpu", dtype=dtype, requires_grad=True, training=training, **more)


def refusal(kind, sample, dtype):
    """Construct and call, and give the exception that comes of it."""
    made, called = sample.module_error_input.constructor_input, sample.module_error_input.forward_input
    try:
        module = kind(*made.args, **({"dtype": dtype} | made.kwargs))
        if sample.error_on.name == "FORWARD_ERROR":
            module(*called.args, **called.kwargs)
    except Exception as error:
        return error
    return None


def main():
    lines = []
    samples = errors = 0
    for theirs, info in database().items():
        ours = getattr(nn, theirs.__name__)
        more = {"with_packed_sequence": True} if theirs.__name__ in ("RNN", "GRU") else {}
        for dtype in (torch.float32, torch.float64):
            for training in (True, False):
                for sample in samples_of(info, info.module_inputs_func, dtype, training, **more):
                    samples += 1
                    made, called = sample.constructor_input, sample.forward_input
                    pair = [kind(*made.args, dtype=dtype, **made.kwargs).train(training) for kind in (theirs, ours)]
                    for line in differences(*pair, called.args, called.kwargs, dtype):
                        lines.append(f"{theirs.__name__} {dtype} {made.args} {made.kwargs} {line}")
            for sample in samples_of(info, info.module_error_inputs_func, dtype, True):
                errors += 1
                right, mine = (refusal(kind, sample, dtype) for kind in (theirs, ours))
                assert isinstance(right, sample.error_type), right
                if not isinstance(mine, sample.error_type):
                    lines.append(f"{theirs.__name__} {dtype} {mine!r} in place of {right!r}")
    lines.append(f"{samples} samples, {errors} refusals")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

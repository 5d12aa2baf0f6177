"""Networks to export, and what runs what was made of them."""

import ctypes
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from sluicegate import bundle
from sluicegate.export import in_int8, of_folder, of_layers
from sluicegate.nn import GRU, LSTM, RNN, LiGRU, MinGRU
from tests.tasks.saved_models import FOLDER

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-O2", "-ffp-contract=off"]
WHOLE = 10  # inputs, which are enough to be rounded
CELLS = {
    "gru": (GRU, {}),
    "gru-deep": (GRU, {"num_layers": 2, "bias": False}),
    "lstm": (LSTM, {"num_layers": 2}),
    "rnn": (RNN, {}),
    "rnn-relu": (RNN, {"nonlinearity": "relu"}),
    "mingru": (MinGRU, {"num_layers": 2}),
    "ligru": (LiGRU, {}),
}


def layer_network(name, *, headed=True, inputs=5, hidden=11):
    """A small network of a cell, with a scale and a head."""
    torch.manual_seed(sum(map(ord, name)))
    kind, options = CELLS[name]
    layer = kind(inputs, hidden, **options).eval()
    if not headed:
        return of_layers(layer)
    return of_layers(layer, torch.nn.Linear(hidden, 3), mean=np.arange(inputs), deviation=np.arange(inputs) + 0.5)


def whole_network(name):
    """The same in int8, the input of the first layer too, without scale and head."""
    rows = np.random.default_rng(0).normal(size=(50, WHOLE))
    return in_int8(layer_network(name, headed=False, inputs=WHOLE), rows)


def causal_network(place, cell="gru", *, stride=3, hidden=8, channels=2):
    """A saved classifier of recordings with weights drawn by chance."""
    saved = bundle.read(FOLDER / "series-causal")
    config = json.loads(saved.raw("config.json"))
    config["shape"] |= {"stride": stride, "hidden": hidden, "cell": cell, "memory": 4, "layers": 2, "members": 2}
    config["settings"] |= {"cell": cell, "hidden": hidden, "layers": 2}
    torch.manual_seed(0)
    weights = {}
    for member in range(2):
        parts = {
            "front": torch.nn.Linear((2 * stride + 1) * 2 * channels, hidden),
            "recurrent": {"gru": GRU, "lstm": LSTM, "mingru": MinGRU}[cell](hidden, hidden, 2),
            "output": torch.nn.Linear(3 * hidden, 2),
        }
        for part, module in parts.items():
            for weight, tensor in module.state_dict().items():
                weights[f"members.{member}.{part}.{weight}"] = tensor.numpy()
    files = {**saved.files, "config.json": json.dumps(config).encode(), "weights.safetensors": save(weights)}
    bundle.write(place, files)
    return of_folder(place)


def needs(*programs):
    """Skip where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def run_test(place, name, *flags, compiler="gcc", before=(), sources=()):
    """Compile what was written with its test, and run it: what it prints."""
    built = place / "test"
    files = [str(place / f"{name}.c"), str(place / f"{name}_test.c"), *sources]
    made = subprocess.run([compiler, *STRICT, *flags, *files, "-o", str(built)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    done = subprocess.run([*before, str(built)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def natively(place, name, inputs, outputs, state):
    """The outputs of the C, step by step."""
    library = place / f"{name}.so"
    command = ["gcc", "-std=c99", "-O2", "-ffp-contract=off", "-shared", "-fPIC", str(place / f"{name}.c")]
    subprocess.run([*command, "-o", str(library)], check=True)
    own, held = ctypes.CDLL(str(library)), ctypes.create_string_buffer(state)
    getattr(own, f"{name}_init")(held)
    found = np.empty((len(inputs), outputs), np.float32)
    for given, shown in zip(np.ascontiguousarray(inputs, np.float32), found, strict=True):
        getattr(own, f"{name}_step")(held, *(ctypes.c_void_p(row.ctypes.data) for row in (given, shown)))
    return found

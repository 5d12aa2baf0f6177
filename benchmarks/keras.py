"""Keras' recurrent layers, unchanged and within Sluicegate: the textbook's script, fifty models, and Keras' own tests.

    python benchmarks/keras.py [--only textbook] [--rounds 3] [--tests FOLDER] [--write docs/benchmarks.md]

Everything runs in processes of its own, one thread each, on every backend that is installed: torch, and JAX and
TensorFlow to compare with. The script is `examples/keras_sine.py`; plain and accelerated processes take turns, and
their losses are compared. The models are those of `benchmarks/peers/keras_forms.py`. Keras' own tests lie in the folder
`keras/src/layers/rnn` of its package, where they are looked for unless another folder is named.

This file has the name of the package, so that whoever runs it must not look for the package in this folder.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from document import machine, measure_sections

HERE = Path(__file__).parent
SCRIPT = HERE.parent / "examples" / "keras_sine.py"
OTHERS = {"jax": "jax", "tensorflow": "tensorflow"}
"""The backends to compare with, and the packages that they need."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(backend: str, *words: str | Path, **variables: str) -> str:
    """Run Python, with Keras on a backend, and give what it printed."""
    environment = {**os.environ, **QUIET, "KERAS_BACKEND": backend, **variables}
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, env=environment)
    if done.returncode and "pytest" not in words:
        sys.exit(f"{' '.join(map(str, words))} failed:\n{done.stderr}")
    return done.stdout


class Run(NamedTuple):
    """A run of the script as a whole process."""

    seconds: float
    processor: float
    losses: list[float]


def timed(backend: str, *words: str | Path, **variables: str) -> Run:
    """Time the script, in seconds, also of its processor, and keep the losses that it printed."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = run(backend, *words, **variables)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, processor, [*map(float, re.findall(r"loss: ([\d.e+-]+)", printed))])


def textbook(options: Namespace) -> Iterator[str]:
    """The script of the textbook as a whole process: alone, accelerated, and with nothing recurrent in it."""
    yield "| Keras on | alone | under `python -m sluicegate` | with `Flatten` in place of the GRU | losses differ by |"
    yield "| --- | --- | --- | --- | --- |"
    for backend in ("torch", *(["jax"] if find_spec("jax") else [])):
        plain, ours, least = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            without = Path(folder) / "without_gru.py"
            without.write_text(re.sub(r"GRU\(50.*?\)", "keras.layers.Flatten()", SCRIPT.read_text()))
            for _ in range(options.rounds):
                plain.append(timed(backend, SCRIPT))
                ours.append(timed(backend, "-m", "sluicegate", SCRIPT))
                least.append(timed(backend, without))
        seconds = " | ".join(f"{statistics.median(r.seconds for r in runs):.1f} s" for runs in (plain, ours, least))
        differences = np.abs(np.subtract(plain[0].losses, ours[0].losses))
        yield f"| {backend} | {seconds} | {differences.max():.0e} |"
    yield ""
    yield f"Medians of {options.rounds} rounds, one thread; measured on {machine()}."


def beside(options: Namespace) -> Iterator[str]:
    """The script on torch, accelerated, with one thread and with two, while another program computes."""
    runs: dict[int, list[Run]] = {1: [], 2: []}
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for _ in range(options.rounds):
            for threads, found in runs.items():
                found.append(timed("torch", "-m", "sluicegate", SCRIPT, OMP_NUM_THREADS=str(threads)))
    finally:
        other.kill()
        other.wait()
    yield "| threads | whole process | processor |"
    yield "| --- | --- | --- |"
    for threads, found in runs.items():
        seconds, processor = (statistics.median(times) for times in zip(*(run[:2] for run in found), strict=True))
        yield f"| {threads} | {seconds:.1f} s | {processor:.1f} s |"
    yield ""
    yield f"Medians of {options.rounds} rounds; measured on {machine()}."


def forms(_: Namespace) -> Iterator[str]:
    """Outputs and gradients of fifty models, beside Keras on its own."""
    with tempfile.TemporaryDirectory() as folder:
        worker = HERE / "peers" / "keras_forms.py"
        told = run("torch", worker, f"{folder}/ours.npz", "accelerated").splitlines()[-1]
        yield "| beside Keras on | outputs differ by | gradients differ by |"
        yield "| --- | --- | --- |"
        for backend in ("torch", *(name for name, package in OTHERS.items() if find_spec(package))):
            run(backend, worker, f"{folder}/{backend}.npz")
            outputs, gradients = _differences(f"{folder}/ours.npz", f"{folder}/{backend}.npz")
            yield f"| {backend} | {outputs:.0e} | {gradients:.0e} |"
    yield from ("", f"The largest of all numbers of 50 models, as a share of the largest in its array or of 1: {told}.")


def _differences(ours: str, theirs: str) -> tuple[float, float]:
    """The largest difference of an output, and of a gradient."""
    found = {True: 0.0, False: 0.0}
    with np.load(ours) as one, np.load(theirs) as other:
        for name in one.files:
            size = max(1.0, float(np.abs(other[name]).max()))
            place = name.endswith(".0")
            found[place] = max(found[place], float(np.abs(one[name] - other[name]).max()) / size)
    return found[True], found[False]


def own_tests(options: Namespace) -> Iterator[str]:
    """How many of Keras' own tests of its recurrent layers pass, alone and accelerated."""
    folder = options.tests or Path(run("torch", "-c", "import keras; print(keras.__file__)").strip()).parent / "src"
    tests = Path(folder) if options.tests else Path(folder) / "layers" / "rnn"
    yield "| Keras' own tests | |"
    yield "| --- | --- |"
    with tempfile.TemporaryDirectory() as place:
        settings = Path(place) / "pytest.ini"
        settings.write_text("[pytest]\nmarkers =\n  requires_trainable_backend: of Keras\n")
        words = ("-m", "pytest", "-q", "-c", settings, "--rootdir", place, "-p", "no:cacheprovider")
        for name, plugin in (("alone", ()), ("within `sluicegate.accelerated()`", ("-p", "accelerated"))):
            told = run("torch", *words, *plugin, tests, PYTHONPATH=str(HERE / "peers")).splitlines()[-1]
            yield f"| {name} | {re.sub(r', [0-9]+ warnings.*| in .*', '', told)} |"


if __name__ == "__main__":
    measure_sections(
        {"keras:textbook": textbook, "keras:beside": beside, "keras:forms": forms, "keras:tests": own_tests},
        __doc__,
        rounds=3,
        tests="",
    )

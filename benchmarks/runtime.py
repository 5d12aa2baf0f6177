"""What a saved model costs without PyTorch: in the runtime, in C on a microcontroller, in WebAssembly.

    python benchmarks/runtime.py [--only start c wasm] [--write docs/benchmarks.md]

The runtime is started anew seven times: from before `import` to the first forecast of a saved forecaster, and the
memory that the process holds then. The wheel is that of `make runtime-wheel`, where it has been built. The C is a GRU
of 64 units and 16 inputs in int8, compiled for a Cortex-M4 with -O2, its instructions counted in an emulator. The
WebAssembly is a GRU of 256 units and inputs in int8, in Node.
"""

from __future__ import annotations

import base64
import gzip
import json
import statistics
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from document import machine, measure_sections

from sluicegate.export import Network, in_int8, of_layers, write_c, write_wasm
from sluicegate.nn import GRU

ROOT = Path(__file__).parents[1]
STARTS = 7
START = """
import re, sys, time
from pathlib import Path
begin = time.perf_counter()
from sluicegate import runtime
stream = runtime.load(sys.argv[1]).open_stream()
stream.push({"id": "a", "time": "2024-01-01 00:00:00", "sales": 10.0})
seconds = time.perf_counter() - begin, time.process_time()
assert "torch" not in sys.modules
# `getrusage` tells of the process that this one was forked from, too.
print(*seconds, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def start(_: Namespace) -> Iterator[str]:
    """From nothing to the first forecast."""
    command = [sys.executable, "-c", START, str(ROOT / "tests" / "tasks" / "saved" / "forecast-rnn")]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(STARTS)]
    clock, processor, memory = (sorted(float(run[i]) for run in runs) for i in range(3))
    wheels = sorted((ROOT / "dist").glob("sluicegate_runtime-*.whl"))
    yield from ("### The runtime", "", "| figure | measured |", "| --- | --- |")
    if wheels:
        yield f"| the wheel | {wheels[-1].stat().st_size / 1e6:.1f} MB |"
    yield f"| from before `import` to the first forecast, the best start | {clock[0]:.2f} s |"
    yield f"| the same, median | {statistics.median(clock):.2f} s |"
    yield f"| processor time of the whole program, median | {statistics.median(processor):.2f} s |"
    yield f"| resident memory, at most | {memory[-1]:.0f} MB |"
    yield from (
        "",
        f"{STARTS} starts. Measured by `python benchmarks/runtime.py --only start` on {machine()}.",
    )


def whole(inputs: int, units: int) -> Network:
    """A GRU in int8, calibrated on numbers of deviation 1."""
    torch.manual_seed(0)
    rows = np.random.default_rng(0).normal(size=(1000, inputs))
    return in_int8(of_layers(GRU(inputs, units).eval()), rows)


def c(_: Namespace) -> Iterator[str]:
    """On a Cortex-M4."""
    from cortex import cost

    network = whole(16, 64)
    with TemporaryDirectory() as place:
        written = write_c(network, place, name="gate")
        found = cost(Path(place), "gate")
    memory = written.state_bytes + found.stack
    yield from (
        "### C on a Cortex-M4: a GRU of 64 units, 16 inputs, int8",
        "",
        "| figure | measured |",
        "| --- | --- |",
    )
    yield f"| flash, code and constants | {found.flash / 1024:.1f} KiB |"
    yield f"| RAM, the state and all of the stack | {memory / 1024:.1f} KiB |"
    yield f"| instructions of a step | {found.instructions:,} |"
    yield f"| instructions a multiply-add | {found.instructions / network.multiply_adds:.2f} |"
    yield from ("", f"Measured by `python benchmarks/runtime.py --only c` on {machine()}.")


def wasm(_: Namespace) -> Iterator[str]:
    """In Node."""
    with TemporaryDirectory() as place:
        small = write_wasm(whole(16, 64), place, name="small")
        page = small.page.read_text().replace(_text_of(small.module), "")
        module = write_wasm(whole(256, 256), place, name="gate").module
        given = json.dumps({"inputs": np.zeros((1, 256)).tolist(), "repeat": 20})
        command = ["node", str(ROOT / "tests" / "export" / "run.mjs"), str(module), "256"]
        said = subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout
    yield from ("### WebAssembly", "", "| figure | measured |", "| --- | --- |")
    yield f"| the page without the module, gzip | {len(gzip.compress(page.encode())) / 1024:.1f} KiB |"
    yield f"| a step of a GRU of 256 units and inputs, int8, in Node | {json.loads(said)['best']:.0f} us |"
    yield from (
        "",
        f"The best of 400 rounds of 20 steps. Measured by `python benchmarks/runtime.py --only wasm` on {machine()}.",
    )


def _text_of(module: Path) -> str:
    return base64.b64encode(module.read_bytes()).decode()


if __name__ == "__main__":
    measure_sections({"runtime:start": start, "runtime:c": c, "runtime:wasm": wasm}, __doc__)

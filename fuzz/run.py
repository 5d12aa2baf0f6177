"""Call every operator and every public path with arguments that are not right, and look for what must not be.

    python fuzz/run.py [--calls 1000000] [--processes 2] [--seed 0] [--only 4711] [--core _core.so]

Nothing may end the process, hang, write into what it was given, raise what is not documented, or give other numbers
than the equations. A case is drawn of the seed and its number alone: `--only` makes one again, and tells its
arguments. With `--core`, the compiled module is another one, such as one with the address sanitizer: see `make fuzz`.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import importlib.util
import mmap
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

ROOM = 6 << 30  # bytes of addresses; what asks for more is refused by the system, not by the end of the machine
HANGS = 600  # seconds, on a machine that does other things as well
COMPARED = 10  # of so many accepted calls one is compared with the equations
SHOWN = 20  # finds


def main() -> int:
    """Share the cases out to processes, or be one of these."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--core", type=Path)
    parser.add_argument("--share", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only is not None or options.share:
        return _work(options)
    with tempfile.TemporaryDirectory() as folder:
        shares = [_Share(options, i, Path(folder) / str(i)) for i in range(options.processes)]
        for share in shares:
            share.start(share.number)
        while sum(share.watch() for share in shares):
            time.sleep(0.2)
        outcomes: collections.Counter[str] = collections.Counter()
        for share in shares:
            outcomes += share.outcomes
    finds = outcomes.pop("find", 0)
    print(f"{sum(outcomes.values()) + finds} calls, seed {options.seed}: {finds} finds")
    for outcome, count in sorted(outcomes.items()):
        print(f"  {count:8} {outcome}")
    return 1 if finds or sum(outcomes.values()) < options.calls else 0


class _Share:
    """A process that takes every so many-th case, and another one after it if that ended it."""

    def __init__(self, options: argparse.Namespace, number: int, place: Path) -> None:
        self.options, self.number, self.place = options, number, place
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.place.write_bytes(bytes(8))
        self._process: subprocess.Popen[str] | None = None
        self._at, self._since, self.ended = -1, time.monotonic(), 0

    def start(self, first: int) -> None:
        self._errors, self._results = (self.place.with_suffix(end).open("w+") for end in (".err", ".out"))
        self.place.write_bytes(first.to_bytes(8, "little"))
        again = [sys.executable, *sys.argv, "--share", str(first), str(self.options.processes), str(self.place)]
        self._process = subprocess.Popen(again, stdout=self._results, stderr=self._errors, text=True)

    def watch(self) -> bool:
        """Tell whether there is something to wait for."""
        if self._process is None:
            return False
        at = int.from_bytes(self.place.read_bytes(), "little")
        if at != self._at:
            self._at, self._since = at, time.monotonic()
        hangs = time.monotonic() - self._since > HANGS
        if hangs:
            self._process.kill()
        code = self._process.wait() if hangs else self._process.poll()
        if code is None:
            return True
        self._take_results()
        if code == 0:
            self._process = None
            return False
        self._errors.seek(0)
        what = f"hung for {HANGS} s" if hangs else f"ended the process with {code}"
        print(f"FIND seed {self.options.seed}, case {at}: it {what}\n{self._errors.read()[-6000:]}", flush=True)
        self.outcomes["find"] += 1
        self.ended += 1
        if self.ended == SHOWN:
            self._process = None
            return False
        self.start(at + self.options.processes)
        return True

    def _take_results(self) -> None:
        self._results.seek(0)
        for line in self._results:
            word, _, count = line.rpartition("\t")
            if word.startswith("outcome "):
                self.outcomes[word.removeprefix("outcome ")] += int(count)
            else:
                print(line, end="", flush=True)


def _work(options: argparse.Namespace) -> int:
    """Make the calls, and write down which one is next, for whoever finds that this process has ended."""
    if options.core:
        spec = importlib.util.spec_from_file_location("sluicegate._core", options.core)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["sluicegate._core"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    if "libasan" not in os.environ.get("LD_PRELOAD", ""):  # which takes 20 TB of addresses, and has a limit of its own
        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    warnings.simplefilter("ignore")
    faulthandler.enable()
    if options.only is not None:
        return _find(options.seed, options.only, told=True) == "find"
    first, step, place = options.share
    outcomes: collections.Counter[str] = collections.Counter()
    with Path(place).open("r+b") as file, mmap.mmap(file.fileno(), 8) as at:
        for number in _numbers(int(first), int(step), options.calls):
            at[:] = number.to_bytes(8, "little")
            outcomes[_find(options.seed, number, shown=outcomes["find"] < SHOWN)] += 1
            if number // int(step) % 50 == 0:
                _tell(outcomes)
    _tell(outcomes)
    return 0


def _numbers(first: int, step: int, calls: int) -> Iterator[int]:
    yield from range(first, calls, step)


def _tell(outcomes: collections.Counter[str]) -> None:
    for outcome, count in outcomes.items():
        print(f"outcome {outcome}\t{count}", flush=True)
    outcomes.clear()


def _find(seed: int, number: int, *, told: bool = False, shown: bool = True) -> str:
    """Draw a case and make its call, and tell what is found."""
    import modules
    import operators
    import streams
    import torch
    from case import Case, Find

    torch.set_num_threads(1)
    torch.default_generator.manual_seed(number)  # `torch.manual_seed` walks the stack, for longer than a call takes
    rng = random.Random(f"{seed} {number}")
    case: Case = rng.choice((operators, operators, modules, modules, streams)).draw(rng)
    if told:
        print(case, flush=True)
    try:
        outcome = case.run(compare=number % COMPARED == 0)
    except Find:
        if shown:
            print(f"FIND seed {seed}, case {number}: {traceback.format_exc()}\n{case}", flush=True)
        return "find"
    if told:
        print(outcome)
    return outcome


if __name__ == "__main__":
    sys.exit(main())

"""The near end of the pipe to a process that measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def environment(threads: int) -> dict[str, str]:
    """The variables by which libraries are told, before they are loaded, how many threads to use."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")
    flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"} if threads == 1 else {}
    quiet = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
    return {**os.environ, **dict.fromkeys(names, str(threads)), **flags, **quiet}


class Process:
    """A Python process that answers lines of JSON with lines of JSON, and sleeps while nobody asks.

    Args:
        python: the interpreter.
        arguments: the module to run and what it takes.
        threads: how many it may use.
    """

    def __init__(self, python: str, *arguments: str, threads: int) -> None:
        self._name = " ".join(arguments)
        self._noise = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            [python, "-m", *arguments, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            text=True,
            cwd=Path(__file__).parents[1],
            env=environment(threads),
        )
        self.hello = self._answer()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for what comes back."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it, by ending its input."""
        self._process.communicate()
        self._noise.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._noise.seek(0)
            sys.exit(f"{self._name} ended with {self._process.returncode}:\n{self._noise.read()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

"""MiniRocket beside PyTorch's threads, and in a process that was forked."""

import os
import subprocess
import sys
import types

import numpy as np
import pytest

from sluicegate.errors import DataError
from sluicegate.tasks.classification import minirocket


@pytest.mark.parametrize("layer", ["omp", "workqueue", None])
def test_is_left_out_where_numba_would_end_the_process(layer, monkeypatch):
    def threading_layer():
        if layer is None:
            raise ValueError("Threading layer is not initialized.")
        return layer

    numba = types.ModuleType("numba")
    numba.threading_layer = threading_layer
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.setattr(minirocket, "_lost_threads", False)
    monkeypatch.setattr(minirocket, "find_spec", lambda name: True)
    minirocket._note_fork()
    assert minirocket.has_minirocket() == (layer != "omp")
    if layer == "omp":
        method = minirocket.MiniRocket((), np.zeros(1), np.ones(1), np.zeros((1, 1)), np.zeros(1), 1.0)
        with pytest.raises(DataError, match="NUMBA_THREADING_LAYER=workqueue"):
            method.probabilities([])


def test_pytorch_computes_with_as_many_threads_as_before():
    pytest.importorskip("numba", reason="numba, of the extra `series`, is not installed")
    pytest.importorskip("sktime", reason="sktime, of the extra `series`, is not installed")
    program = """
import numpy as np, torch
from sluicegate.tasks.classification.minirocket import MiniRocket
torch.set_num_threads(1)
assert torch.get_num_threads() == 1  # PyTorch sets up its threads when it is asked first
rng = np.random.default_rng(0)
recordings = [rng.normal(size=(20, 1)).astype("f4") + i % 2 for i in range(12)]
method = MiniRocket.fit(recordings, np.arange(12) % 2, 2)
print(torch.get_num_threads())
method.probabilities(recordings)
print(torch.get_num_threads())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NUMBA_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "1"]

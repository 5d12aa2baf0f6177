"""MiniRocket in a process that was forked."""

import sys
import types

import numpy as np
import pytest

from sluicegate.errors import DataError
from sluicegate.tasks.classify_series import minirocket


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

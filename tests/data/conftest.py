"""Files of arrays."""

import numpy as np
import pytest


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "r.npz", **arrays)
        return tmp_path / "r.npz"

    return write

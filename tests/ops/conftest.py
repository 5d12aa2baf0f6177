"""The tensors here are tiny."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _threads() -> None:
    """One thread: to share tensors this small between two costs a thousand times their arithmetic on a busy machine."""
    torch.set_num_threads(1)

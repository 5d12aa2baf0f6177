from pathlib import Path

import torch

from sluicegate.cli.starting import load_task

SAVED = Path(__file__).parents[1] / "tasks" / "saved"


def test_threads_are_those_asked_for():
    before = torch.get_num_threads()
    try:
        load_task(SAVED / "forecast-rnn", 1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)

"""A small part of `make fuzz`, without the sanitizers, and that what must not be is found."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

FUZZ = Path(__file__).parents[1] / "fuzz"


def test_some_thousand_calls():
    command = [sys.executable, str(FUZZ / "run.py"), "--calls", "2500", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    counts = {outcome: int(count) for count, outcome in re.findall(r"^ +(\d+) (.+)$", done.stdout, re.MULTILINE)}
    assert sum(counts.values()) == 2500
    assert counts["accepted"] > 500
    assert counts["compared"] > 50
    assert counts["refused: Unfit"] > 200


def unexpected(x):
    raise KeyError(x)


@pytest.mark.parametrize(
    ("call", "why"),
    [(unexpected, "raised KeyError"), (torch.Tensor.zero_, "wrote into"), (torch.neg, "from the equations")],
)
def test_a_find_is_told(call, why, monkeypatch):
    monkeypatch.syspath_prepend(FUZZ)
    from case import Case, Find

    case = Case([], [torch.ones(3)], call, lambda case, result: [(result, case.arguments[0])], (RuntimeError,))
    with pytest.raises(Find, match=why):
        case.run(compare=True)

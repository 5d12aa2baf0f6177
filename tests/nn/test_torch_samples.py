"""PyTorch's own samples of its recurrent modules hold for ours: `torch_samples.py` is the program that tries them."""

import subprocess
import sys
from pathlib import Path


def test_pytorchs_own_samples_hold():
    program = Path(__file__).with_name("torch_samples.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    *failures, count = done.stdout.splitlines()
    assert failures == []
    samples, _, errors, _ = count.split()
    assert int(samples) > 200
    assert int(errors) > 100

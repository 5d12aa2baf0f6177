"""Training on a long table takes little memory beside the table itself."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np, polars as pl, torch
import sluicegate
torch.set_num_threads(1)
rows = int(sys.argv[1])
table = pl.DataFrame({"step": np.arange(rows), "y": np.random.default_rng(0).normal(size=rows).cumsum()})
sluicegate.Forecaster(24, context=96, steps=5, season=24).fit(table, time="step", target="y")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_megabytes(rows):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(rows)], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is given in kilobytes on Linux only")
def test_ten_million_rows_do_not_double():
    table = 10_000_000 * 16 / 2**20
    # Making the table takes a copy of it; training may take as much again, and in fact takes a third.
    grown = peak_megabytes(10_000_000) - peak_megabytes(10_000)
    assert grown < 2 * table
